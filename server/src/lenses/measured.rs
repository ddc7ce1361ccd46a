//! One call to HQ in metrics, trace and log.

use std::time::Instant;

use tracing::Span;

use super::{
    error::Error,
    metrics::{LensesMetrics, LensesOutcome},
};
use crate::traces;

/// Counts one call to HQ when it ends, also when the caller goes away first.
pub(super) struct Measured<'a> {
    metrics: &'a LensesMetrics,
    operation: &'static str,
    pub(super) span: Span,
    started: Instant,
    finished: bool,
}

impl<'a> Measured<'a> {
    /// Starts the clock and the span of `operation`.
    pub(super) fn start(metrics: &'a LensesMetrics, operation: &'static str) -> Self {
        let span = traces::lenses_call(operation);
        Self { metrics, operation, span, started: Instant::now(), finished: false }
    }

    /// Counts the call as one that came to an end.
    pub(super) fn finish(mut self, error: Option<&Error>) {
        self.finished = true;
        self.record(error.map_or(LensesOutcome::Success, Error::outcome));
    }

    fn record(&self, outcome: LensesOutcome) {
        let elapsed = self.started.elapsed();
        let trace = traces::sampled(&self.span);
        self.metrics.lenses_called(self.operation, outcome, elapsed, trace);
        traces::ended(&self.span, outcome.failure());
        tracing::debug!(
            operation = self.operation,
            outcome = outcome.as_str(),
            ?elapsed,
            "called Lenses HQ"
        );
    }
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.record(LensesOutcome::Cancelled);
        }
    }
}
