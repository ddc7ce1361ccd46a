//! Logs, always on standard error: over stdio, standard output is the protocol.

mod json;
mod lines;

use std::{io::IsTerminal, panic};

use tracing::{Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, registry::LookupSpan};

pub use self::lines::flush;
use self::{json::Json, lines::Lines};
use crate::{
    settings::{Log, LogFormat},
    telemetry::Export,
};

/// Logs as `log` says, from here on and for the whole process; panics too, by their place only, because their text may
/// hold a record. [`flush`] must be called before a thread of the runtime waits, and at the end. Spans of [`crate::traces`] go to `export`, if there is one.
pub fn start(log: Log, export: Option<&Export>) {
    let layer = match log.format {
        LogFormat::Text => plain(),
        LogFormat::Json => json(),
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

/// The level is for this program. Libraries warn at most: rmcp logs arguments and results below that, hyper headers.
fn filter(level: Level) -> Targets {
    Targets::new()
        .with_default(LevelFilter::from_level(level).min(LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), level)
}

fn plain<S: Subscriber + for<'a> LookupSpan<'a>>() -> Box<dyn Layer<S> + Send + Sync> {
    fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(Lines)
        .with_target(false)
        .boxed()
}

fn json<S: Subscriber + for<'a> LookupSpan<'a>>() -> Box<dyn Layer<S> + Send + Sync> {
    Json(lines::write).boxed()
}
