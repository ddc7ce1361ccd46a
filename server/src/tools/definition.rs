//! What a tool is.

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rmcp::model::{CallToolResult, Tool as Listing, ToolAnnotations};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    arguments::{self, ArgumentError},
    output::Output,
    schema,
    sql::statement,
};
use crate::{
    lenses,
    metrics::Outcome,
    scope::{Scope, ScopeSet},
};

/// What a tool does to Lenses. Scope and annotations follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Looks.
    Reads,
    /// Creates something; calling it again fails or creates another.
    Creates,
    /// Takes something away for good.
    Deletes,
    /// Runs the statement in the argument `sql`: its class decides.
    RunsSql,
}

impl Effect {
    fn annotations(self) -> ToolAnnotations {
        let (read_only, destructive, idempotent) = match self {
            Self::Reads => (true, false, true),
            Self::Creates => (false, false, false),
            // What is gone stays gone, and deleting it again changes nothing.
            Self::Deletes => (false, true, true),
            Self::RunsSql => (false, true, false),
        };
        ToolAnnotations::new()
            .read_only(read_only)
            .destructive(destructive)
            .idempotent(idempotent)
            // Everything is in Lenses; but records hold what anyone may have written into them.
            .open_world(self == Self::RunsSql)
    }

    fn required_scopes(self, arguments: Option<&Map<String, Value>>) -> ScopeSet {
        match self {
            Self::Reads => Scope::Read.into(),
            Self::Creates => Scope::Write.into(),
            Self::Deletes => Scope::Delete.into(),
            // Without a statement there is nothing to allow: the call will fail on its arguments.
            Self::RunsSql => arguments
                .and_then(|arguments| arguments.get("sql"))
                .and_then(Value::as_str)
                .map_or(Scope::Read.into(), statement::required_scopes),
        }
    }
}

/// Limits of one call's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most rows of a query.
    pub sql_rows: usize,
    /// Longest time of a query.
    pub sql_time: Duration,
    /// Most bytes of a result.
    pub bytes: usize,
}

/// What a tool's function works with: Lenses as the caller sees it, and the limits.
#[derive(Debug, Clone)]
pub struct Call {
    /// Lenses HQ with the caller's credential.
    pub lenses: lenses::Session,
    /// Limits of the result.
    pub limits: Limits,
}

/// Why a call failed, in words for the model: what happened and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The arguments are wrong; nothing was sent to Lenses.
    #[error("{0}. Nothing was sent to Lenses: correct the call and try again.")]
    Arguments(#[from] ArgumentError),
    /// Lenses did not do it.
    #[error("{error}. {}", error.advice())]
    Lenses {
        /// What the client of Lenses says.
        #[from]
        error: lenses::Error,
    },
}

impl ToolError {
    /// The label under which the call is counted.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Lenses { error } => match error {
                lenses::Error::Unauthorized(_) | lenses::Error::Forbidden(_) => Outcome::Denied,
                lenses::Error::TimedOut { .. } => Outcome::TimedOut,
                lenses::Error::Unreachable { .. }
                | lenses::Error::Interrupted { .. }
                | lenses::Error::Failed { .. }
                | lenses::Error::Unreadable { .. } => Outcome::Unavailable,
                _ => Outcome::Error,
            },
            Self::Arguments(_) => Outcome::Error,
        }
    }
}

type Run = dyn Fn(Call, Map<String, Value>) -> BoxFuture<'static, Result<CallToolResult, ToolError>> + Send + Sync;

/// One tool.
pub struct Tool {
    name: &'static str,
    effect: Effect,
    listing: Listing,
    run: Arc<Run>,
}

impl Tool {
    /// The tool `name`: `function` with the arguments `A`. `title` and `description` are for people and models.
    pub(super) fn new<A, O, F, Fut>(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        effect: Effect,
        function: F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        O: Output,
        F: Fn(Call, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, lenses::Error>> + Send + 'static,
    {
        let input = schema::of::<A>();
        let listing = Listing::new(name, description, Arc::clone(&input))
            .with_title(title)
            .with_annotations(effect.annotations())
            .with_raw_output_schema(Arc::new(O::schema()));
        let run = move |call: Call, arguments: Map<String, Value>| -> BoxFuture<'static, _> {
            match arguments::parse::<A>(&input, arguments) {
                Ok(arguments) => {
                    let result = function(call, arguments);
                    Box::pin(async move { Ok(result.await?.into_result()) })
                }
                Err(error) => Box::pin(std::future::ready(Err(error.into()))),
            }
        };
        Self { name, effect, listing, run: Arc::new(run) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How it is listed.
    #[must_use]
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// The scopes that a call with `arguments` needs.
    #[must_use]
    pub fn required_scopes(&self, arguments: Option<&Map<String, Value>>) -> ScopeSet {
        self.effect.required_scopes(arguments)
    }

    /// Whether some call of it is allowed with `scopes`.
    #[must_use]
    pub fn is_visible(&self, scopes: ScopeSet) -> bool {
        match self.effect {
            // Each class of statement has a scope of its own.
            Effect::RunsSql => !scopes.is_empty(),
            effect => scopes.covers(effect.required_scopes(None)),
        }
    }

    /// Whether it has an argument called `name`.
    #[must_use]
    pub fn has_argument(&self, name: &str) -> bool {
        let properties = self.listing.input_schema.get("properties").and_then(Value::as_object);
        properties.is_some_and(|properties| properties.contains_key(name))
    }

    /// Calls it.
    ///
    /// # Errors
    ///
    /// [`ToolError`].
    pub async fn run(&self, call: Call, arguments: Map<String, Value>) -> Result<CallToolResult, ToolError> {
        (self.run)(call, arguments).await
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool").field("name", &self.name).field("effect", &self.effect).finish_non_exhaustive()
    }
}
