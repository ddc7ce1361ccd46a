//! Who calls, what the token allows, and which tools are hidden.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    lenses::Name,
    report::LensesVersion,
    scope::ScopeSet,
    tools::{
        ArgumentError, ToolError, Unavailable,
        call::Call,
        definition::{Effect, Tool},
        output::Typed,
        registry,
    },
};

pub(super) fn tool() -> Tool {
    Tool::new(
        "whoami",
        "Who am I",
        "Tells as whom the user is signed in, with which scopes, and which tools are hidden and \
         why. Use it if a tool is missing, or if the user asks what you may do. What Lenses \
         allows shows only in a call.",
        Effect::SelfInfo,
        whoami,
    )
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// Only whether this tool is hidden, and why.
    #[serde(default)]
    tool: Option<Name>,
    /// What is hidden in this environment.
    #[serde(default)]
    environment: Option<Name>,
}

/// What this server knows of the caller.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct WhoAmI {
    /// The user, as Lenses HQ names them; null where all callers share an API key.
    subject: Option<String>,
    /// The application that the user signed in with.
    client_id: Option<String>,
    /// The scopes that count here: those that the token holds and this server offers.
    scopes: Vec<String>,
    /// The scopes that this server offers; the missing ones can be allowed by signing in again.
    offered_scopes: Vec<String>,
    /// The environments that this server is limited to; null where it is not.
    environments: Option<Vec<String>>,
    /// The version of Lenses HQ; null if HQ does not tell it.
    lenses_version: Option<LensesVersion>,
    /// The tools that are not listed or not possible in the environment, and why.
    hidden_tools: Vec<Hidden>,
}

#[derive(Debug, PartialEq, Serialize, JsonSchema)]
struct Hidden {
    /// The tool.
    tool: &'static str,
    /// In one word.
    reason: Reason,
    /// What would have to change.
    remedy: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Reason {
    /// The token lacks a scope, which the user can allow.
    MissingScope,
    /// Whoever runs the server does not offer it.
    NotOffered,
}

async fn whoami(
    call: Call,
    Asked { tool, environment }: Asked,
) -> Result<Typed<WhoAmI>, ToolError> {
    let lenses_version = call.diagnostics.lenses_version().await;
    let mut told = WhoAmI::of(&call, environment.as_ref(), lenses_version);
    if let Some(tool) = tool {
        if registry().find(tool.as_str()).is_none() {
            return Err(ArgumentError::value("tool", "there is no such tool").into());
        }
        told.hidden_tools.retain(|hidden| hidden.tool == tool.as_str());
    }
    Ok(Typed(told))
}

impl WhoAmI {
    fn of(call: &Call, environment: Option<&Name>, lenses_version: Option<LensesVersion>) -> Self {
        let Call { identity, policy, .. } = call;
        let scopes = identity.scopes.intersection(policy.scopes());
        let hidden_tools = registry().iter().filter_map(|tool| {
            let unavailable = match environment {
                None => policy.unavailable(tool.name(), identity.scopes),
                Some(name) => policy.unavailable_in(name.as_str(), tool.name(), identity.scopes),
            };
            let (reason, remedy) = match unavailable? {
                Unavailable::Scopes(needed) => {
                    (Reason::MissingScope, format!("sign in again and allow the scope `{needed}`"))
                }
                Unavailable::Denied(denied) => {
                    (Reason::NotOffered, format!("{denied}: whoever runs the server decides this"))
                }
            };
            Some(Hidden { tool: tool.name(), reason, remedy })
        });
        Self {
            subject: identity.subject.as_deref().map(str::to_owned),
            client_id: identity.client_id.as_deref().map(str::to_owned),
            scopes: names(scopes),
            offered_scopes: names(policy.scopes()),
            environments: policy
                .environments()
                .map(|names| names.iter().map(ToString::to_string).collect()),
            lenses_version,
            hidden_tools: hidden_tools.collect(),
        }
    }
}

fn names(scopes: ScopeSet) -> Vec<String> {
    scopes.iter().map(|scope| scope.to_string()).collect()
}
