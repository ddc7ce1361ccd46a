//! What tools do to Lenses, from which scopes and annotations follow.

use rmcp::model::ToolAnnotations;
use serde_json::{Map, Value};

use super::statement;
use crate::{
    lenses::Intent,
    scope::{Scope, ScopeSet},
};

/// What a tool does to Lenses. Scope and annotations follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Tells what this server knows without asking Lenses, whatever the scopes.
    SelfInfo,
    /// Looks.
    Read,
    /// Creates something; calling it again fails or creates another.
    Create,
    /// Sets what is there to another value, and the old one is lost; calling it again changes
    /// nothing more.
    Update,
    /// Sets something going, each time it is called: a restart, a message sent again.
    Trigger,
    /// Takes something away for good.
    Delete,
    /// Runs the statement in the argument `sql`: its class decides.
    Sql,
}

impl Effect {
    pub(super) fn annotations(self) -> ToolAnnotations {
        let (read_only, destructive, idempotent) = match self {
            Self::SelfInfo | Self::Read => (true, false, true),
            Self::Create | Self::Trigger => (false, false, false),
            // MCP calls every update that is not only additive destructive. What is gone stays
            // gone, and deleting it again changes nothing.
            Self::Update | Self::Delete => (false, true, true),
            Self::Sql => (false, true, false),
        };
        ToolAnnotations::new()
            .read_only(read_only)
            .destructive(destructive)
            .idempotent(idempotent)
            // Everything is in Lenses; but records hold what anyone may have written into them.
            .open_world(self == Self::Sql)
    }

    pub(super) fn required_scopes(self, arguments: Option<&Map<String, Value>>) -> ScopeSet {
        match self {
            Self::SelfInfo => ScopeSet::NONE,
            Self::Read => Scope::Read.into(),
            Self::Create | Self::Update | Self::Trigger => Scope::Write.into(),
            Self::Delete => Scope::Delete.into(),
            // Without a statement there is nothing to allow: the call will fail on its arguments.
            Self::Sql => arguments
                .and_then(|arguments| arguments.get("sql"))
                .and_then(Value::as_str)
                .map_or(Scope::Read.into(), statement::required_scopes),
        }
    }

    /// What a call with `arguments`, which is no dry run, is to do. It does not follow from the
    /// scopes: a setting of a topic may need `delete`, and is an update all the same.
    pub(super) fn intent(self, arguments: &Map<String, Value>) -> Intent {
        match self {
            Self::SelfInfo | Self::Read => Intent::Read,
            Self::Create => Intent::Create,
            Self::Update => Intent::Update,
            Self::Trigger => Intent::Trigger,
            Self::Sql if self.required_scopes(Some(arguments)).contains(Scope::Write) => {
                Intent::Update
            }
            Self::Delete | Self::Sql => Intent::Delete,
        }
    }
}
