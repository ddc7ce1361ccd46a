//! The question before a deletion: asked in the middle of a call, and answered through a Service
//! that leads to any of three pods.

use k8s_openapi::api::core::v1::Service;
use lenses_mcp_e2e::{
    bed::{SERVICE_ACCOUNT_TOKEN, Trouble, mcp_url, prove},
    client::http_client,
};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

const REVISION: &str = "2025-11-25";
const CALLER_TOKEN: &str = "for-callers-only-0123456789";
const ENVIRONMENT: &str = "development";
/// A group without members, so that Kafka lets it be deleted.
const GROUP: &str = "legacy-export";
/// Calls that are answered with no. Each answer reaches the very pod that asked in one of 3^12
/// (531441) runs; in all others, the pods must have handed on answers.
const DECLINED: usize = 12;

#[tokio::test]
async fn any_replica_takes_the_answer_and_deletes_once_on_yes_only() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
        bed.secret("callers", json!({"token": CALLER_TOKEN})).await?;
        let mut manifest = bed.api_key_server("mcp", &hq);
        manifest["spec"]["replicas"] = json!(3);
        let ready = bed.apply_until_ready(&manifest).await?;
        assert_eq!(ready.status.as_ref().map(|status| status.ready_replicas), Some(3));
        let service = bed.api::<Service>().get("mcp").await?.spec.unwrap_or_default();
        assert_eq!(service.session_affinity.as_deref(), Some("None"));

        let deletion = format!("/api/v1/environments/{ENVIRONMENT}/proxy/api/consumers/{GROUP}");
        let user = User::initialise(mcp_url(&ready)?).await?;
        for call in 1..=DECLINED {
            let result = user.delete_group(json!({"action": "decline"})).await?;
            assert_eq!(result["isError"], true, "call {call}: {result}");
        }
        let without_a_tick = json!({"action": "accept", "content": {"confirm": false}});
        let result = user.delete_group(without_a_tick).await?;
        assert_eq!(result["isError"], true, "{result}");
        assert_eq!(hq.requests(&deletion).await?, 0);
        assert!(user.groups().await?.contains(GROUP));

        let yes = json!({"action": "accept", "content": {"confirm": true}});
        let result = user.delete_group(yes).await?;
        assert_eq!(result["isError"], false, "{result}");
        assert_eq!(hq.requests(&deletion).await?, 1);
        assert!(!user.groups().await?.contains(GROUP));
        Ok(())
    })
    .await;
}

/// A client that can show questions, and whose every request takes a connection of its own.
struct User {
    url: String,
    session: Option<String>,
}

impl User {
    async fn initialise(url: String) -> Result<Self, Trouble> {
        let mut user = Self { url, session: None };
        let params = json!({
            "protocolVersion": REVISION,
            "capabilities": {"elicitation": {}},
            "clientInfo": {"name": "a client that asks", "version": "1"},
        });
        let response = user.post(&request(1, "initialize", &params)).await?;
        let session = response.headers().get("mcp-session-id").ok_or("no session")?;
        user.session = Some(session.to_str()?.to_owned());
        let initialised = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(user.post(&initialised).await?.status(), StatusCode::ACCEPTED);
        Ok(user)
    }

    /// Calls `delete_consumer_group`, answers its question with `answer`, and gives back the
    /// call's result.
    async fn delete_group(&self, answer: Value) -> Result<Value, Trouble> {
        let arguments = json!({"environment": ENVIRONMENT, "group_id": GROUP});
        let params = json!({"name": "delete_consumer_group", "arguments": arguments});
        let response = self.post(&request(2, "tools/call", &params)).await?;
        let mut call = Events { response, read: Vec::new() };
        let question = call.next().await?;
        assert_eq!(question["method"], "elicitation/create", "{question}");
        let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": answer});
        let taken = self.post(&answer).await?;
        assert_eq!(taken.status(), StatusCode::ACCEPTED, "{}", taken.text().await?);
        let mut reply = call.next().await?;
        assert_eq!(reply["id"], 2, "{reply}");
        Ok(reply["result"].take())
    }

    /// The consumer groups that there are, as the server writes them.
    async fn groups(&self) -> Result<String, Trouble> {
        let arguments = json!({"environment": ENVIRONMENT});
        let params = json!({"name": "list_consumer_groups", "arguments": arguments});
        Ok(self.post(&request(3, "tools/call", &params)).await?.text().await?)
    }

    async fn post(&self, message: &Value) -> Result<Response, Trouble> {
        let mut request = http_client()?
            .post(&self.url)
            .bearer_auth(CALLER_TOKEN)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", REVISION)
            .json(message);
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        Ok(request.send().await?)
    }
}

/// The messages of a stream of events.
struct Events {
    response: Response,
    /// What was read after the last event.
    read: Vec<u8>,
}

impl Events {
    async fn next(&mut self) -> Result<Value, Trouble> {
        loop {
            while let Some(end) = self.read.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = self.read.drain(..end + 2).collect();
                let event = std::str::from_utf8(&event)?;
                if let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) {
                    return Ok(serde_json::from_str(data)?);
                }
            }
            let chunk = self.response.chunk().await?.ok_or("the stream ended too early")?;
            self.read.extend_from_slice(&chunk);
        }
    }
}

fn request(id: u32, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}
