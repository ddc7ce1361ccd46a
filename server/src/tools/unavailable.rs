//! Why a tool or a call is not available.

use std::fmt;

use crate::scope::ScopeSet;

/// What keeps a tool or a call away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// It needs a scope that is not offered.
    Scope,
    /// It does not only read.
    ReadOnly,
    /// It is not on the list of what is allowed.
    AllowList,
    /// It is on the list of what is denied.
    DenyList,
    /// It is for an environment that is not offered.
    Environment,
    /// The rule for its environment offers only these scopes.
    ScopeByRule(ScopeSet),
    /// The rule for its environment does not offer the tool.
    ToolByRule,
    /// No rule offers the tool in any environment.
    EverywhereByRule,
}

impl Denied {
    /// The variable that decides it.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Scope => "MCP_SCOPES",
            Self::ReadOnly => "MCP_READ_ONLY",
            Self::AllowList => "MCP_TOOLS_ALLOW",
            Self::DenyList => "MCP_TOOLS_DENY",
            Self::Environment => "MCP_ENVIRONMENTS",
            Self::ScopeByRule(_) | Self::ToolByRule | Self::EverywhereByRule => {
                "MCP_ENVIRONMENT_RULES"
            }
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scope => "it needs a scope that this server does not offer",
            Self::ReadOnly => "this server only reads",
            Self::AllowList => "it is not among the tools that this server offers",
            Self::DenyList => "this server does not offer it",
            Self::Environment => "this server does not offer that environment",
            Self::ScopeByRule(scopes) if scopes.is_empty() => {
                "this server does nothing in that environment"
            }
            Self::ScopeByRule(scopes) => {
                return write!(
                    f,
                    "in that environment this server offers only the scopes `{scopes}` ({})",
                    self.variable()
                );
            }
            Self::ToolByRule => "this server does not offer it in that environment",
            Self::EverywhereByRule => "this server does not offer it in any environment",
        })?;
        write!(f, " ({})", self.variable())
    }
}

/// What keeps a caller from a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// Nobody can call it here.
    Denied(Denied),
    /// The caller's token lacks these scopes.
    Scopes(ScopeSet),
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => denied.fmt(f),
            Self::Scopes(scopes) => {
                write!(
                    f,
                    "the token lacks the scope `{scopes}`, which the user can allow by signing in \
                     again"
                )
            }
        }
    }
}
