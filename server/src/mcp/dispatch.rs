//! What the server answers to each method of MCP.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};
use tracing::Instrument;

use super::{
    Handler, Server, VOLATILE_TTL_MS,
    answer::{Answer, Outcome},
    context::Context,
    method::Call,
    operation::Operation,
    params::{InitializeParams, ListParams},
    revision::Revision,
};
use crate::{json_rpc::RpcError, resources, scope::ScopeSet, tools};

/// How long a client may keep the answer to `server/discover`, in ms. It changes only with the
/// server's version.
const DISCOVER_TTL_MS: u64 = 300_000;
/// Longest method that an error repeats, in characters.
const METHOD_SHOWN_MAX: usize = 64;

impl Handler for Server {
    fn handle(self: Arc<Self>, call: Call, context: Context) -> BoxFuture<'static, Outcome> {
        Box::pin(async move {
            let operation = Operation::begin(&call, &context, &self.metrics);
            let outcome = self.dispatch(call, &context).instrument(operation.span()).await;
            operation.ended(&outcome);
            outcome
        })
    }

    fn read_arguments(&self, call: &mut Call) {
        if let Call::CallTool(params) = call
            && let Some(tool) = tools::registry().find(&params.name)
        {
            tool.read(&mut params.arguments);
        }
    }

    fn input_schema(&self, tool: &str) -> Option<Arc<Map<String, Value>>> {
        tools::registry().find(tool).map(|tool| Arc::clone(&tool.listing().input_schema))
    }

    fn required_scopes(&self, call: &Call) -> Option<ScopeSet> {
        let policy = &self.policy;
        match call {
            Call::CallTool(params) => policy.required_scopes(&params.name, Some(&params.arguments)),
            // It is read by a tool.
            Call::ReadResource(params) => {
                let (resource, arguments) = resources::find(&params.uri).ok()?;
                policy.required_scopes(resource.tool, Some(&arguments))
            }
            _ => None,
        }
    }
}

/// -32601, in the HTTP status that the revision has for it.
fn unknown(method: &str, revision: Revision) -> RpcError {
    let status = if revision.is_stateless() { StatusCode::NOT_FOUND } else { StatusCode::OK };
    let method: String = method.chars().take(METHOD_SHOWN_MAX).collect();
    RpcError::method_not_found(status, format!("method not found: {method}"))
}

/// A list of one page has no cursor.
pub(super) fn one_page(params: &ListParams) -> Result<(), RpcError> {
    match params.cursor {
        Some(_) => Err(RpcError::invalid_params("unknown cursor: this list has one page")),
        None => Ok(()),
    }
}

impl Server {
    async fn dispatch(&self, call: Call, context: &Context) -> Outcome {
        match call {
            Call::CallTool(params) => self.call_tool(params, context).await,
            Call::ListTools(params) => self.list_tools(&params, context),
            Call::ListPrompts(params) => self.list_prompts(&params, context),
            Call::GetPrompt(params) => self.get_prompt(&params, context),
            // What is seldom asked for is boxed: the future is as large as the largest.
            Call::ListResources(params) => Box::pin(self.list_resources(&params, context)).await,
            Call::ListResourceTemplates(params) => self.list_templates(&params, context),
            Call::ReadResource(params) => Box::pin(self.read_resource(params.uri, context)).await,
            Call::Complete(params) => Box::pin(self.complete(&params, context)).await,
            Call::Discover(_) if context.revision.is_stateless() => self.discover(),
            Call::Initialize(params) => self.initialize(&params, context),
            Call::Ping(_) if !context.revision.is_stateless() => Answer::object(&json!({})),
            Call::Discover(_) => Err(unknown("server/discover", context.revision)),
            Call::Ping(_) => Err(unknown("ping", context.revision)),
            Call::Unknown { method, .. } => Err(unknown(&method, context.revision)),
        }
    }

    fn initialize(&self, params: &InitializeParams, context: &Context) -> Outcome {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Initialized<'a> {
            protocol_version: &'a str,
            capabilities: &'a RawValue,
            server_info: &'a RawValue,
            instructions: &'a str,
        }
        let session = self.elicitation.session(&params.capabilities, &context.identity);
        let initialized = Initialized {
            protocol_version: context.revision.as_str(),
            capabilities: &self.description.capabilities,
            server_info: &self.description.server_info,
            instructions: super::INSTRUCTIONS,
        };
        Ok(Answer::object(&initialized)?.with_session(session))
    }

    fn discover(&self) -> Outcome {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Discovered<'a> {
            supported_versions: [&'a str; Revision::ALL.len()],
            capabilities: &'a RawValue,
            instructions: &'a str,
        }
        let discovered = Discovered {
            supported_versions: Revision::ALL.map(Revision::as_str),
            capabilities: &self.description.capabilities,
            instructions: super::INSTRUCTIONS,
        };
        Ok(Answer::object(&discovered)?.cacheable(DISCOVER_TTL_MS))
    }

    fn list_tools(&self, params: &ListParams, context: &Context) -> Outcome {
        one_page(params)?;
        let scopes = context.identity.scopes.intersection(self.policy.scopes());
        let mut members = b"\"tools\":[".to_vec();
        for (tool, listing) in tools::registry().iter().zip(&self.listings) {
            if tool.is_visible(scopes) && self.policy.denied(tool).is_none() {
                if !members.ends_with(b"[") {
                    members.push(b',');
                }
                members.extend_from_slice(listing.get().as_bytes());
            }
        }
        members.push(b']');
        Ok(Answer::members(members).cacheable(VOLATILE_TTL_MS))
    }
}
