//! What the server offers: scopes, tools and environments.

use super::{
    SettingsError, parse,
    reader::{Invalid, Reader},
    variable as var,
};
use crate::{
    lenses::Name,
    policy::{Confirm, EnvironmentRules, Options, ToolPolicy, ToolSelector},
    tools,
};

pub(super) fn read(reader: &mut Reader<'_>) -> Result<ToolPolicy, Invalid> {
    let scopes = reader.value(&var::MCP_SCOPES, parse::scopes);
    let read_only = reader.value(&var::MCP_READ_ONLY, parse::flag);
    let allow = reader.optional(&var::MCP_TOOLS_ALLOW, tool_selectors);
    let deny = reader.optional(&var::MCP_TOOLS_DENY, tool_selectors);
    let environments = reader.optional(&var::MCP_ENVIRONMENTS, environments);
    let rules = reader.optional(&var::MCP_ENVIRONMENT_RULES, |text| {
        text.parse::<EnvironmentRules>().map_err(|error| error.to_string())
    });
    let policy = ToolPolicy::new(Options {
        scopes: scopes?,
        read_only: read_only?,
        allow: allow?.unwrap_or_default(),
        deny: deny?.unwrap_or_default(),
        environments: environments?.into_iter().flatten().collect(),
        rules: rules?.unwrap_or_default(),
    });
    if tools::registry().iter().all(|tool| policy.denied(tool).is_some()) {
        return Err(reader.fault(SettingsError::Conflict {
            variable: var::MCP_TOOLS_ALLOW.name.to_owned(),
            other: format!(
                "{}, {}, {}, {}",
                var::MCP_TOOLS_DENY.name,
                var::MCP_SCOPES.name,
                var::MCP_READ_ONLY.name,
                var::MCP_ENVIRONMENT_RULES.name
            ),
            remedy: "leave at least one tool: together they leave none",
        }));
    }
    Ok(policy)
}

fn tool_selectors(text: &str) -> Result<Vec<ToolSelector>, String> {
    let remedy = "write names of tools or group/*, as docs/tools.md lists them";
    parse::items(text, |error| ToString::to_string(&error), remedy)
}

fn environments(text: &str) -> Result<Vec<Name>, String> {
    let remedy = "write names of environments with commas between them";
    parse::items(text, |error| format!("a name {error}"), remedy)
}

pub(super) fn read_confirm(reader: &mut Reader<'_>) -> Result<Confirm, Invalid> {
    reader.value(&var::MCP_CONFIRM, parse::word(&Confirm::WORDS))
}
