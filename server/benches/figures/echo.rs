//! A bare rmcp server that says what it was told, stateless, answering in JSON. In a process of its
//! own, which is this program again.

use std::sync::Arc;

use axum::Router;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ServerCapabilities,
        ServerConfig,
    },
    service::RequestContext,
    transport::{
        StreamableHttpServerConfig, StreamableHttpService,
        streamable_http_server::session::never::NeverSessionManager,
    },
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{hq::Hq, load::Call};

/// Set where this program is to be the server.
pub(crate) const ROLE: &str = "BENCH_ECHO";

/// The server's own call, made of this one: reading the same message costs both the same.
pub(crate) fn call() -> Call {
    Call::new(&Hq::call_params(), &[], |reply| {
        let told = reply["result"]["content"][0]["text"].as_str().unwrap_or_default();
        serde_json::from_str::<Value>(told).is_ok_and(|told| told == Hq::call_params()["arguments"])
    })
}

/// Serves until the process is ended; says where on standard error.
pub(crate) fn serve() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(false)
            .with_json_response(true);
        let service = StreamableHttpService::new(
            || Ok(Echo),
            Arc::new(NeverSessionManager::default()),
            config,
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        eprintln!(
            "{}",
            json!({ "message": "listening", "address": listener.local_addr().unwrap() })
        );
        axum::serve(listener, Router::new().route_service("/mcp", service)).await.unwrap();
    });
}

#[derive(Clone)]
struct Echo;

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let told = Value::Object(request.arguments.unwrap_or_default());
        Ok(CallToolResult::success(vec![ContentBlock::text(told.to_string())]).into())
    }
}
