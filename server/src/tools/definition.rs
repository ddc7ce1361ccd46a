//! What a tool is.

use std::{fmt, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rmcp::model::{Tool as Listing, ToolAnnotations};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{
    arguments::{self, ArgumentError, Flag},
    asked::{Checks, Offer},
    error::ToolError,
    output::Output,
    progress::Progress,
    result::ToolResult,
    schema, statement,
};
use crate::{
    identity::Identity,
    lenses,
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
    /// Sets what is there to another value, which is then lost; calling it again changes nothing more.
    Update,
    /// Sets something going, each time it is called: a restart, a message sent again.
    Trigger,
    /// Takes something away for good.
    Delete,
    /// Runs the statement in the argument `sql`: its class decides.
    Sql,
}

impl Effect {
    fn annotations(self) -> ToolAnnotations {
        let (read_only, destructive, idempotent) = match self {
            Self::SelfInfo | Self::Read => (true, false, true),
            Self::Create | Self::Trigger => (false, false, false),
            // MCP calls every update that is not only additive destructive. What is gone stays gone, and deleting it
            // again changes nothing.
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

    fn required_scopes(self, arguments: Option<&Map<String, Value>>) -> ScopeSet {
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
}

/// Limits of one call's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most rows of a query.
    pub sql_rows: usize,
    /// Longest time of a query.
    pub sql_time: Duration,
    /// Bytes after which a result is cut at a record. One record is always given whole.
    pub bytes: usize,
}

/// What a tool's function works with: Lenses as the caller sees it, the limits, and who is told how far it is.
#[derive(Debug, Clone)]
pub struct Call {
    /// Lenses HQ with the caller's credential.
    pub lenses: lenses::CallerClient,
    /// Who calls.
    pub identity: Identity,
    /// What this server offers.
    pub policy: Arc<dyn Offer>,
    /// Whether HQ is as this server needs it.
    pub diagnostics: Arc<dyn Checks>,
    /// Limits of the result.
    pub limits: Limits,
    /// Where to say how far the call is.
    pub progress: Progress,
}

/// A call whose arguments hold. It does nothing until it is awaited.
pub type Prepared = BoxFuture<'static, Result<ToolResult, ToolError>>;

type Prepare = dyn Fn(Call, Map<String, Value>) -> Result<Prepared, ArgumentError> + Send + Sync;

/// One tool.
pub struct Tool {
    name: &'static str,
    group: &'static str,
    environment_argument: &'static str,
    confirmed: bool,
    effect: Effect,
    listing: Listing,
    prepare: Arc<Prepare>,
    when_forbidden: Option<&'static str>,
}

impl Tool {
    /// The tool `name`: `function` with the arguments `A`. `title` and `description` are for people and models.
    pub(super) fn new<A, O, E, F, Fut>(
        name: &'static str,
        title: &'static str,
        description: &'static str,
        effect: Effect,
        function: F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema + Send + 'static,
        O: Output,
        E: Into<ToolError>,
        F: Fn(Call, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
    {
        let input = schema::of::<A>();
        let listing = Listing::new(name, description, Arc::clone(&input))
            .with_title(title)
            .with_annotations(effect.annotations())
            .with_raw_output_schema(Arc::new(O::schema()));
        let prepare = move |call: Call,
                            arguments: Map<String, Value>|
              -> Result<Prepared, ArgumentError> {
            let result = function(call, arguments::parse::<A>(&input, arguments)?);
            Ok(Box::pin(async move { result.await.map(Output::into_result).map_err(Into::into) }))
        };
        Self {
            name,
            group: "",
            environment_argument: "environment",
            confirmed: effect == Effect::Delete,
            effect,
            listing,
            prepare: Arc::new(prepare),
            when_forbidden: None,
        }
    }

    /// The same tool in `group`.
    pub(super) fn in_group(self, group: &'static str) -> Self {
        Self { group, ..self }
    }

    /// The same tool, with the environment named by another argument than `environment`.
    pub(super) fn with_environment_in(self, argument: &'static str) -> Self {
        Self { environment_argument: argument, ..self }
    }

    /// The same tool, of which the user is asked first though it deletes nothing.
    pub(super) fn confirmed(self) -> Self {
        Self { confirmed: true, ..self }
    }

    /// With `advice` for users whom Lenses does not allow the change, where there is another way to what they want.
    pub(super) fn with_advice_when_forbidden(self, advice: &'static str) -> Self {
        Self { when_forbidden: Some(advice), ..self }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The domain that it belongs to, as `MCP_TOOLS_ALLOW` names it.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.group
    }

    /// The environment that a call with `arguments` is for.
    #[must_use]
    pub fn environment<'a>(&self, arguments: Option<&'a Map<String, Value>>) -> Option<&'a str> {
        arguments?.get(self.environment_argument)?.as_str()
    }

    /// Whether its calls are for an environment.
    #[must_use]
    pub fn has_environment(&self) -> bool {
        self.has_argument(self.environment_argument)
    }

    /// Whether a call may name no environment though it could.
    #[must_use]
    pub fn works_without_environment(&self) -> bool {
        let required = self.listing.input_schema.get("required").and_then(Value::as_array);
        !required.is_some_and(|names| names.iter().any(|name| name == self.environment_argument))
    }

    /// Whether a call with `arguments` may change something in Lenses.
    #[must_use]
    pub fn changes(&self, arguments: &Map<String, Value>) -> bool {
        match self.effect {
            Effect::SelfInfo | Effect::Read => false,
            Effect::Sql => self.required_scopes(Some(arguments)) != Scope::Read.into(),
            Effect::Create | Effect::Update | Effect::Trigger | Effect::Delete => {
                !is_dry_run(arguments)
            }
        }
    }

    /// Whether the user is asked before a call with `arguments`: it takes something away that is not got back.
    #[must_use]
    pub fn is_confirmed(&self, arguments: &Map<String, Value>) -> bool {
        self.confirmed && !is_dry_run(arguments)
            || self.effect == Effect::Sql
                && self.required_scopes(Some(arguments)).contains(Scope::Delete)
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
            Effect::Sql => !scopes.is_empty(),
            effect => scopes.covers(effect.required_scopes(None)),
        }
    }

    /// Whether it has an argument called `name`.
    #[must_use]
    pub fn has_argument(&self, name: &str) -> bool {
        let properties = self.listing.input_schema.get("properties").and_then(Value::as_object);
        properties.is_some_and(|properties| properties.contains_key(name))
    }

    /// Reads a call's arguments, so that what is wrong with them is known before anything is asked or done.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`].
    pub fn prepare(
        &self,
        call: Call,
        arguments: Map<String, Value>,
    ) -> Result<Prepared, ArgumentError> {
        let (changes, when_forbidden) = (self.changes(&arguments), self.when_forbidden);
        let prepared = (self.prepare)(call, arguments)?;
        if !changes {
            return Ok(prepared);
        }
        Ok(Box::pin(async move {
            prepared.await.map_err(|failure| match (failure, when_forbidden) {
                (
                    ToolError::Lenses { error: error @ lenses::Error::Forbidden(_), .. },
                    Some(advice),
                ) => ToolError::Lenses { error, advice: advice.into() },
                (failure, _) => failure.after_change(),
            })
        }))
    }
}

/// Whether a call only tells what it would change. Read as the tool itself reads it: anything else could pass for a dry run
/// here and be none there.
fn is_dry_run(arguments: &Map<String, Value>) -> bool {
    let dry_run = arguments.get("dry_run").map(Flag::deserialize);
    dry_run.is_some_and(|dry_run| dry_run.is_ok_and(|dry_run| dry_run.0))
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool")
            .field("name", &self.name)
            .field("effect", &self.effect)
            .finish_non_exhaustive()
    }
}
