//! What the suite calls by name, beside all that the server itself has. What a fixture does is worded in the description of
//! the scenario that calls it.

mod asked;
mod asking;
mod called;
mod prompts;
mod resources;

use lenses_mcp_server::mcp::Server;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult,
        DiscoverResult, GetPromptRequestParams, GetPromptResponse, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        ProtocolVersion, ReadResourceRequestParams, ReadResourceResponse, Reference,
        RequestStateCodec, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
        SubscriptionFilter, Tool, UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::broadcast;

/// The server's handler with the suite's fixtures beside it.
#[derive(Clone)]
pub(crate) struct Fixtures {
    server: Server,
    seal: RequestStateCodec,
    changes: broadcast::Sender<Change>,
}

/// A list that a tool was told to change.
#[derive(Debug, Clone, Copy)]
enum Change {
    Tools,
    Prompts,
}

impl Fixtures {
    /// Puts the fixtures beside `server`.
    pub(crate) fn beside(server: Server) -> Self {
        let seal = RequestStateCodec::try_new(*b"the key of a test, 32 bytes long").unwrap();
        Self { server, seal, changes: broadcast::channel(8).0 }
    }
}

/// A part of the protocol from its JSON.
fn model<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

impl ServerHandler for Fixtures {
    fn get_info(&self) -> ServerConfig {
        let mut config = self.server.get_info();
        let capabilities = &mut config.capabilities;
        capabilities.tools.get_or_insert_default().list_changed = Some(true);
        capabilities.prompts.get_or_insert_default().list_changed = Some(true);
        capabilities.resources.get_or_insert_default().subscribe = Some(true);
        capabilities.completions.get_or_insert_default();
        capabilities.logging.get_or_insert_default();
        config
    }

    fn supported_protocol_versions(&self) -> std::borrow::Cow<'static, [ProtocolVersion]> {
        self.server.supported_protocol_versions()
    }

    async fn discover(
        &self,
        context: RequestContext<RoleServer>,
    ) -> Result<DiscoverResult, ErrorData> {
        let mut result = self.server.discover(context).await?;
        result.capabilities = self.get_info().capabilities;
        Ok(result)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut result = self.server.list_tools(request, context).await?;
        result.tools.extend(called::listing());
        Ok(result)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        called::listing()
            .into_iter()
            .find(|tool| tool.name == name)
            .or_else(|| self.server.get_tool(name))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if called::listing().iter().any(|tool| tool.name == request.name) {
            self.call(request, context).await
        } else {
            self.server.call_tool(request, context).await
        }
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let mut result = self.server.list_prompts(request, context).await?;
        result.prompts.extend(prompts::listing());
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if prompts::listing().iter().any(|prompt| prompt.name == request.name) {
            prompts::get(&request)
        } else {
            self.server.get_prompt(request, context).await
        }
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        match &request.r#ref {
            Reference::Prompt(prompt) if prompt.name == prompts::WITH_ARGUMENTS => {
                Ok(CompleteResult::default())
            }
            _ => self.server.complete(request, context).await,
        }
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let mut result = self.server.list_resources(request, context).await?;
        result.resources.extend(resources::listing());
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let mut result = self.server.list_resource_templates(request, context).await?;
        result.resource_templates.extend(resources::templates());
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match resources::read(&request.uri) {
            Some(result) => Ok(result),
            None => self.server.read_resource(request, context).await,
        }
    }

    async fn set_level(
        &self,
        _: SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn subscribe(
        &self,
        _: SubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(
        &self,
        _: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        loop {
            let change = tokio::select! {
                () = subscription.cancelled() => return Ok(()),
                change = changes.recv() => change.unwrap(),
            };
            let sink = subscription.sink();
            // The sink refuses what the client did not ask for.
            let _refused = match change {
                Change::Tools => sink.notify_tool_list_changed().await,
                Change::Prompts => sink.notify_prompt_list_changed().await,
            };
        }
    }
}
