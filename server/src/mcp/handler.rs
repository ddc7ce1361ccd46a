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

use super::{Server, audit::Audit, gaps};
use crate::{
    identity::Identity,
    lenses,
    metrics::Outcome,
    tools::{self, Call, Tool, ToolError},
};

/// How long a client may keep the answer to `server/discover`, in ms. It changes only with the server's version.
const DISCOVER_TTL_MS: u64 = 300_000;
/// How long a client may keep a list of tools, in ms. A new token may allow others.
const LIST_TTL_MS: u64 = 60_000;

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
            return Err(ErrorData::invalid_params(format!("unknown tool: {}", request.name), None));
        };
        let arguments = request.arguments.unwrap_or_default();
        let mut audit = Audit::new(tool, &arguments, &identity, &self.shared.metrics);

        let refusal = self.refusal(tool, &arguments, &identity);
        let (mut result, outcome) = if let Some(refusal) = refusal {
            (error(refusal), Outcome::Denied)
        } else {
            let call = Call { lenses: self.shared.lenses.as_caller(&identity), limits: self.shared.limits };
            // Dropping the call closes its connection to HQ, which stops a query there.
            let ended = tokio::select! {
                ended = tool.run(call, arguments) => Some(ended),
                () = context.ct.cancelled() => None,
            };
            match ended {
                Some(Ok(result)) => (result, Outcome::Success),
                Some(Err(failure)) => {
                    if let ToolError::Lenses { error: lenses::Error::Unauthorized(_) } = failure {
                        (self.shared.on_unauthorized)(&identity);
                    }
                    (error(failure.to_string()), failure.outcome())
                }
                None => (error("The call was cancelled.".to_owned()), Outcome::Cancelled),
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
    fn refusal(
        &self,
        tool: &Tool,
        arguments: &serde_json::Map<String, serde_json::Value>,
        identity: &Identity,
    ) -> Option<String> {
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

fn error(message: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(message)])
}
