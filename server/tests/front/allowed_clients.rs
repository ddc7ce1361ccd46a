//! `MCP_ALLOWED_CLIENTS`: which applications may call, besides what HQ allows the user.

use http::StatusCode;
use serde_json::json;

use crate::{
    client::{READ, Server},
    hq::Hq,
};

#[tokio::test]
async fn an_unlisted_client_gets_403_that_says_so_and_a_record() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[("MCP_ALLOWED_CLIENTS", "claude, codex")]);
    hq.issue("of-codex", json!({ "scope": "read", "sub": "bob", "client_id": "codex" }));
    hq.issue("of-cursor", json!({ "scope": "read", "sub": "bob", "client_id": "cursor" }));
    hq.issue("of-nobody", json!({ "scope": "read", "sub": "bob" }));
    assert_eq!(server.call("of-codex", READ).await.status, StatusCode::OK);
    for (token, client_id) in [("of-cursor", "cursor"), ("of-nobody", "")] {
        let answer = server.call(token, READ).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        // To sign in again would lead to the same.
        assert_eq!(answer.challenge(), None);
        let body = answer.json();
        assert_eq!(body["error"], "access_denied");
        let words = body["error_description"].as_str().unwrap();
        let named = format!("client id \"{client_id}\"");
        assert!(words.contains(&named) && words.contains("MCP_ALLOWED_CLIENTS"), "{words}");
    }
    assert_eq!(hq.called_with().len(), 1, "HQ is called for the listed client only");
    let lines = server.audit.lines();
    let refused: Vec<_> = lines
        .iter()
        .filter(|line| line["event"] == "sign_in")
        .map(|line| {
            let names = ["decision", "decided_by", "reason", "subject", "client_id"];
            names.map(|name| line[name].as_str().unwrap_or_default())
        })
        .collect();
    let denied = ["denied", "policy", "MCP_ALLOWED_CLIENTS", "bob"];
    assert_eq!(
        refused,
        [["cursor"], [""]].map(|[id]| [denied[0], denied[1], denied[2], denied[3], id])
    );
}
