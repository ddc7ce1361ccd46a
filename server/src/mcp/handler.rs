//! What the server answers to each MCP method.

use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, DiscoverResult,
        InputRequiredResult, ListToolsResult, PaginatedRequestParams, ServerConfig, Tool as Listing,
    },
    service::RequestContext,
};
use serde_json::{Map, Value};
use tracing::Instrument;

use super::{
    Server,
    audit::Audit,
    confirmation::{Answers, Decision},
    gaps, progress,
};
use crate::{
    identity::Identity,
    lenses,
    metrics::Outcome,
    tools::{self, Call, Progress, Tool, ToolError},
    traces,
};

/// How long a client may keep the answer to `server/discover`, in ms. It changes only with the server's version.
const DISCOVER_TTL_MS: u64 = 300_000;
/// How long a client may keep a list of tools, in ms. Not at all: a user who has just allowed another scope expects to
/// see its tools, and nothing tells a client that they are there.
const LIST_TTL_MS: u64 = 0;

const DECLINED: &str =
    "The user was asked and said no, so that nothing was done. Do not try again unless the user asks for it.";

/// Why a call gives no result.
enum Failed {
    /// The model is told why.
    Told(String, Outcome),
    /// The user is asked first.
    Asking(Box<InputRequiredResult>),
    /// The request is not one of MCP.
    Protocol(ErrorData),
}

impl Failed {
    fn of(error: &ToolError) -> Self {
        Self::Told(error.to_string(), error.outcome())
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.shared.config.clone()
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        Ok(DiscoverResult::from_server_info(self.supported_protocol_versions().into_owned(), self.get_info())
            .with_ttl_ms(DISCOVER_TTL_MS)
            .with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let _span = traces::Request::ListTools.span(&context);
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("unknown cursor: the list of tools has one page", None));
        }
        let offer = &self.shared.offer;
        let scopes = self.caller(&context)?.scopes.intersection(offer.scopes());
        let is_listed = |tool: &&Tool| tool.is_visible(scopes) && offer.withheld(tool).is_none();
        let tools = tools::registry().iter().filter(is_listed).map(|tool| tool.listing().clone());
        let mut result = ListToolsResult::with_all_items(tools.collect());
        if gaps::has_result_metadata(&context) {
            result.ttl_ms = Some(LIST_TTL_MS);
            // What is listed depends on the token.
            result.cache_scope = Some(CacheScope::Private);
            gaps::stamp(&mut result.meta, &self.shared.config.server_info);
        }
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let identity = self.caller(&context)?.clone();
        let Some(tool) = tools::registry().find(&request.name) else {
            // A name of any length must not come back whole.
            let name: String = request.name.chars().take(128).collect();
            return Err(ErrorData::invalid_params(format!("unknown tool: {name}"), None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let span = traces::Request::CallTool(tool.name()).span(&context);
        let mut audit = Audit::new(tool, &arguments, &identity, &self.shared.metrics, span.clone());
        let answers = Answers { state: request.request_state, responses: request.input_responses };
        let (mut result, outcome) =
            match self.call(tool, arguments, &identity, answers, &context).instrument(span).await {
                Ok(result) => (result, Outcome::Success),
                Err(Failed::Told(message, outcome)) => {
                    (CallToolResult::error(vec![ContentBlock::text(message)]), outcome)
                }
                Err(Failed::Asking(mut question)) => {
                    audit.outcome = Outcome::Asked;
                    gaps::stamp(&mut question.meta, &self.shared.config.server_info);
                    return Ok((*question).into());
                }
                Err(Failed::Protocol(error)) => {
                    audit.outcome = Outcome::Error;
                    return Err(error);
                }
            };
        audit.outcome = outcome;
        if gaps::has_result_metadata(&context) {
            gaps::stamp(&mut result.meta, &self.shared.config.server_info);
        }
        Ok(result.into())
    }

    fn get_tool(&self, name: &str) -> Option<Listing> {
        tools::registry().find(name).map(|tool| tool.listing().clone())
    }
}

impl Server {
    /// Calls `tool` for `identity`: offered, allowed, arguments that hold, the user asked; then Lenses.
    async fn call(
        &self,
        tool: &Tool,
        arguments: Map<String, Value>,
        identity: &Identity,
        answers: Answers,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, Failed> {
        self.refusal(tool, &arguments, identity)
            .map_or(Ok(()), |refusal| Err(Failed::Told(refusal, Outcome::Denied)))?;
        let (progress, reports) = Progress::new();
        let call = Call {
            lenses: self.shared.lenses.as_caller(identity),
            offer: self.shared.offer.clone(),
            limits: self.shared.limits,
            progress,
        };
        let question = self.shared.confirmation.question(tool, &arguments, identity, context);
        let prepared = tool.prepare(call, arguments).map_err(|error| Failed::of(&error.into()))?;
        if let Some(question) = question {
            match self.shared.confirmation.decide(&question, &answers).map_err(Failed::Protocol)? {
                Decision::Run => {}
                Decision::Ask(result) => return Err(Failed::Asking(result)),
                Decision::Declined => return Err(Failed::Told(DECLINED.to_owned(), Outcome::Declined)),
            }
        }
        let reporting = progress::forward(reports, context.meta.get_progress_token(), context.peer.clone());
        let ended = tokio::select! {
            (ended, ()) = async { tokio::join!(prepared, reporting) } => ended,
            // Dropping the call closes its connection to HQ, which stops a query there.
            () = context.ct.cancelled() => {
                return Err(Failed::Told("The call was cancelled.".to_owned(), Outcome::Cancelled));
            }
        };
        ended.map_err(|failure| {
            if let ToolError::Lenses { error: lenses::Error::Unauthorized(_), .. } = failure {
                (self.shared.on_unauthorized)(identity);
            }
            Failed::of(&failure)
        })
    }

    /// Who calls. Without an answer nothing is done.
    fn caller<'a>(&'a self, context: &'a RequestContext<RoleServer>) -> Result<&'a Identity, ErrorData> {
        context
            .extensions
            .get::<Parts>()
            .and_then(|parts| parts.extensions.get::<Identity>())
            .or(self.resident.as_ref())
            .ok_or_else(|| ErrorData::internal_error("the request was not signed in", None))
    }

    /// Why `identity` may not make this call, in words for the model. Over HTTP with OAuth, sign-in has already asked
    /// for the scope; this holds wherever nobody has.
    fn refusal(&self, tool: &Tool, arguments: &Map<String, Value>, identity: &Identity) -> Option<String> {
        let name = tool.name();
        if let Some(withheld) = self.shared.offer.withheld_call(tool, Some(arguments)) {
            return Some(format!(
                "This call of {name} is not possible here: {withheld}. Do not retry: whoever runs the server decides \
                 what it offers."
            ));
        }
        let needed = tool.required_scopes(Some(arguments));
        if !identity.scopes.covers(needed) {
            let held = identity.scopes;
            return Some(format!(
                "This call of {name} needs the scopes `{needed}`, and the token holds `{held}`. Ask the user to sign \
                 in again and allow the missing scope."
            ));
        }
        None
    }
}
