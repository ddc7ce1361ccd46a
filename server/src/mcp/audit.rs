//! What is kept of a call: a line of who called what and how it ended, a count, and nothing of what
//! was said.

use std::time::Instant;

use serde_json::{Map, Value};

use super::{McpMetrics, context::Context, method::UNKNOWN};
use crate::{
    access_log,
    identity::Identity,
    prompts::Prompt,
    resources::Template,
    tools::{Outcome, Tool},
    traces,
};

/// One call of a tool, one prompt given or one resource read. It is counted, and its line written
/// (level INFO, within the request's span), when this is dropped: so a call whose client went away
/// is there too.
pub(super) struct Audit<'a> {
    what: What,
    arguments: String,
    identity: &'a Identity,
    metrics: &'a McpMetrics,
    started: Instant,
    /// How the call ended; `Cancelled` until somebody knows better.
    pub(super) outcome: Outcome,
}

#[derive(Clone, Copy)]
enum What {
    Tool(&'static str),
    Prompt(&'static str),
    /// By its template: the URI holds names.
    Resource(&'static str),
}

impl<'a> Audit<'a> {
    /// A call of `tool` that begins now.
    pub(super) fn of_tool(
        tool: &Tool,
        arguments: &Map<String, Value>,
        metrics: &'a McpMetrics,
        context: &'a Context,
    ) -> Self {
        // Names of arguments that the tool does not have are the caller's own words: they stay out
        // of the log.
        let names = arguments.keys().map(String::as_str).filter(|name| tool.has_argument(name));
        Self::new(What::Tool(tool.name()), names, metrics, context)
    }

    /// A call of a tool that there is not.
    pub(super) fn of_unknown_tool(metrics: &'a McpMetrics, context: &'a Context) -> Self {
        Self::new(What::Tool(UNKNOWN), std::iter::empty(), metrics, context)
    }

    /// `prompt` being asked for.
    pub(super) fn of_prompt(
        prompt: &Prompt,
        arguments: &Map<String, Value>,
        metrics: &'a McpMetrics,
        context: &'a Context,
    ) -> Self {
        let is_known =
            |name: &&str| prompt.arguments().iter().any(|argument| argument.name() == *name);
        let names = arguments.keys().map(String::as_str).filter(is_known);
        Self::new(What::Prompt(prompt.name()), names, metrics, context)
    }

    /// A resource of the kind `template` being read.
    pub(super) fn of_resource(
        template: &Template,
        metrics: &'a McpMetrics,
        context: &'a Context,
    ) -> Self {
        let names = template.variables.iter().map(|variable| variable.name);
        Self::new(What::Resource(template.name), names, metrics, context)
    }

    fn new<'n>(
        what: What,
        arguments: impl Iterator<Item = &'n str>,
        metrics: &'a McpMetrics,
        context: &'a Context,
    ) -> Self {
        let arguments = arguments.collect::<Vec<_>>().join(",");
        Self {
            what,
            arguments,
            identity: &context.identity,
            metrics,
            started: Instant::now(),
            outcome: Outcome::Cancelled,
        }
    }
}

impl Drop for Audit<'_> {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        traces::outcome(self.outcome.as_str());
        let (mut tool, mut prompt, mut resource) = (None, None, None);
        let message = match self.what {
            What::Tool(name) => {
                self.metrics.tool_called(name, self.outcome, elapsed);
                tool = Some(name);
                "tool called"
            }
            What::Prompt(name) => {
                self.metrics.prompt_asked(name, self.outcome);
                prompt = Some(name);
                "prompt asked for"
            }
            What::Resource(name) => {
                self.metrics.resource_read(name, self.outcome);
                resource = Some(name);
                "resource read"
            }
        };
        tracing::info!(
            tool,
            prompt,
            resource,
            arguments = self.arguments,
            outcome = self.outcome.as_str(),
            duration_ms = elapsed.as_secs_f64() * 1_000.0,
            fingerprint = %self.identity.fingerprint,
            subject = self.identity.subject.as_deref(),
            client_id = self.identity.client_id.as_deref(),
            "{message}"
        );
        access_log::note(|noted| noted.audited = true);
    }
}
