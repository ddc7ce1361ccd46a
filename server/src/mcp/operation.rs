//! A request as OpenTelemetry's conventions for MCP have it: a span, and a duration.

use std::time::Instant;

use tracing::Span;

use super::{
    McpMetrics,
    answer::Outcome,
    context::Context,
    method::{Call, UNKNOWN},
    metrics::{Failure, OperationLabels},
};
use crate::{
    prompts, resources,
    tools::{self, Tool},
    traces::{self, Request, Target},
};

/// A request while it is answered. It is measured when this is dropped: so one whose client went
/// away is there too.
pub(super) struct Operation<'a> {
    labels: OperationLabels,
    metrics: &'a McpMetrics,
    span: Span,
    started: Instant,
}

impl<'a> Operation<'a> {
    /// `call` begins now.
    pub(super) fn begin(call: &Call, context: &Context, metrics: &'a McpMetrics) -> Self {
        let labels = OperationLabels {
            method: call.known_method(),
            target: target(call),
            // Until somebody knows better.
            failure: Some(Failure::Cancelled),
            transport: context.transport,
            revision: context.revision,
        };
        let request = Request {
            method: labels.method,
            target: labels.target,
            id: context.id.as_json(),
            transport: labels.transport.as_str(),
        };
        let span = request.span(&context.trace());
        Self { labels, metrics, span, started: Instant::now() }
    }

    /// What is done for it belongs into this span.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// It is answered with `outcome`.
    pub(super) fn ended(mut self, outcome: &Outcome) {
        self.labels.failure = match outcome {
            Ok(answer) => answer.is_error().then_some(Failure::ToolError),
            Err(error) => Some(Failure::Code(error.code)),
        };
    }
}

impl Drop for Operation<'_> {
    fn drop(&mut self) {
        if let Some(failure) = self.labels.failure
            && !self.span.is_disabled()
        {
            let failure = failure.to_string();
            traces::ended(&self.span, Some(&failure));
            if let Some(Failure::Code(_)) = self.labels.failure {
                self.span.record("rpc.response.status_code", failure);
            }
        }
        let trace = traces::sampled(&self.span);
        self.metrics.operation_ended(&self.labels, self.started.elapsed(), trace);
    }
}

/// What `call` is about, by a name that this server has.
fn target(call: &Call) -> Target {
    match call {
        Call::CallTool(params) => {
            Target::Tool(tools::registry().find(&params.name).map_or(UNKNOWN, Tool::name))
        }
        Call::GetPrompt(params) => {
            Target::Prompt(prompts::find(&params.name).map_or(UNKNOWN, prompts::Prompt::name))
        }
        Call::ReadResource(params) => Target::Resource(
            resources::find(&params.uri).map_or(UNKNOWN, |(template, _)| template.name),
        ),
        _ => Target::Nothing,
    }
}
