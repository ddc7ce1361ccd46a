//! What is kept of a call: a line of who called which tool and how it ended, a count, and nothing of what was said.

use std::time::Instant;

use serde_json::{Map, Value};
use tracing::Span;

use crate::{
    identity::Identity,
    metrics::{Metrics, Outcome},
    tools::Tool,
    traces,
};

/// One call of a tool. It is counted, and its line written (level INFO, within the request's span), when this is dropped:
/// so a call whose client went away is there too.
pub(super) struct Audit<'a> {
    tool: &'static str,
    arguments: String,
    identity: &'a Identity,
    metrics: &'a Metrics,
    span: Span,
    started: Instant,
    /// How the call ended; `Cancelled` until somebody knows better.
    pub(super) outcome: Outcome,
}

impl<'a> Audit<'a> {
    /// A call that begins now, traced as `span`.
    pub(super) fn new(
        tool: &Tool,
        arguments: &Map<String, Value>,
        identity: &'a Identity,
        metrics: &'a Metrics,
        span: Span,
    ) -> Self {
        // Names of arguments that the tool does not have are the caller's own words: they stay out of the log.
        let arguments: Vec<_> = arguments.keys().map(String::as_str).filter(|name| tool.has_argument(name)).collect();
        Self {
            tool: tool.name(),
            arguments: arguments.join(","),
            identity,
            metrics,
            span,
            started: Instant::now(),
            outcome: Outcome::Cancelled,
        }
    }
}

impl Drop for Audit<'_> {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        self.metrics.tool_called(self.tool, self.outcome, elapsed);
        traces::ended(&self.span, self.outcome);
        tracing::info!(
            tool = self.tool,
            arguments = self.arguments,
            outcome = self.outcome.as_str(),
            duration_ms = elapsed.as_secs_f64() * 1_000.0,
            fingerprint = %self.identity.fingerprint,
            subject = self.identity.subject.as_deref(),
            client_id = self.identity.client_id.as_deref(),
            "tool called"
        );
    }
}
