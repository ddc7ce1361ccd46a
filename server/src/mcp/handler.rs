//! What the server answers to each MCP method.

use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, DiscoverResult,
        ListToolsResult, PaginatedRequestParams, ServerConfig, Tool as Listing,
    },
    service::RequestContext,
};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::{Server, audit::Audit, gaps};
use crate::{
    identity::Identity,
    lenses,
    metrics::Outcome,
    tools::{self, Call, Tool, ToolError},
};

/// How long a client may keep the answer to `server/discover`, in ms. It changes only with the server's version.
const DISCOVER_TTL_MS: u64 = 300_000;
/// How long a client may keep a list of tools, in ms. Not at all: a user who has just allowed another scope expects to
/// see its tools, and nothing tells a client that they are there.
const LIST_TTL_MS: u64 = 0;

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
        if request.is_some_and(|request| request.cursor.is_some()) {
            return Err(ErrorData::invalid_params("unknown cursor: the list of tools has one page", None));
        }
        let scopes = self.caller(&context)?.scopes.intersection(self.shared.offered);
        let tools = tools::registry().iter().filter(|tool| tool.is_visible(scopes)).map(|tool| tool.listing().clone());
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
        let mut audit = Audit::new(tool, &arguments, &identity, &self.shared.metrics);
        let (mut result, outcome) = match self.run(tool, arguments, &identity, &context.ct).await {
            Ok(result) => (result, Outcome::Success),
            Err((message, outcome)) => (CallToolResult::error(vec![ContentBlock::text(message)]), outcome),
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
    /// Runs `tool` for `identity`; else what the model is told, and the label.
    async fn run(
        &self,
        tool: &Tool,
        arguments: Map<String, Value>,
        identity: &Identity,
        cancelled: &CancellationToken,
    ) -> Result<CallToolResult, (String, Outcome)> {
        if let Some(refusal) = self.refusal(tool, &arguments, identity) {
            return Err((refusal, Outcome::Denied));
        }
        let call = Call { lenses: self.shared.lenses.as_caller(identity), limits: self.shared.limits };
        let ended = tokio::select! {
            ended = tool.run(call, arguments) => ended,
            // Dropping the call closes its connection to HQ, which stops a query there.
            () = cancelled.cancelled() => return Err(("The call was cancelled.".to_owned(), Outcome::Cancelled)),
        };
        ended.map_err(|failure| {
            if let ToolError::Lenses { error: lenses::Error::Unauthorized(_) } = failure {
                (self.shared.on_unauthorized)(identity);
            }
            (failure.to_string(), failure.outcome())
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
        let needed = tool.required_scopes(Some(arguments));
        let name = tool.name();
        if !self.shared.offered.covers(needed) {
            let offered = self.shared.offered;
            return Some(format!(
                "This call of {name} needs the scopes `{needed}`, and this server offers `{offered}`. Do not retry: \
                 whoever runs the server decides what it offers (MCP_SCOPES)."
            ));
        }
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
