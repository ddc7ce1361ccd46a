//! What the suite calls by name, beside all that the server itself has. What a fixture does is
//! worded in the description of the scenario that calls it.

mod asked;
mod asking;
mod called;
mod prompts;
mod resources;

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use lenses_mcp_server::{
    json_rpc::RpcError,
    mcp::{Answer, Call, Context, Handler, Outcome, Reference, Server},
    scope::ScopeSet,
};
use rmcp::model::RequestStateCodec;
use serde_json::{Map, Value, json};
use tokio::sync::broadcast;

/// The server with the suite's fixtures beside it.
pub(crate) struct Fixtures {
    server: Arc<Server>,
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
    pub(crate) fn beside(server: Server) -> Arc<Self> {
        let seal = RequestStateCodec::try_new(*b"the key of a test, 32 bytes long").unwrap();
        Arc::new(Self { server: Arc::new(server), seal, changes: broadcast::channel(8).0 })
    }

    /// The server's own answer, with `items` added to its list `name`.
    async fn listed(&self, call: Call, context: Context, name: &str, items: Value) -> Outcome {
        let mut result = self.own(call, context).await?;
        let own = result[name].as_array_mut().unwrap();
        own.extend(items.as_array().unwrap().iter().cloned());
        Ok(Answer::object(&result)?.cacheable(0))
    }

    /// The server's own answer as JSON.
    async fn own(&self, call: Call, context: Context) -> Result<Value, RpcError> {
        let answer = Arc::clone(&self.server).handle(call, context).await?;
        Ok(answer.to_value().unwrap())
    }

    /// The server's own answer, with the fixtures' capabilities added.
    async fn described(&self, call: Call, context: Context) -> Outcome {
        let stateless = context.revision.is_stateless();
        let answer = Arc::clone(&self.server).handle(call, context).await?;
        let mut result = answer.to_value().unwrap();
        result["capabilities"] = json!({
            "tools": { "listChanged": true },
            "prompts": { "listChanged": true },
            "resources": { "subscribe": true },
            "completions": {},
            "logging": {},
        });
        let described = Answer::object(&result)?;
        Ok(if stateless { described.cacheable(0) } else { described.in_session_of(answer) })
    }

    /// `subscriptions/listen`: what is sent names the request that asked for it.
    async fn listen(&self, params: Option<Bytes>, context: &Context) -> Outcome {
        let mut changes = self.changes.subscribe();
        let params: Value = serde_json::from_slice(&params.unwrap_or_default()).unwrap();
        let wanted = &params["notifications"];
        let id: Value = serde_json::from_str(context.id.as_json()).unwrap();
        let meta = json!({ "io.modelcontextprotocol/subscriptionId": id });
        let acknowledged = json!({ "notifications": wanted, "_meta": meta });
        context.client.notify("notifications/subscriptions/acknowledged", acknowledged).await;
        loop {
            let (kind, method) = match changes.recv().await.unwrap() {
                Change::Tools => ("toolsListChanged", "notifications/tools/list_changed"),
                Change::Prompts => ("promptsListChanged", "notifications/prompts/list_changed"),
            };
            if wanted[kind] == true {
                context.client.notify(method, json!({ "_meta": meta })).await;
            }
        }
    }
}

impl Handler for Fixtures {
    fn handle(self: Arc<Self>, call: Call, context: Context) -> BoxFuture<'static, Outcome> {
        Box::pin(async move {
            match call {
                Call::Initialize(_) | Call::Discover(_) => self.described(call, context).await,
                Call::ListTools(_) => self.listed(call, context, "tools", called::listing()).await,
                Call::CallTool(params) if called::has(&params.name) => {
                    self.call(params, context).await
                }
                Call::ListPrompts(_) => {
                    self.listed(call, context, "prompts", prompts::listing()).await
                }
                Call::GetPrompt(params) if prompts::has(&params.name) => prompts::get(&params),
                Call::Complete(params) if is_of_fixture(&params.reference) => {
                    Answer::object(&json!({ "completion": { "values": [], "total": 0 } }))
                }
                Call::ListResources(_) => {
                    self.listed(call, context, "resources", resources::listing()).await
                }
                Call::ListResourceTemplates(_) => {
                    let templates = resources::templates();
                    self.listed(call, context, "resourceTemplates", templates).await
                }
                Call::ReadResource(params) if resources::read(&params.uri).is_some() => {
                    let contents = resources::read(&params.uri).unwrap();
                    Ok(Answer::object(&json!({ "contents": [contents] }))?.cacheable(0))
                }
                Call::Unknown { method, params } => match (method.as_str(), &context) {
                    ("subscriptions/listen", context) if context.revision.is_stateless() => {
                        self.listen(params, context).await
                    }
                    (
                        "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe",
                        context,
                    ) if !context.revision.is_stateless() => Answer::object(&json!({})),
                    _ => {
                        let call = Call::Unknown { method, params };
                        Arc::clone(&self.server).handle(call, context).await
                    }
                },
                call => Arc::clone(&self.server).handle(call, context).await,
            }
        })
    }

    fn input_schema(&self, tool: &str) -> Option<Arc<Map<String, Value>>> {
        if called::has(tool) {
            called::input_schema(tool).as_object().cloned().map(Arc::new)
        } else {
            self.server.input_schema(tool)
        }
    }

    fn required_scopes(&self, call: &Call) -> Option<ScopeSet> {
        self.server.required_scopes(call)
    }
}

fn is_of_fixture(reference: &Reference) -> bool {
    matches!(reference, Reference::Prompt { name } if name == prompts::WITH_ARGUMENTS)
}
