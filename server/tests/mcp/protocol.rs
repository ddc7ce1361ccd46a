//! What each MCP method answers, in both revisions.

use http::Method;
use lenses_mcp_server::{
    scope::{Scope, ScopeSet},
    tools::{self, Tool},
};
use serde_json::{Value, json};

use crate::{
    client::{Endpoint, LEGACY, Limits, MODERN, raw, read, request},
    hq::{self, Hq},
};

async fn endpoint() -> Endpoint {
    Endpoint::new(&hq::absent().await)
}

fn server_info() -> Value {
    json!({ "name": "Lenses.io", "title": "Lenses", "version": env!("CARGO_PKG_VERSION") })
}

fn names(list: &Value) -> Vec<&str> {
    list["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn discover_names_the_server_its_versions_and_what_to_call_first() {
    let (status, reply) = endpoint().await.request(MODERN, "server/discover", json!({})).await;
    assert_eq!(status, 200);
    let result = &reply["result"];
    assert_eq!(result["_meta"], json!({ "io.modelcontextprotocol/serverInfo": server_info() }));
    assert_eq!(
        result["capabilities"],
        json!({ "tools": {}, "prompts": {}, "resources": {}, "completions": {} })
    );
    assert_eq!(
        (&result["resultType"], &result["cacheScope"]),
        (&json!("complete"), &json!("private"))
    );
    let versions = result["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!(MODERN)) && versions.contains(&json!(LEGACY)), "{versions:?}");
    assert!(result["instructions"].as_str().unwrap().contains("list_environments"));
}

#[tokio::test]
async fn initialize_is_answered_in_the_revision_that_was_asked_for() {
    for version in [LEGACY, "2025-06-18", "2025-03-26"] {
        let params = json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
        let (status, reply) = read(endpoint().await.send(raw(&body.to_string())).await).await;
        assert_eq!(status, 200, "{reply}");
        let result = &reply["result"];
        assert_eq!(
            (&result["protocolVersion"], &result["serverInfo"]),
            (&json!(version), &server_info())
        );
        assert!(result["instructions"].is_string());
    }
}

#[tokio::test]
async fn tools_are_listed_by_scope_in_one_order_per_caller() {
    let with_scope = |scope: Scope| -> Vec<&str> {
        let tools = tools::registry().iter();
        tools
            .filter(|tool| {
                ["execute_sql", "whoami"].contains(&tool.name())
                    || tool.required_scopes(None) == scope.into()
            })
            .map(Tool::name)
            .collect()
    };
    let cases: [(ScopeSet, Vec<&str>); 5] = [
        (Scope::Read.into(), with_scope(Scope::Read)),
        (Scope::Write.into(), with_scope(Scope::Write)),
        (Scope::Delete.into(), with_scope(Scope::Delete)),
        (ScopeSet::ALL, tools::registry().iter().map(Tool::name).collect()),
        (ScopeSet::NONE, vec!["whoami"]),
    ];
    assert!(cases[0].1.contains(&"list_topics") && !cases[0].1.contains(&"create_topic"));
    assert!(cases[2].1.contains(&"delete_consumer_group") && !cases[2].1.contains(&"create_topic"));
    for (scopes, expected) in cases {
        let endpoint = endpoint().await.with_scopes(scopes);
        let (_, modern) = endpoint.request(MODERN, "tools/list", json!({})).await;
        assert_eq!(names(&modern), expected);
        assert_eq!(modern["result"]["cacheScope"], "private");
        assert!(modern["result"]["ttlMs"].is_u64());
        assert_eq!(modern["result"]["resultType"], "complete");
        let (_, legacy) = endpoint.request(LEGACY, "tools/list", json!({})).await;
        assert_eq!(names(&legacy), expected);
        let others: Vec<_> = legacy["result"].as_object().unwrap().keys().collect();
        assert_eq!(others, ["tools"], "the older revision knows nothing else");
    }
}

#[tokio::test]
async fn the_scopes_that_the_server_offers_are_a_ceiling() {
    let limits = Limits { offered: Scope::Read.into(), ..Limits::default() };
    let endpoint = Endpoint::limited(&hq::absent().await, limits);
    let (_, list) = endpoint.request(LEGACY, "tools/list", json!({})).await;
    assert!(!names(&list).contains(&"create_topic"));
    let text =
        endpoint.failure("create_topic", json!({ "environment": "dev", "topic_name": "t" })).await;
    assert_eq!(
        text,
        "This call of create_topic is not possible here: it needs a scope that this server does \
         not offer (MCP_SCOPES). Do not retry: whoever runs the server decides what it offers."
    );
}

#[tokio::test]
async fn a_call_beyond_the_tokens_scopes_names_them_and_never_reaches_hq() {
    let hq = Hq::giving(&json!({})).await;
    let endpoint = Endpoint::new(&hq.url).with_scopes(Scope::Read.into());
    for (tool, arguments, needed) in [
        ("delete_consumer_group", json!({ "environment": "dev", "group_id": "g" }), "delete"),
        ("create_topic", json!({ "environment": "dev", "topic_name": "t" }), "write"),
        (
            "execute_sql",
            json!({ "environment": "dev", "sql": "INSERT INTO a SELECT * FROM b" }),
            "read write",
        ),
        (
            "execute_sql",
            json!({ "environment": "dev", "sql": "SELECT 1;\n-- ;\nDROP TABLE t" }),
            "read delete",
        ),
    ] {
        let text = endpoint.failure(tool, arguments).await;
        let expected =
            format!("This call of {tool} needs the scopes `{needed}`, and the token holds `read`.");
        assert!(text.starts_with(&expected), "{text}");
    }
    assert_eq!(hq.seen(), []);
}

#[tokio::test]
async fn what_the_protocol_does_not_know_gets_its_error() {
    let endpoint = endpoint().await;
    for (revision, method, params, status, code) in [
        (MODERN, "tools/list", json!({ "cursor": "x" }), 200, -32602),
        (LEGACY, "tools/list", json!({ "cursor": "x" }), 200, -32602),
        (MODERN, "tools/call", json!({ "name": "no_such_tool" }), 200, -32602),
        (LEGACY, "tools/call", json!({ "name": "no_such_tool" }), 200, -32602),
        (MODERN, "prompts/list", json!({ "cursor": "x" }), 200, -32602),
        (MODERN, "resources/templates/list", json!({ "cursor": "x" }), 200, -32602),
        (MODERN, "resources/list", json!({ "cursor": "?" }), 200, -32602),
        (MODERN, "tools/explode", json!({}), 404, -32601),
        (MODERN, "ping", json!({}), 404, -32601),
    ] {
        let (actual, reply) = endpoint.request(revision, method, params).await;
        assert_eq!(
            (actual, &reply["error"]["code"]),
            (status, &json!(code)),
            "{revision} {method}: {reply}"
        );
    }
    for method in [Method::GET, Method::DELETE] {
        let mut request = raw("");
        *request.method_mut() = method;
        let response = endpoint.send(request).await;
        assert_eq!(
            (response.status().as_u16(), response.headers()["allow"].to_str().unwrap()),
            (405, "POST")
        );
    }
}

#[tokio::test]
async fn headers_that_contradict_the_body_are_refused() {
    let mut request =
        request(MODERN, "tools/call", json!({ "name": "list_topics", "arguments": {} }));
    request.headers_mut().insert("mcp-name", "list_environments".parse().unwrap());
    let (status, reply) = read(endpoint().await.send(request).await).await;
    assert_eq!((status, &reply["error"]["code"]), (400, &json!(-32020)), "{reply}");
}

#[tokio::test]
async fn bodies_that_are_no_request_get_json_rpc_errors() {
    let endpoint = endpoint().await;
    for body in [
        "[]",
        r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]"#,
        "{}",
        "7",
        r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#,
    ] {
        let (status, reply) = read(endpoint.send(raw(body)).await).await;
        assert_eq!((status, &reply["error"]["code"]), (400, &json!(-32600)), "{body}: {reply}");
        assert_eq!((&reply["jsonrpc"], &reply["id"]), (&json!("2.0"), &Value::Null));
    }
    let mut xml = raw("<a/>");
    xml.headers_mut().insert("content-type", "text/xml".parse().unwrap());
    assert_eq!(endpoint.send(xml).await.status().as_u16(), 415);
}

#[tokio::test]
async fn an_unknown_version_is_refused_with_those_that_are_known() {
    let endpoint = endpoint().await;
    let mut header_only = raw(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    header_only.headers_mut().insert("mcp-protocol-version", "2099-01-01".parse().unwrap());
    for request in [header_only, request("2099-01-01", "tools/list", meta("2099-01-01"))] {
        let (status, reply) = read(endpoint.send(request).await).await;
        assert_eq!((status, &reply["error"]["code"]), (400, &json!(-32022)), "{reply}");
        assert!(
            reply["error"]["data"]["supported"].as_array().unwrap().contains(&json!(MODERN)),
            "{reply}"
        );
        assert_eq!(reply["error"]["data"]["requested"], "2099-01-01");
    }
}

fn meta(version: &str) -> Value {
    json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    } })
}

#[tokio::test]
async fn every_result_names_its_server_if_the_revision_requires_it() {
    let hq = Hq::giving(&json!({ "items": [] })).await;
    let endpoint = Endpoint::new(&hq.url);
    let key = "io.modelcontextprotocol/serverInfo";
    for (method, params) in each_method() {
        let (_, modern) = endpoint.request(MODERN, method, params.clone()).await;
        assert_eq!(modern["result"]["_meta"][key], server_info(), "{method}");
        let (_, legacy) = endpoint.request(LEGACY, method, params).await;
        assert_eq!(legacy["result"]["_meta"][key], Value::Null, "{method}");
        // What may be kept is the caller's alone and only for now.
        if method.ends_with("/list") || method == "resources/read" {
            assert_eq!(
                (&modern["result"]["ttlMs"], &modern["result"]["cacheScope"]),
                (&json!(0), &json!("private"))
            );
        }
    }
}

/// A good request of each method that asks something of this server.
fn each_method() -> [(&'static str, Value); 8] {
    [
        ("tools/list", json!({})),
        ("tools/call", json!({ "name": "list_environments" })),
        ("prompts/list", json!({})),
        ("prompts/get", json!({ "name": "list_connected_environments" })),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "lenses://environments" })),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/prompt", "name": "list_running_kafka_connectors" },
                "argument": { "name": "environment", "value": "" } }),
        ),
    ]
}
