//! What clients read before they sign in.

use http::{Method, StatusCode};

use crate::{
    client::{Server, With, get},
    hq::Hq,
};

#[tokio::test]
async fn fault_22_both_paths_answer_with_the_resource_metadata_of_rfc_9728() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    for path in
        ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"]
    {
        let answer = server.send(get(path)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            answer.body,
            r#"{"resource":"https://mcp.example.com/mcp","authorization_servers":["https://lenses.example.com"],"scopes_supported":["read","write","delete"],"bearer_methods_supported":["header"]}"#
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
}

#[tokio::test]
async fn fault_22_the_issuer_is_published_byte_for_byte_and_scopes_as_offered() {
    let hq = Hq::start().await;
    for issuer in [
        "https://lenses.example.com",
        "https://lenses.example.com/",
        "https://Lenses.example.com:443/hq/",
    ] {
        let server = Server::with_oauth(
            &hq,
            &[("LENSES_ADVERTISED_URL", issuer), ("MCP_SCOPES", "delete,read")],
        );
        let metadata = server.send(get("/.well-known/oauth-protected-resource")).await.json();
        assert_eq!(metadata["authorization_servers"], serde_json::json!([issuer]));
        assert_eq!(metadata["scopes_supported"], serde_json::json!(["read", "delete"]));
    }
}

#[tokio::test]
async fn below_a_path_endpoint_and_metadata_are_where_clients_look() {
    let server = Server::with_oauth(
        &Hq::start().await,
        &[("MCP_ADVERTISED_URL", "https://mcp.example.com/team-a/")],
    );
    let answer = server.send(get("/.well-known/oauth-protected-resource/team-a/mcp")).await;
    assert_eq!(answer.json()["resource"], "https://mcp.example.com/team-a/mcp");
    for endpoint in ["/mcp", "/team-a/mcp"] {
        let answer = server.send(get(endpoint)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let expected = "resource_metadata=\"https://mcp.example.com/.well-known/oauth-protected-resource/team-a/mcp\"";
        assert!(answer.challenge().unwrap().contains(expected), "{answer:?}");
    }
}

#[tokio::test]
async fn clients_of_the_2025_03_26_revision_are_sent_on_to_hq() {
    let hq = Hq::start().await;
    let well_known = "/.well-known/oauth-authorization-server";
    for (issuer, location) in [
        (
            "https://lenses.example.com",
            "https://lenses.example.com/.well-known/oauth-authorization-server",
        ),
        (
            "https://x.example.com:8443/hq/",
            "https://x.example.com:8443/.well-known/oauth-authorization-server/hq",
        ),
    ] {
        let server = Server::with_oauth(
            &hq,
            &[
                ("LENSES_ADVERTISED_URL", issuer),
                ("MCP_ADVERTISED_URL", "https://mcp.example.com/team-a"),
            ],
        );
        for path in [well_known.to_owned(), format!("{well_known}/team-a/mcp")] {
            let answer = server.send(get(&path)).await;
            assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT, "{path}");
            assert_eq!(answer.header("location"), Some(location));
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        }
        assert_eq!(
            server.send(get(&format!("{well_known}/elsewhere"))).await.status,
            StatusCode::NOT_FOUND
        );
    }
    assert_eq!(hq.metadata_paths(), [""; 0], "nothing of HQ is fetched for a redirect");
}

#[tokio::test]
async fn any_page_may_read_the_metadata() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    for path in
        ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server"]
    {
        let mut preflight = get(path)
            .with_header("origin", "https://anyone.example")
            .with_header("access-control-request-method", "GET")
            .with_header("access-control-request-headers", "mcp-protocol-version");
        *preflight.method_mut() = Method::OPTIONS;
        let answer = server.send(preflight).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-headers"), Some("*"));
    }
}

#[tokio::test]
async fn nothing_else_is_there() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    for path in ["/sse", "/metrics", "/livez", "/.well-known/openid-configuration"] {
        assert_eq!(server.send(get(path)).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
