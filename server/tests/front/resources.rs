//! Resources and prompts behind sign-in: which scope a read needs, and what is answered without it.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Server, With, post},
    hq::Hq,
};

async fn send(server: &Server, token: &str, method: &str, params: Value) -> Answer {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    server.send(post(&body).with_header("authorization", &format!("Bearer {token}"))).await
}

async fn read(server: &Server, token: &str, uri: &str) -> Answer {
    send(server, token, "resources/read", json!({ "uri": uri })).await
}

#[tokio::test]
async fn a_resource_needs_the_scope_read_as_a_tool_does() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.issue("reader", json!({ "scope": "read", "sub": "bob" }));
    hq.issue("writer", json!({ "scope": "write", "sub": "bob" }));
    let answer = read(&server, "reader", "lenses://environments").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json()["result"]["contents"][0]["mimeType"],
        "application/json",
        "{answer:?}"
    );
    let calls = hq.called_with().len();
    for uri in ["lenses://environments", "lenses://environments/dev/topics/orders/schema"] {
        let answer = read(&server, "writer", uri).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{uri}");
        let challenge = answer.challenge().unwrap();
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.contains("scope=\"read write\""), "{challenge}");
    }
    assert_eq!(hq.called_with().len(), calls);
}

#[tokio::test]
async fn no_scope_is_requested_for_missing_or_withheld_resources() {
    let hq = Hq::start().await;
    let server =
        Server::with_oauth(&hq, &[("MCP_TOOLS_DENY", "topics/*"), ("MCP_ENVIRONMENTS", "dev")]);
    hq.issue("writer", json!({ "scope": "write", "sub": "bob" }));
    for uri in [
        "lenses://environments/dev/topics",
        "lenses://environments/prod",
        "lenses://elsewhere",
        "file:///etc/passwd",
        "lenses://environments/%zz",
    ] {
        let answer = read(&server, "writer", uri).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (StatusCode::OK, &json!(-32002)),
            "{uri}"
        );
    }
    // Lists and prompts are the caller's to see, whatever the scopes.
    for (method, params) in [
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("prompts/list", json!({})),
        ("prompts/get", json!({ "name": "write_sql_query", "arguments": { "task": "count" } })),
    ] {
        let answer = send(&server, "writer", method, params).await;
        assert!(answer.json()["result"].is_object(), "{method}: {answer:?}");
    }
    assert_eq!(hq.called_with().len(), 0);
}

#[tokio::test]
async fn a_read_that_names_no_resource_is_invalid_params() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    let token = hq.issue_to_alice();
    for params in [json!({}), json!({ "uri": 7 }), json!({ "uri": null }), json!([])] {
        let answer = send(&server, token, "resources/read", params.clone()).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!(-32602)),
            "{params}"
        );
    }
}
