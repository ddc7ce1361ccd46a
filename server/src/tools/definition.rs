//! What a tool is.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;
use rmcp::model::Tool as Listing;
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

pub(super) use super::effect::Effect;
use super::{
    arguments::{self, ArgumentError, Flag},
    call::Call,
    error::ToolError,
    output::Output,
    result::ToolResult,
    schema,
};
use crate::{
    lenses::Intent,
    scope::{Scope, ScopeSet},
};

/// A call whose arguments hold. It does nothing until it is awaited.
pub type Prepared = BoxFuture<'static, Result<ToolResult, ToolError>>;

type Prepare = dyn Fn(Call, Map<String, Value>) -> Result<Prepared, ArgumentError> + Send + Sync;

/// The scopes that some arguments need beyond those of the tool.
#[derive(Clone, Copy)]
struct ScopesByArguments {
    words: &'static str,
    scopes: fn(&Map<String, Value>) -> ScopeSet,
}

/// One tool.
pub struct Tool {
    name: &'static str,
    group: &'static str,
    environment_argument: &'static str,
    confirmed: bool,
    effect: Effect,
    by_arguments: Option<ScopesByArguments>,
    accepted: Arc<Map<String, Value>>,
    listing: Listing,
    prepare: Arc<Prepare>,
    when_forbidden: Option<&'static str>,
}

impl Tool {
    /// The tool `name`: `function` with the arguments `A`. `title` and `description` are for people
    /// and models.
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
        let accepted = Arc::new(schema::accepted::<A>());
        let input = Arc::new(schema::published(&accepted));
        let listing = Listing::new(name, description, input)
            .with_title(title)
            .with_annotations(effect.annotations())
            .with_raw_output_schema(Arc::new(O::schema()));
        let schema = Arc::clone(&accepted);
        let prepare = move |call: Call,
                            arguments: Map<String, Value>|
              -> Result<Prepared, ArgumentError> {
            let result = function(call, arguments::parse::<A>(&schema, arguments)?);
            Ok(Box::pin(async move { result.await.map(Output::into_result).map_err(Into::into) }))
        };
        Self {
            name,
            group: "",
            environment_argument: "environment",
            confirmed: false,
            effect,
            by_arguments: None,
            accepted,
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

    /// The same tool, of which some calls need more scopes: those that `scopes` tells of their
    /// arguments. `words` say which, after the tool's own scope and "and".
    pub(super) fn with_scopes_by_arguments(
        mut self,
        words: &'static str,
        scopes: fn(&Map<String, Value>) -> ScopeSet,
    ) -> Self {
        self.by_arguments = Some(ScopesByArguments { words, scopes });
        // One of those scopes is `delete`.
        if let Some(annotations) = &mut self.listing.annotations {
            annotations.destructive_hint = Some(true);
        }
        self
    }

    /// With `advice` for users whom Lenses does not allow the change, where there is another way to
    /// what they want.
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

    /// Whether the user is asked before a call with `arguments`: it takes something away that is
    /// not got back.
    #[must_use]
    pub fn is_confirmed(&self, arguments: &Map<String, Value>) -> bool {
        let deletes = || self.required_scopes(Some(arguments)).contains(Scope::Delete);
        !is_dry_run(arguments) && (self.confirmed || deletes())
    }

    /// How it is listed. The input schema is the part of [`Self::accepted`] that every vendor
    /// takes.
    #[must_use]
    pub fn listing(&self) -> &Listing {
        &self.listing
    }

    /// JSON Schema (2020-12) of the arguments that a call may have: closed, and with every bound.
    #[must_use]
    pub fn accepted(&self) -> &Map<String, Value> {
        &self.accepted
    }

    /// Makes plain arguments of those that a client program sent: without the client's own, without
    /// optional ones that are empty, and with JSON text read. Scopes, confirmation and audit look
    /// at what it leaves.
    pub fn read(&self, arguments: &mut Map<String, Value>) {
        arguments::read(&self.accepted, arguments);
    }

    /// The scopes that a call with `arguments` needs.
    #[must_use]
    pub fn required_scopes(&self, arguments: Option<&Map<String, Value>>) -> ScopeSet {
        let own = self.effect.required_scopes(arguments);
        match (self.by_arguments, arguments) {
            (Some(further), Some(arguments)) => own.union((further.scopes)(arguments)),
            _ => own,
        }
    }

    /// Which calls need more scopes than `required_scopes(None)` tells, in words.
    #[must_use]
    pub fn further_scopes(&self) -> Option<&'static str> {
        self.by_arguments.map(|further| further.words)
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
        let properties = self.accepted.get("properties").and_then(Value::as_object);
        properties.is_some_and(|properties| properties.contains_key(name))
    }

    /// Reads a call's arguments, so that what is wrong with them is known before anything is asked
    /// or done.
    ///
    /// # Errors
    ///
    /// [`ArgumentError`].
    pub fn prepare(
        &self,
        call: Call,
        arguments: Map<String, Value>,
    ) -> Result<Prepared, ArgumentError> {
        let (intent, when_forbidden) = (self.intent(&arguments), self.when_forbidden);
        let sign_in = call.identity.sign_in;
        let prepared = (self.prepare)(call, arguments)?;
        Ok(Box::pin(async move {
            prepared.await.map_err(|failure| failure.advised(sign_in, intent, when_forbidden))
        }))
    }

    /// What a call with `arguments` is to do.
    fn intent(&self, arguments: &Map<String, Value>) -> Intent {
        if self.changes(arguments) { self.effect.intent(arguments) } else { Intent::Read }
    }
}

/// Whether a call only tells what it would change. Read as the tool itself reads it: anything else
/// could pass for a dry run here and be none there.
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
