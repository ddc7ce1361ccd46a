//! `tools/call`: offered, allowed, arguments that hold, the user asked; then Lenses.

use serde_json::{Map, Value};

use super::{
    Server,
    answer::{Answer, Outcome as Answered},
    audit::{Audit, refused_by_hq},
    client::NoAnswer,
    confirmation::{Answers, Decision, Question},
    context::Context,
    elicitation::ANSWER_WITHIN,
    params::CallToolParams,
    progress, shown,
};
use crate::{
    audit::{DecidedBy, Decision as Recorded},
    identity::Identity,
    json_rpc::RpcError,
    lenses,
    tools::{self, Call, Outcome, Progress, Tool, ToolError, ToolResult},
};

/// Why a call gives no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// The caller may not, or nobody may here.
    #[error("{why}")]
    Refused {
        /// In words for the model.
        why: String,
        /// For the record.
        decision: Recorded,
    },
    /// The tool says why.
    #[error(transparent)]
    Tool(ToolError),
    /// The user said no.
    #[error(
        "The user was asked and said no, so that nothing was done. Do not try again unless the \
         user asks for it."
    )]
    Declined,
    /// The question was closed without an answer.
    #[error(
        "The client closed the question without an answer (`cancel`), so that nothing was done. A \
         client that runs without a person answers so each time. Tell the user: do it in Lenses, \
         or call from a client in which a person can answer. Whoever runs this server decides \
         whether it asks (MCP_CONFIRM)."
    )]
    Cancelled,
    /// Nobody answered the question.
    #[error(
        "The user was asked and did not answer, so that nothing was done. Ask the user before you \
         try again."
    )]
    Unanswered,
    /// The client cancelled the call while the user was asked.
    #[error("The client cancelled the call before the user answered, so that nothing was done.")]
    CallCancelled,
    /// The user can't be asked now.
    #[error(
        "Too many calls wait for users to confirm them, so that nothing was done. Try again once \
         the user has answered the open questions."
    )]
    TooManyQuestions,
    /// Nobody can be asked.
    #[error(
        "This call needs the user's confirmation (MCP_CONFIRM=required), and this client can't ask \
         for it: it does not declare elicitation. Nothing was done. Tell the user to do it in \
         Lenses, or to use a client that can ask."
    )]
    CannotAsk,
    /// The question has no way to the client.
    #[error(
        "This call needs the user's confirmation (MCP_CONFIRM), and this request can't carry the \
         question: its Accept header must include text/event-stream. Nothing was done. Tell the \
         user to do it in Lenses, or to use a client that takes event streams."
    )]
    CannotSendQuestion,
    /// The user is asked first: the members of an input-required result.
    #[error("the user is asked first")]
    Asking(Value),
    /// The request is not one of MCP.
    #[error("{0}")]
    Protocol(RpcError),
}

impl Failed {
    /// The label under which the call is counted.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Refused { .. }
            | Self::CannotAsk
            | Self::CannotSendQuestion
            | Self::TooManyQuestions => Outcome::Denied,
            Self::Tool(error) => error.outcome(),
            Self::Declined => Outcome::Declined,
            Self::Cancelled | Self::CallCancelled | Self::Unanswered => Outcome::Cancelled,
            Self::Asking(_) => Outcome::Asked,
            Self::Protocol(_) => Outcome::Error,
        }
    }

    /// Who decided that the call fails, if somebody did.
    fn decision(&self) -> Option<Recorded> {
        let (decided_by, reason) = match self {
            Self::Refused { decision, .. } => return Some(*decision),
            Self::CannotAsk | Self::CannotSendQuestion => (DecidedBy::Policy, "MCP_CONFIRM"),
            Self::TooManyQuestions => (DecidedBy::Limit, "too_many_questions"),
            Self::Declined => (DecidedBy::User, "decline"),
            Self::Cancelled => (DecidedBy::User, "cancel"),
            Self::CallCancelled => (DecidedBy::User, "call_cancelled"),
            Self::Unanswered => (DecidedBy::User, "no_answer"),
            Self::Tool(ToolError::Lenses { error, .. }) => return refused_by_hq(error),
            Self::Tool(_) | Self::Asking(_) | Self::Protocol(_) => return None,
        };
        Some(Recorded::denied(decided_by, reason))
    }
}

impl Server {
    /// Answers `tools/call`.
    pub(super) async fn call_tool(&self, params: CallToolParams, context: &Context) -> Answered {
        let CallToolParams { name, arguments, input_responses, request_state, .. } = params;
        let Some(tool) = tools::registry().find(&name) else {
            Audit::of_unknown_tool(self, context).outcome = Outcome::Error;
            return Err(RpcError::invalid_params(format!("unknown tool: {}", shown(&name))));
        };
        let mut audit = Audit::of_tool(tool, &arguments, self, context);
        let answers = Answers { state: request_state, responses: input_responses };
        let called = self.call(tool, arguments, answers, context, &mut audit).await;
        match called {
            Ok(result) => Ok(Answer::tool(result)),
            Err(Failed::Asking(question)) => Ok(Answer::object(&question)?.input_required()),
            Err(Failed::Protocol(error)) => Err(error),
            Err(failed) => Ok(Answer::tool(ToolResult::error(failed.to_string()))),
        }
    }

    /// Calls `tool` for the caller of `context`. Dropping the future closes its connection to HQ,
    /// which stops a query there.
    pub(super) async fn call(
        &self,
        tool: &Tool,
        arguments: Map<String, Value>,
        answers: Answers,
        context: &Context,
        audit: &mut Audit<'_>,
    ) -> Result<ToolResult, Failed> {
        let called = self.checked_call(tool, arguments, answers, context, audit).await;
        audit.outcome = called.as_ref().map_or_else(Failed::outcome, |_| Outcome::Success);
        if let Some(decision) = called.as_ref().err().and_then(Failed::decision) {
            audit.decision = decision;
        }
        called
    }

    async fn checked_call(
        &self,
        tool: &Tool,
        arguments: Map<String, Value>,
        answers: Answers,
        context: &Context,
        audit: &mut Audit<'_>,
    ) -> Result<ToolResult, Failed> {
        let identity = &context.identity;
        self.check(tool, &arguments, identity)?;
        let (progress, updates) = Progress::new();
        let call = Call {
            lenses: self.lenses.as_caller(identity, context.held.clone(), context.origin()),
            identity: identity.clone(),
            policy: self.policy.clone(),
            diagnostics: self.diagnostics.clone(),
            limits: self.limits,
            progress,
        };
        let lenses = call.lenses.clone();
        let question = self.confirmation.question(
            tool,
            &arguments,
            identity,
            self.policy.confirm(tool, &arguments),
        );
        let changes = tool.changes(&arguments);
        let prepared = tool.prepare(call, arguments).map_err(|error| Failed::Tool(error.into()))?;
        if let Some(question) = question {
            self.confirm(&question, &answers, context, audit).await?;
        }
        if changes {
            audit.changing();
        }
        let reporting = progress::forward(updates, context);
        let (ended, ()) = tokio::join!(prepared, reporting);
        // A tool that diagnoses has a result all the same.
        let is_refused = lenses.is_refused()
            || matches!(
                &ended,
                Err(ToolError::Lenses { error: lenses::Error::Unauthorized(_), .. })
            );
        if is_refused {
            (self.on_unauthorized)(identity);
        }
        ended.map_err(Failed::Tool)
    }

    /// Returns if the call that `question` is about may run.
    async fn confirm(
        &self,
        question: &Question,
        answers: &Answers,
        context: &Context,
        audit: &mut Audit<'_>,
    ) -> Result<(), Failed> {
        // A new session must not be what lets a call run unasked.
        if !context.has_forms.clone().map_err(Failed::Protocol)? {
            // The tool is marked destructive: unless the operator says otherwise, asking is then
            // the client's part.
            return if question.is_required { Err(Failed::CannotAsk) } else { Ok(()) };
        }
        if context.asks_in_call() && !context.takes_events {
            return Err(Failed::CannotSendQuestion);
        }
        audit.asking();
        let decision = if context.asks_in_call() {
            let params = question.params();
            let asked = context.client.ask("elicitation/create", params, ANSWER_WITHIN).await;
            let answer = asked.map_err(|none| match none {
                NoAnswer::TooMany => Failed::TooManyQuestions,
                NoAnswer::CallCancelled => Failed::CallCancelled,
                NoAnswer::Refused | NoAnswer::TimedOut => Failed::Unanswered,
            })?;
            Question::answered(answer.get())
        } else {
            self.confirmation.decide(question, answers).map_err(Failed::Protocol)?
        };
        match decision {
            Decision::Run => {
                audit.confirmed();
                Ok(())
            }
            Decision::Ask(result) => Err(Failed::Asking(result)),
            Decision::Declined => Err(Failed::Declined),
            Decision::Cancelled => Err(Failed::Cancelled),
        }
    }

    /// Refuses a call that `identity` may not make. Over HTTP with OAuth, sign-in has already asked
    /// for the scope; this holds wherever nobody has.
    fn check(
        &self,
        tool: &Tool,
        arguments: &Map<String, Value>,
        identity: &Identity,
    ) -> Result<(), Failed> {
        let name = tool.name();
        if let Some(denied) = self.policy.denied_call(tool, Some(arguments)) {
            let why = format!(
                "This call of {name} is not possible here: {denied}. Do not retry: whoever runs \
                 the server decides what it offers."
            );
            let decision = Recorded::denied(DecidedBy::Policy, denied.variable());
            return Err(Failed::Refused { why, decision });
        }
        let needed = tool.required_scopes(Some(arguments));
        let held = identity.scopes;
        if held.covers(needed) {
            return Ok(());
        }
        let why = format!(
            "This call of {name} needs the scopes `{needed}`, and the token holds `{held}`. Ask \
             the user to sign in again and allow the missing scope."
        );
        let decision = Recorded::denied(DecidedBy::Scope, "insufficient_scope");
        Err(Failed::Refused { why, decision })
    }
}
