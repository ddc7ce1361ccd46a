//! The log as JSON: each line is an object of `timestamp`, `level`, the event's fields, `truncated`
//! if something was cut or left out, `target`, and `span`, the innermost span's name and fields.
//!
//! It is the form of tracing-subscriber's own formatter, which parses a span's fields anew for each
//! line to make sure of what it wrote itself.

mod members;

use jiff::Timestamp;
use tracing::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use self::members::Members;

/// Most lines are shorter, in bytes.
const USUAL_LINE: usize = 512;
/// And the fields of most spans.
const USUAL_SPAN: usize = 64;
/// What follows the event's fields, besides the target and the span's name and fields.
const END: &str = "\"truncated\":true,\"target\":\"\",\"span\":{\"name\":\"\"}}\n,";

/// Gives each line, with its end, to a function.
pub(super) struct Json<W> {
    pub(super) write: W,
    /// Longest line, in bytes. A span has a quarter of it.
    pub(super) line_max: usize,
}

impl<S, W> Layer<S> for Json<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn(&[u8]) + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Members::new(USUAL_SPAN, self.line_max / 4);
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
        let span = context.event_span(event);
        let extensions = span.as_ref().map(SpanRef::extensions);
        let fields = extensions.as_ref().and_then(|extensions| extensions.get::<Members>());

        // What follows the event's fields is short, and always whole.
        let of_span = |span: &SpanRef<'_, S>| {
            span.name().len() + fields.map_or(0, |fields| fields.bytes.len())
        };
        let end = END.len() + metadata.target().len() + span.as_ref().map_or(0, of_span);
        let mut line = Members::new(USUAL_LINE, self.line_max.saturating_sub(end));
        line.scalar("timestamp", &format_args!("{:.6}", Timestamp::now()));
        line.text("level", metadata.level().as_str());
        event.record(&mut line);
        line.max = usize::MAX;
        if line.is_cut || fields.is_some_and(|fields| fields.is_cut) {
            line.scalar("truncated", &true);
        }
        line.text("target", metadata.target());
        if let Some(span) = &span {
            line.bytes.extend_from_slice(b",\"span\":{\"name\":");
            line.value(span.name());
            line.bytes.extend_from_slice(fields.map_or(&[], |fields| &fields.bytes));
            line.bytes.push(b'}');
        }
        let mut line = line.bytes;
        if let Some(comma) = line.first_mut() {
            *comma = b'{';
        }
        line.extend_from_slice(b"}\n");
        (self.write)(&line);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fmt,
        sync::{Arc, Mutex},
    };

    use serde_json::{Value, json};
    use tracing_subscriber::layer::SubscriberExt;

    use super::{members::CUT, *};

    /// The lines that `log` gives, without the time.
    fn logged(log: impl FnOnce()) -> Vec<Value> {
        logged_within(8192, log)
    }

    fn logged_within(line_max: usize, log: impl FnOnce()) -> Vec<Value> {
        let written = Arc::new(Mutex::new(Vec::new()));
        let kept = written.clone();
        let write = move |line: &[u8]| kept.lock().unwrap().push(line.to_vec());
        let json = Json { write, line_max };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(json), log);
        let lines = written.lock().unwrap();
        let without_time = lines.iter().map(|line| {
            assert!(line.len() <= line_max, "{} bytes", line.len());
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
    fn a_line_has_the_events_fields_and_the_innermost_spans() {
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
                    "level": "INFO", "text": "a \"b\"\n", "yes": true, "less": -1, "more": u64::MAX,
                    "part": 0.5,
                    "message": "said", "target": target,
                }),
                json!({
                    "level": "WARN", "shown": "x\u{1}", "none": null, "message": "said so",
                    "target": target,
                    "span": { "name": "request", "id": "7", "late": 2 },
                }),
                json!({
                    "level": "ERROR", "debug": "Some(\"é\")", "target": target,
                    "span": { "name": "outer", "id": 1 },
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

    #[test]
    fn a_line_that_is_too_long_is_cut_and_stays_json() {
        for part in ["x", "é", "\u{1}", "\"", "𝄞", "x\n"] {
            let long = part.repeat(5_000);
            for line_max in 1_024..1_040 {
                let lines = logged_within(line_max, || {
                    tracing::info_span!("request", id = long, after = 7).in_scope(|| {
                        tracing::info!(before = 1, text = long, shown = %long, after = 2, "said");
                    });
                });
                let [line] = &lines[..] else { panic!("{lines:?}") };
                assert_eq!((&line["before"], &line["truncated"]), (&json!(1), &json!(true)));
                assert_eq!(line["target"], module_path!());
                for text in [&line["text"], &line["span"]["id"]] {
                    let kept = text.as_str().unwrap().strip_suffix(CUT).unwrap();
                    assert!(long.starts_with(kept) && kept.len() > 30, "{text}");
                }
            }
        }
    }

    #[test]
    fn a_line_that_just_fits_is_whole() {
        let text = "x".repeat(800);
        let lines = logged_within(1_024, || tracing::info!(text, shown = %"short"));
        assert_eq!(lines[0]["text"].as_str().unwrap(), "x".repeat(800));
        assert_eq!((&lines[0]["shown"], lines[0].get("truncated")), (&json!("short"), None));
    }

    #[test]
    fn a_value_without_end_is_printed_no_further_than_the_line() {
        struct Endless(Arc<Mutex<usize>>);
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("endless ")?;
                    *self.0.lock().unwrap() += 1;
                }
            }
        }
        let count = Arc::new(Mutex::new(0));
        let lines = logged_within(1_024, || tracing::info!(value = %Endless(count.clone())));
        assert!(lines[0]["value"].as_str().unwrap().ends_with(CUT));
        assert!(*count.lock().unwrap() <= 1_024 / 8);
    }
}
