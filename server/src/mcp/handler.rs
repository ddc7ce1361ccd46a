//! What the server answers to each MCP method.

use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams,
        CompleteResult, ContentBlock, DiscoverResult, GetPromptRequestParams, GetPromptResponse,
        InputRequiredResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
        ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse,
        ServerConfig, Tool as Listing,
    },
    service::RequestContext,
};
use serde_json::{Map, Value};
use tracing::Instrument;

use super::{
    Server,
    audit::Audit,
    confirmation::{Answers, Decision},
    gaps, progress, shown,
};
use crate::{
    identity::Identity,
    lenses,
    tools::{self, Call, Outcome, Progress, Tool, ToolError},
    traces,
};

/// How long a client may keep the answer to `server/discover`, in ms. It changes only with the server's version.
const DISCOVER_TTL_MS: u64 = 300_000;
/// How long a client may keep a list or a resource, in ms. Not at all: a user who has just allowed another scope expects to
/// see its tools, what is in Lenses changes, and nothing tells a client of either.
const VOLATILE_TTL_MS: u64 = 0;

const DECLINED: &str = "The user was asked and said no, so that nothing was done. Do not try again unless the user asks for it.";

/// Why a call gives no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// The caller may not, or nobody may here.
    #[error("{0}")]
    Refused(String),
    /// The tool says why.
    #[error(transparent)]
    Tool(ToolError),
    /// The user said no.
    #[error("{DECLINED}")]
    Declined,
    /// The client gave up.
    #[error("The call was cancelled.")]
    Cancelled,
    /// The user is asked first.
    #[error("the user is asked first")]
    Asking(Box<InputRequiredResult>),
    /// The request is not one of MCP.
    #[error("{0}")]
    Protocol(ErrorData),
}

impl Failed {
    /// The label under which the call is counted.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Refused(_) => Outcome::Denied,
            Self::Tool(error) => error.outcome(),
            Self::Declined => Outcome::Declined,
            Self::Cancelled => Outcome::Cancelled,
            Self::Asking(_) => Outcome::Asked,
            Self::Protocol(_) => Outcome::Error,
        }
    }
}

/// Says in a result that can be kept who may keep it and which server made it, where the revision asks for it.
macro_rules! stamp_cacheable {
    ($self:ident, $context:ident, $result:ident) => {
        if gaps::has_result_metadata(&$context) {
            $result.ttl_ms = Some(VOLATILE_TTL_MS);
            // What is in it depends on the token.
            $result.cache_scope = Some(CacheScope::Private);
            gaps::stamp(&mut $result.meta, &$self.shared.config.server_info);
        }
    };
}

/// A list of one page has no cursor.
fn one_page(request: Option<&PaginatedRequestParams>) -> Result<(), ErrorData> {
    match request {
        Some(PaginatedRequestParams { cursor: Some(_), .. }) => {
            Err(ErrorData::invalid_params("unknown cursor: this list has one page", None))
        }
        _ => Ok(()),
    }
}

/// rmcp moves the future of a request to a task of its own, and it is as large as the largest of these: what is seldom asked
/// for is boxed.
impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        self.shared.config.clone()
    }

    async fn discover(&self, _: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        Ok(DiscoverResult::from_server_info(
            self.supported_protocol_versions().into_owned(),
            self.get_info(),
        )
        .with_ttl_ms(DISCOVER_TTL_MS)
        .with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let _span = traces::Request::ListTools.span(&context);
        one_page(request.as_ref())?;
        let policy = &self.shared.policy;
        let scopes = self.caller(&context)?.scopes.intersection(policy.scopes());
        let is_listed = |tool: &&Tool| tool.is_visible(scopes) && policy.denied(tool).is_none();
        let tools = tools::registry().iter().filter(is_listed).map(|tool| tool.listing().clone());
        let mut result = ListToolsResult::with_all_items(tools.collect());
        stamp_cacheable!(self, context, result);
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let identity = self.caller(&context)?;
        let Some(tool) = tools::registry().find(&request.name) else {
            return Err(ErrorData::invalid_params(
                format!("unknown tool: {}", shown(&request.name)),
                None,
            ));
        };
        let arguments = request.arguments.unwrap_or_default();
        let mut audit = Audit::of_tool(tool, &arguments, identity, &self.shared.metrics, &context);
        let answers = Answers { state: request.request_state, responses: request.input_responses };
        let called =
            self.call(tool, arguments, identity, answers, &context).instrument(audit.span()).await;
        audit.outcome = called.as_ref().map_or_else(Failed::outcome, |_| Outcome::Success);
        let mut result = match called {
            Ok(result) => result,
            Err(Failed::Asking(mut question)) => {
                gaps::stamp(&mut question.meta, &self.shared.config.server_info);
                return Ok((*question).into());
            }
            Err(Failed::Protocol(error)) => return Err(error),
            Err(failed) => CallToolResult::error(vec![ContentBlock::text(failed.to_string())]),
        };
        if gaps::has_result_metadata(&context) {
            gaps::stamp(&mut result.meta, &self.shared.config.server_info);
        }
        Ok(result.into())
    }

    fn get_tool(&self, name: &str) -> Option<Listing> {
        tools::registry().find(name).map(|tool| tool.listing().clone())
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        one_page(request.as_ref())?;
        let mut result =
            ListPromptsResult::with_all_items(self.listed_prompts(self.caller(&context)?));
        stamp_cacheable!(self, context, result);
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let mut result = self.prompt(request, self.caller(&context)?, &context)?;
        if gaps::has_result_metadata(&context) {
            gaps::stamp(&mut result.meta, &self.shared.config.server_info);
        }
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let cursor = request.and_then(|request| request.cursor);
        let listing = self.listed_resources(cursor.as_deref(), self.caller(&context)?, &context);
        let (resources, next) = Box::pin(listing).await?;
        let mut result = ListResourcesResult::with_all_items(resources);
        result.next_cursor = next;
        stamp_cacheable!(self, context, result);
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        one_page(request.as_ref())?;
        let mut result = ListResourceTemplatesResult::with_all_items(
            self.listed_templates(self.caller(&context)?),
        );
        stamp_cacheable!(self, context, result);
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let mut result =
            Box::pin(self.resource(request.uri, self.caller(&context)?, &context)).await?;
        stamp_cacheable!(self, context, result);
        Ok(result.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let completion =
            Box::pin(self.completion(&request, self.caller(&context)?, &context)).await?;
        let mut result = CompleteResult::new(completion);
        if gaps::has_result_metadata(&context) {
            gaps::stamp(&mut result.meta, &self.shared.config.server_info);
        }
        Ok(result)
    }
}

impl Server {
    /// Calls `tool` for `identity`: offered, allowed, arguments that hold, the user asked; then Lenses.
    pub(super) async fn call(
        &self,
        tool: &Tool,
        arguments: Map<String, Value>,
        identity: &Identity,
        answers: Answers,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResult, Failed> {
        self.refusal(tool, &arguments, identity)
            .map_or(Ok(()), |refusal| Err(Failed::Refused(refusal)))?;
        let (progress, reports) = Progress::new();
        let call = Call {
            lenses: self.shared.lenses.as_caller(identity),
            identity: identity.clone(),
            policy: self.shared.policy.clone(),
            diagnostics: self.shared.diagnostics.clone(),
            limits: self.shared.limits,
            progress,
        };
        let question = self.shared.confirmation.question(tool, &arguments, identity, context);
        let prepared = tool.prepare(call, arguments).map_err(|error| Failed::Tool(error.into()))?;
        if let Some(question) = question {
            match self.shared.confirmation.decide(&question, &answers).map_err(Failed::Protocol)? {
                Decision::Run => {}
                Decision::Ask(result) => return Err(Failed::Asking(result)),
                Decision::Declined => return Err(Failed::Declined),
            }
        }
        let reporting =
            progress::forward(reports, context.meta.get_progress_token(), &context.peer);
        let ended = tokio::select! {
            (ended, ()) = async { tokio::join!(prepared, reporting) } => ended,
            // Dropping the call closes its connection to HQ, which stops a query there.
            () = context.ct.cancelled() => return Err(Failed::Cancelled),
        };
        ended.map_err(|failure| {
            if let ToolError::Lenses { error: lenses::Error::Unauthorized(_), .. } = failure {
                (self.shared.on_unauthorized)(identity);
            }
            Failed::Tool(failure)
        })
    }

    /// Who calls. Without an answer nothing is done.
    fn caller<'a>(
        &'a self,
        context: &'a RequestContext<RoleServer>,
    ) -> Result<&'a Identity, ErrorData> {
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
        arguments: &Map<String, Value>,
        identity: &Identity,
    ) -> Option<String> {
        let name = tool.name();
        if let Some(denied) = self.shared.policy.denied_call(tool, Some(arguments)) {
            return Some(format!(
                "This call of {name} is not possible here: {denied}. Do not retry: whoever runs the server decides \
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
