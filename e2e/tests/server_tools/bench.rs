//! A stand-in HQ, the whole server in front of it, and an application whose user is signed in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use clap::Parser;
use jsonschema::Validator;
use lenses_mcp_e2e::{
    client::{Application, Revision, Session, Ticks, http_client},
    hq::{Running, settings::Flags},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::in_process::{Serving, serve};

const SERVICE_ACCOUNT: &str = "sa_of-this-test";

/// See the module.
pub(crate) struct Bench {
    hq: Running,
    _serving: Serving,
    session: Session,
    schemas: BTreeMap<String, Validator>,
    called: Mutex<BTreeSet<&'static str>>,
}

/// What HQ must be asked: method, path below HQ's API with its query, nothing decoded, and the
/// body.
pub(crate) type Asked<'a> = (&'a str, &'a str, Value);

impl Bench {
    pub(crate) async fn start(revision: Revision) -> Self {
        Self::start_with(revision, &[]).await
    }

    /// With `flags` of HQ's own.
    pub(crate) async fn start_with(revision: Revision, flags: &[&str]) -> Self {
        let token = format!("--service-account-token={SERVICE_ACCOUNT}");
        let of_all = ["hq", "--listen=127.0.0.1:0", "--control=127.0.0.1:0", &token];
        let flags = of_all.iter().chain(flags);
        let hq =
            Running::start(Flags::try_parse_from(flags).unwrap().check().unwrap()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = serve(
            listener,
            &[
                ("OAUTH_ENABLED", "true"),
                ("LENSES_URL", &hq.issuer),
                ("LENSES_ADVERTISED_URL", &hq.issuer),
                ("MCP_ADVERTISED_URL", &url),
            ],
        );
        let mcp_url = format!("{url}/mcp");
        let application = Application::new("Claude", &mcp_url, "alice").unwrap().speaking(revision);
        let session = application.sign_in(Ticks::AsAsked).await.unwrap();
        let schema = |tool: &rmcp::model::Tool| {
            let schema = Value::Object((**tool.output_schema.as_ref().unwrap()).clone());
            (tool.name.to_string(), jsonschema::validator_for(&schema).unwrap())
        };
        let schemas = session.tools().await.unwrap().iter().map(schema).collect();
        Self { hq, _serving: serving, session, schemas, called: Mutex::default() }
    }

    /// Whether `tool` was called.
    pub(crate) fn called(&self, tool: &str) -> bool {
        self.called.lock().unwrap().contains(tool)
    }

    /// Calls a tool that must succeed: what it gave, as [`Self::ask`], when HQ was asked exactly
    /// `asked` for it.
    pub(crate) async fn call(
        &self,
        tool: &'static str,
        arguments: Value,
        asked: &[Asked<'_>],
    ) -> Value {
        let (gives, seen) = self.ask(tool, arguments).await;
        let expected: Vec<_> = asked
            .iter()
            .map(|(method, path, body)| {
                // Only a handshake carries a credential: what follows on a socket does not.
                let authorization =
                    if *method == "WEBSOCKET" { Value::Null } else { json!("bearer") };
                json!({
                    "method": method, "target": format!("/api/v1/{path}"),
                    "authorization": authorization, "body": body
                })
            })
            .collect();
        assert_eq!(seen, expected, "{tool}");
        gives
    }

    /// Calls a tool that must succeed: what it gave, which meets the schema under which it is
    /// listed and is the same as text, and what HQ was asked for it.
    pub(crate) async fn ask(&self, tool: &'static str, arguments: Value) -> (Value, Vec<Value>) {
        self.called.lock().unwrap().insert(tool);
        self.forget().await;
        let result = self.session.call(tool, arguments).await.unwrap();
        let result = serde_json::to_value(result).unwrap();
        assert_eq!(result["isError"], false, "{tool}: {result}");
        let gives = result["structuredContent"].clone();
        let validator =
            self.schemas.get(tool).unwrap_or_else(|| unreachable!("{tool} is not listed"));
        let faults: Vec<_> = validator.iter_errors(&gives).map(|fault| fault.to_string()).collect();
        assert!(faults.is_empty(), "{tool}: {faults:?} in {gives}");
        let text = result["content"][0]["text"].as_str().unwrap();
        let same = |value: &Value| {
            value.as_str() == Some(text)
                || serde_json::from_str(text).is_ok_and(|said: Value| said == *value)
        };
        assert!(
            same(&gives) || same(&gives["result"]),
            "{tool} says as text {text} and gives {gives}"
        );
        let mut seen = self.seen().await;
        // HQ's version: it is asked for at most once a minute, whichever tools are called.
        seen.retain(|asked| asked["target"] != "/api/v1/meta-info");
        (gives, seen)
    }

    /// Calls a tool: as [`Self::call`], with what it must give.
    pub(crate) async fn gives(
        &self,
        tool: &'static str,
        arguments: Value,
        asked: &[Asked<'_>],
        gives: &Value,
    ) {
        assert_eq!(self.call(tool, arguments, asked).await, *gives, "{tool}");
    }

    /// Calls a tool that looks at one thing of an agent: it must give what HQ says, whole.
    pub(crate) async fn shows(&self, tool: &'static str, arguments: Value, path: &str) -> Value {
        let path = agent(path);
        let gives =
            without_the_clock(self.call(tool, arguments, &[("GET", &path, Value::Null)]).await);
        assert_eq!(gives, without_the_clock(self.read(&path).await), "{tool}");
        gives
    }

    /// Calls a tool that lists things of an agent: it must give those that HQ lists, in the order
    /// of their `name`.
    pub(crate) async fn lists(
        &self,
        tool: &'static str,
        arguments: Value,
        path: &str,
        name: &str,
    ) -> Value {
        let path = agent(path);
        let gives = self.call(tool, arguments, &[("GET", &path, Value::Null)]).await;
        let mut listed = self.read(&path).await;
        listed
            .as_array_mut()
            .unwrap()
            .sort_by_key(|item| item[name].as_str().unwrap_or_default().to_owned());
        assert!(!listed.as_array().unwrap().is_empty(), "{tool} has nothing to list");
        assert_eq!(gives, json!({ "result": listed }), "{tool}");
        listed
    }

    /// Calls a tool that changes something of an agent, of which HQ says nothing or what `gives`
    /// is.
    pub(crate) async fn changes(
        &self,
        tool: &'static str,
        arguments: Value,
        asked: Asked<'_>,
        gives: &Value,
    ) {
        let (method, path, body) = asked;
        self.gives(tool, arguments, &[(method, &agent(path), body)], gives).await;
    }

    /// What HQ itself says, asked with its service account.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let url = format!("{}/api/v1/{path}", self.hq.issuer);
        let reply =
            http_client().unwrap().get(url).bearer_auth(SERVICE_ACCOUNT).send().await.unwrap();
        reply.error_for_status().unwrap().json().await.unwrap()
    }

    /// Decides a request for a topic, as an approver does.
    pub(crate) async fn decide(&self, id: &str, decision: &str) {
        let path = format!("approvals/development/{id}");
        self.control(http::Method::PUT, &path, Some(json!(decision)))
            .await
            .error_for_status()
            .unwrap();
    }

    /// What HQ's API was asked, oldest first; sign-in is not the API.
    async fn seen(&self) -> Vec<Value> {
        let seen: Vec<Value> =
            self.control(http::Method::GET, "requests", None).await.json().await.unwrap();
        let api = |mut request: Value| {
            request.as_object_mut().unwrap().remove("id");
            // The handshake says no more than the frame that follows it.
            let is_handshake =
                request["method"] == "GET" && request["target"].as_str().unwrap().contains("/ws/");
            (request["target"].as_str().unwrap().starts_with("/api/") && !is_handshake)
                .then_some(request)
        };
        seen.into_iter().filter_map(api).collect()
    }

    async fn forget(&self) {
        self.control(http::Method::DELETE, "requests", None).await.error_for_status().unwrap();
    }

    async fn control(
        &self,
        method: http::Method,
        path: &str,
        body: Option<Value>,
    ) -> reqwest::Response {
        let url = format!("http://{}/{path}", self.hq.control.unwrap());
        let request = http_client().unwrap().request(method, url);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap()
    }
}

/// A path of the agent of `development`.
pub(crate) fn agent(path: &str) -> String {
    format!("environments/development/proxy/api/{path}")
}

/// Two looks at the same thing are at two times.
fn without_the_clock(mut value: Value) -> Value {
    if let Some(time) = value.get_mut("jmxTimestamp") {
        assert!(time.is_i64());
        *time = Value::Null;
    }
    value
}

/// Arguments for the environment `development`.
pub(crate) fn with(extra: Value) -> Value {
    let mut arguments = json!({ "environment": "development" });
    let Value::Object(extra) = extra else { unreachable!("arguments are an object") };
    arguments.as_object_mut().unwrap().extend(extra);
    arguments
}

/// What a tool gives of a change of which HQ says nothing.
pub(crate) fn success() -> Value {
    json!({ "success": true })
}
