//! Logs, always on standard error: over stdio, standard output is the protocol.

mod json;
mod text;

use std::{io::IsTerminal, panic};

use tracing::{Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, registry::LookupSpan};

use self::{json::Json, text::Text};
use crate::{
    line_writer::LineWriter,
    settings::{Log, LogFormat},
    telemetry::Export,
};

/// Logs to `writer` as `log` says, from here on and for the whole process; panics too, by their
/// place only, because their text may hold a record. Spans of [`crate::traces`] go to `export`, if
/// there is one.
pub fn start(log: Log, writer: LineWriter, export: Option<&Export>) {
    let layer = match log.format {
        LogFormat::Text => plain(writer, log.line_max_bytes),
        LogFormat::Json => json(writer, log.line_max_bytes),
    };
    let filter = filter(log.level);
    let registry = tracing_subscriber::registry();
    let started = match export {
        Some(export) => tracing::subscriber::set_global_default(
            registry.with(layer.with_filter(filter)).with(export.layer()),
        ),
        // One filter for all: a layer with one of its own has it looked at for each line and span.
        None => tracing::subscriber::set_global_default(registry.with(layer).with(filter)),
    };
    if started.is_ok() {
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "panicked");
        }));
    }
}

/// The level is for this program. Libraries warn at most: hyper logs headers below that. rmcp's
/// warnings hold what callers sent and what HQ answered, so it logs nothing.
fn filter(level: Level) -> Targets {
    Targets::new()
        .with_default(LevelFilter::from_level(level).min(LevelFilter::WARN))
        .with_target("rmcp", LevelFilter::OFF)
        .with_target(env!("CARGO_CRATE_NAME"), level)
}

fn plain<S>(writer: LineWriter, line_max: usize) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let in_colour = std::io::stderr().is_terminal();
    fmt::layer()
        .with_ansi(in_colour)
        .event_format(Text::new(line_max, in_colour))
        .with_writer(writer)
        .boxed()
}

fn json<S>(writer: LineWriter, line_max: usize) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    Json { write: move |line: &[u8]| writer.line(line), line_max }.boxed()
}
