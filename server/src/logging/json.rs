//! The log as JSON: each line is an object of `timestamp`, `level`, the event's fields, `target`, and `span`, the innermost
//! span's name and fields.
//!
//! It is the form of tracing-subscriber's own formatter, which parses a span's fields anew for each line to make sure of what
//! it wrote itself.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use serde::Serialize;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// Most lines are shorter, in bytes.
const USUAL_LINE: usize = 512;
/// And most spans' fields, and most values that are printed.
const USUAL_PART: usize = 64;

/// Gives each line, with its end, to a function.
pub(super) struct Json<W>(pub(super) W);

impl<S, W> Layer<S> for Json<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&Metadata<'_>, &[u8]) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Members(Vec::with_capacity(USUAL_PART));
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Members>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Members(Vec::with_capacity(USUAL_LINE));
        line.add("timestamp", &format_args!("{:.6}", Timestamp::now()));
        line.add("level", metadata.level().as_str());
        event.record(&mut line);
        line.add("target", metadata.target());
        if let Some(span) = context.event_span(event) {
            line.0.extend_from_slice(b",\"span\":{\"name\":");
            line.value(span.name());
            if let Some(Members(fields)) = span.extensions().get() {
                line.0.extend_from_slice(fields);
            }
            line.0.push(b'}');
        }
        self.0(metadata, &line.into_line());
    }
}

/// Members of a JSON object, each after a comma: `,"id":"7","status":200`. So fields that a span learns later are put behind
/// those that it has.
struct Members(Vec<u8>);

impl Members {
    fn add(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        self.0.push(b',');
        self.value(name);
        self.0.push(b':');
        self.value(value);
    }

    fn value(&mut self, value: &(impl Serialize + ?Sized)) {
        // Texts and numbers are always JSON, and memory can be written.
        let _written = serde_json::to_writer(&mut self.0, value);
    }

    /// The object, on a line of its own.
    fn into_line(self) -> Vec<u8> {
        let Self(mut line) = self;
        match line.first_mut() {
            Some(comma) => *comma = b'{',
            None => line.push(b'{'),
        }
        line.extend_from_slice(b"}\n");
        line
    }
}

impl Visit for Members {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::with_capacity(USUAL_PART);
        // What fails to print stays as far as it came. serde_json would panic.
        let _as_far = write!(text, "{value:?}");
        self.add(field.name(), &text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), &value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// The lines that `log` gives, without the time.
    fn logged(log: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let kept = written.clone();
        let json =
            Json(move |_: &Metadata<'_>, line: &[u8]| kept.lock().unwrap().push(line.to_vec()));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(json), log);
        let lines = written.lock().unwrap();
        let without_time = lines.iter().map(|line| {
            assert_eq!(
                line.iter().position(|byte| *byte == b'\n'),
                Some(line.len() - 1),
                "one line"
            );
            let mut line: Value = serde_json::from_slice(line).unwrap();
            let time = line.as_object_mut().unwrap().remove("timestamp").unwrap();
            let time = time.as_str().unwrap();
            assert!(
                time.len() == "2026-07-28T00:00:00.000000Z".len()
                    && time.parse::<Timestamp>().is_ok(),
                "{time}"
            );
            line
        });
        without_time.collect()
    }

    #[test]
    fn a_line_has_the_events_fields_beside_its_place_and_the_innermost_spans_in_it() {
        let lines = logged(|| {
            tracing::info!(
                text = "a \"b\"\n",
                yes = true,
                less = -1,
                more = u64::MAX,
                part = 0.5,
                absent = None::<u8>,
                "said"
            );
            let outer = tracing::info_span!("outer", id = 1).entered();
            tracing::info_span!("request", id = "7", late = tracing::field::Empty).in_scope(|| {
                tracing::Span::current().record("late", 2);
                tracing::warn!(shown = %"x\u{1}", none = f64::NAN, "said {}", "so");
            });
            tracing::error!(debug = ?Some("é"));
            drop(outer);
        });
        let target = module_path!();
        assert_eq!(
            lines,
            [
                json!({
                    "level": "INFO", "text": "a \"b\"\n", "yes": true, "less": -1, "more": u64::MAX, "part": 0.5,
                    "message": "said", "target": target,
                }),
                json!({
                    "level": "WARN", "shown": "x\u{1}", "none": null, "message": "said so", "target": target,
                    "span": { "name": "request", "id": "7", "late": 2 },
                }),
                json!({
                    "level": "ERROR", "debug": "Some(\"é\")", "target": target, "span": { "name": "outer", "id": 1 },
                }),
            ]
        );
    }

    #[test]
    fn a_value_that_fails_to_print_stays_as_far_as_it_came() {
        struct Failing;
        impl fmt::Display for Failing {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("begun")?;
                Err(fmt::Error)
            }
        }
        let lines = logged(|| tracing::info!(value = %Failing, after = 1));
        assert_eq!(lines[0]["value"], "begun");
        assert_eq!(lines[0]["after"], 1);
    }
}
