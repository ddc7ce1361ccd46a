//! What is kept of a call: audit lines of who called what and how it ended, a count and a span, and
//! nothing of what was said.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::{
    McpMetrics, Server,
    context::Context,
    method::{Call, UNKNOWN},
};
use crate::{
    access_log,
    audit::{AuditLog, DecidedBy, Decision, Entry, Event, Head, Source, Tail, Verdict},
    completion,
    identity::Identity,
    lenses::{self, Name},
    prompts::{self, Prompt},
    resources::{self, Template},
    tools::{self, Outcome, Target, Tool},
    traces,
};

/// One call of a tool, one prompt given, one resource read or names listed. It is counted, and its
/// line written, when this is dropped: so a call whose client went away is there too.
pub(super) struct Audit<'a> {
    what: What,
    metrics: &'a McpMetrics,
    entry: Option<Entry>,
    started: Instant,
    /// Whether the call may run; the policy allows it until somebody knows better.
    pub(super) decision: Decision,
    /// How the call ended; `Cancelled` until somebody knows better.
    pub(super) outcome: Outcome,
}

#[derive(Clone, Copy)]
enum What {
    Tool(&'static str),
    Prompt(&'static str),
    /// By its template: the URI holds names.
    Resource(&'static str),
    ResourceList,
    Completion(completion::Source),
}

impl What {
    fn head<'a>(self, head: Head<'a>, target: &'a Target<'a>) -> Head<'a> {
        match self {
            Self::Tool(name) => head.tool(name, target),
            Self::Prompt(name) => head.prompt(name, target),
            Self::Resource(name) => head.resource(name, target),
            Self::ResourceList => head.resource_list(),
            Self::Completion(_) => head.completion(target),
        }
    }
}

impl<'a> Audit<'a> {
    /// A call of `tool` that begins now.
    pub(super) fn of_tool(
        tool: &Tool,
        arguments: &Map<String, Value>,
        server: &'a Server,
        context: &'a Context,
    ) -> Self {
        Self::new(What::Tool(tool.name()), || tool.target(arguments), server, context)
    }

    /// A call of a tool that there is not.
    pub(super) fn of_unknown_tool(server: &'a Server, context: &'a Context) -> Self {
        Self::new(What::Tool(UNKNOWN), Target::default, server, context)
    }

    /// `prompt` being asked for.
    pub(super) fn of_prompt(
        prompt: &Prompt,
        arguments: &Map<String, Value>,
        server: &'a Server,
        context: &'a Context,
    ) -> Self {
        Self::new(What::Prompt(prompt.name()), || of_prompt(arguments), server, context)
    }

    /// A prompt that there is not being asked for.
    pub(super) fn of_unknown_prompt(server: &'a Server, context: &'a Context) -> Self {
        Self::new(What::Prompt(UNKNOWN), Target::default, server, context)
    }

    /// A resource that there cannot be being read.
    pub(super) fn of_unknown_resource(server: &'a Server, context: &'a Context) -> Self {
        Self::new(What::Resource(UNKNOWN), Target::default, server, context)
    }

    /// A resource of the kind `template` being read, by `tool`.
    pub(super) fn of_resource(
        template: &Template,
        tool: &Tool,
        arguments: &Map<String, Value>,
        server: &'a Server,
        context: &'a Context,
    ) -> Self {
        Self::new(What::Resource(template.name), || tool.target(arguments), server, context)
    }

    /// The resources being listed.
    pub(super) fn of_resource_list(server: &'a Server, context: &'a Context) -> Self {
        Self::new(What::ResourceList, Target::default, server, context)
    }

    /// Names of `source` in `environment` being proposed.
    pub(super) fn of_completion(
        source: completion::Source,
        environment: Option<&Name>,
        server: &'a Server,
        context: &'a Context,
    ) -> Self {
        let environment = environment.map(Name::as_str);
        let target = || Target { environment, ..Target::default() };
        Self::new(What::Completion(source), target, server, context)
    }

    fn new<'t>(
        what: What,
        target: impl FnOnce() -> Target<'t>,
        server: &'a Server,
        context: &'a Context,
    ) -> Self {
        let entry = server.audit.is_on().then(|| {
            let head = Head::new(Event::Call, &context.source, (&context.identity).into());
            server.audit.entry(&what.head(head, &target()))
        });
        Self {
            what,
            metrics: &server.metrics,
            entry: entry.flatten(),
            started: Instant::now(),
            decision: Decision::ALLOWED,
            outcome: Outcome::Cancelled,
        }
    }

    /// A change or a deletion is about to be sent to HQ.
    pub(super) fn changing(&mut self) {
        if let Some(entry) = &mut self.entry {
            entry.started(self.decision);
        }
    }

    /// HQ does not answer with what was asked for.
    pub(super) fn failed(&mut self, error: &lenses::Error) {
        if let Some(decision) = refused_by_hq(error) {
            self.decision = decision;
        }
        self.outcome = Outcome::of(error);
    }

    /// The user is being asked.
    pub(super) fn asking(&mut self) {
        self.decision =
            Decision { verdict: Verdict::Pending, decided_by: DecidedBy::User, reason: None };
    }

    /// The user said yes.
    pub(super) fn confirmed(&mut self) {
        self.decision = Decision { decided_by: DecidedBy::User, ..Decision::ALLOWED };
    }
}

impl Drop for Audit<'_> {
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        if self.outcome == Outcome::Cancelled {
            // Whoever waited is told 504.
            access_log::note(|noted| {
                if noted.timed_out {
                    self.outcome = Outcome::TimedOut;
                }
            });
        }
        traces::outcome(self.outcome.as_str());
        let duration_ms = whole_microseconds(elapsed);
        if let Some(entry) = &mut self.entry {
            entry.write(&Tail {
                outcome: Some(self.outcome),
                duration_ms: Some(duration_ms),
                ..Tail::new(self.decision)
            });
        }
        let (what, name) = match self.what {
            What::Tool(name) => {
                self.metrics.tool_called(name, self.outcome, elapsed);
                ("tool called", name)
            }
            What::Prompt(name) => {
                self.metrics.prompt_asked(name, self.outcome);
                ("prompt asked for", name)
            }
            What::Resource(name) => {
                self.metrics.resource_read(name, self.outcome);
                ("resource read", name)
            }
            What::ResourceList => ("resources listed", ""),
            What::Completion(source) => {
                self.metrics.completed(source, self.outcome);
                ("names proposed", source.tool())
            }
        };
        if self.entry.is_none() {
            let outcome = self.outcome.as_str();
            tracing::info!(name, outcome, duration_ms, "{what}");
        }
        access_log::note(|noted| noted.audited = true);
    }
}

/// HQ's decision, if `error` is one.
pub(super) fn refused_by_hq(error: &lenses::Error) -> Option<Decision> {
    let reason = match error {
        lenses::Error::Unauthorized(_) => "unauthorized",
        lenses::Error::Forbidden(_) => "forbidden",
        _ => return None,
    };
    Some(Decision::denied(DecidedBy::Hq, reason))
}

/// `duration` in milliseconds, without more digits than a clock has.
#[expect(clippy::cast_precision_loss, reason = "microseconds of 285 years are exact")]
fn whole_microseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1_000.0
}

/// What a prompt with `arguments` is about.
fn of_prompt(arguments: &Map<String, Value>) -> Target<'_> {
    let environment = arguments.get("environment").and_then(Value::as_str);
    Target { environment, ..Target::default() }
}

/// Records that `identity` may not make `call`, which has not come as far as to an [`Audit`].
pub(super) fn refused(
    audit: &AuditLog,
    call: &Call,
    source: &Source,
    identity: &Identity,
    decision: Decision,
) {
    if !audit.is_on() {
        return;
    }
    let (what, target, arguments);
    match call {
        Call::CallTool(params) => {
            let tool = tools::registry().find(&params.name);
            what = What::Tool(tool.map_or(UNKNOWN, Tool::name));
            target = tool.map(|tool| tool.target(&params.arguments));
        }
        Call::GetPrompt(params) => {
            what = What::Prompt(prompts::find(&params.name).map_or(UNKNOWN, Prompt::name));
            target = Some(of_prompt(&params.arguments));
        }
        Call::ReadResource(params) => {
            let found = resources::find(&params.uri).ok();
            let tool = found.as_ref().and_then(|(found, _)| tools::registry().find(found.tool));
            what = What::Resource(found.as_ref().map_or(UNKNOWN, |(template, _)| template.name));
            arguments = found.map(|(_, arguments)| arguments).unwrap_or_default();
            target = tool.map(|tool| tool.target(&arguments));
        }
        _ => return,
    }
    let target = target.unwrap_or_default();
    let head = Head::new(Event::Call, source, identity.into());
    if let Some(mut entry) = audit.entry(&what.head(head, &target)) {
        entry.write_minor(&Tail { outcome: Some(Outcome::Denied), ..Tail::new(decision) });
    }
}
