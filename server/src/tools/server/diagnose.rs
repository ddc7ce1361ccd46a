//! Which link between the caller and Kafka fails, and what to change.
//!
//! The checks of `diagnostics` are told without their messages: those hold addresses inside the
//! operator's network, which are no caller's business. What to change is the same for all and
//! stays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    identity::SignInMode,
    lenses::{Error, Intent, RawObject},
    report::{CheckResult, LensesVersion},
    tools::{
        ToolError,
        arguments::KnownEnvironmentName,
        call::Call,
        definition::{Effect, Tool},
        output::Typed,
    },
};

pub(super) fn tool() -> Tool {
    Tool::new(
        "diagnose",
        "Diagnose",
        "Finds which link to Lenses fails and what to change: the connection to HQ, HQ's \
         sign-in settings, the user's credential and, if named, an environment's agent. Use it \
         if calls fail as unreachable, timed out or not accepted.",
        Effect::Read,
        diagnose,
    )
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Diagnose {
    /// Check its agent too.
    #[serde(default)]
    environment: Option<KnownEnvironmentName>,
}

/// What was found.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Diagnosis {
    /// Whether no check failed.
    healthy: bool,
    /// The version of Lenses HQ; null if HQ does not tell it.
    lenses_version: Option<LensesVersion>,
    /// Each check, in the order in which a call passes them. The first that failed is the one to
    /// mend.
    checks: Vec<Finding>,
}

#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Finding {
    /// What was checked.
    check: &'static str,
    /// How it ended.
    result: CheckResult,
    /// Why, in one word.
    reason: &'static str,
    /// What Lenses said to the user's own request; null where there is nothing to tell.
    message: Option<String>,
    /// What to change; null where nothing is to be changed.
    remedy: Option<String>,
}

async fn diagnose(
    call: Call,
    Diagnose { environment }: Diagnose,
) -> Result<Typed<Diagnosis>, ToolError> {
    let (report, caller, agent) =
        tokio::join!(call.diagnostics.report(), call.lenses.environments(), async {
            match &environment {
                Some(name) => Some(call.lenses.environment(name).await),
                None => None,
            }
        });
    let caller = caller.map(drop);
    let sign_in = call.identity.sign_in;
    let mut checks: Vec<Finding> = report
        .checks
        .iter()
        .map(|check| Finding {
            check: check.check,
            result: check.result,
            reason: check.reason,
            message: None,
            remedy: check.remedy.map(str::to_owned),
        })
        .collect();
    checks.push(of_caller(caller, sign_in));
    checks.extend(agent.map(|found| of_agent(&found, sign_in)));
    let healthy = checks.iter().all(|check| check.result != CheckResult::Failed);
    let lenses_version = report.lenses_version.clone();
    Ok(Typed(Diagnosis { healthy, lenses_version, checks }))
}

/// Whether HQ answers the caller.
fn of_caller(answered: Result<(), Error>, sign_in: SignInMode) -> Finding {
    match answered {
        Ok(()) => Finding {
            check: "caller",
            result: CheckResult::Ok,
            reason: "Answered",
            message: None,
            remedy: None,
        },
        Err(error) => failed("caller", &error, sign_in),
    }
}

/// Whether the environment can be used.
fn of_agent(found: &Result<RawObject, Error>, sign_in: SignInMode) -> Finding {
    let check = "agent";
    let is_connected = |environment: &RawObject| {
        environment.member::<Value>("status")?.get("agent_connected")?.as_bool()
    };
    match found.as_ref().map(is_connected) {
        Ok(Some(true)) => Finding {
            check,
            result: CheckResult::Ok,
            reason: "AgentConnected",
            message: None,
            remedy: None,
        },
        Ok(Some(false)) => Finding {
            check,
            result: CheckResult::Failed,
            reason: "AgentNotConnected",
            message: None,
            remedy: Some(
                "start the environment's agent, and make sure that it reaches Lenses HQ".to_owned(),
            ),
        },
        Ok(None) => Finding {
            check,
            result: CheckResult::Warning,
            reason: "AgentUnknown",
            message: None,
            remedy: None,
        },
        Err(error) => failed(check, error, sign_in),
    }
}

fn failed(check: &'static str, error: &Error, sign_in: SignInMode) -> Finding {
    let reason = match error {
        Error::Unauthorized(_) | Error::Credential => "CredentialRefused",
        Error::Forbidden(_) => "Forbidden",
        Error::NotFound(_) => "NotFound",
        Error::Agent(_) => "AgentNotConnected",
        Error::AgentFailed(_) => "AgentFailed",
        Error::AgentTooOld(_) => "AgentTooOld",
        Error::Licence(_) => "Licence",
        Error::TooManyRequests(_) => "TooManyRequests",
        Error::Unreachable { .. } | Error::Interrupted { .. } => "Unreachable",
        Error::TimedOut { .. } => "TimedOut",
        Error::Failed { .. } => "ServerError",
        _ => "Unreadable",
    };
    let (message, remedy) = (Some(error.to_string()), Some(error.advice(sign_in, Intent::Read)));
    Finding { check, result: CheckResult::Failed, reason, message, remedy }
}
