//! What clients read before they sign in.

use http::{Method, StatusCode};

use crate::{
    client::{Server, With, get},
    hq::Hq,
};

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

#[tokio::test]
async fn both_paths_answer_with_the_resource_metadata_of_rfc_9728() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    for path in
        ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"]
    {
        let answer = server.send(get(path)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            answer.body,
            concat!(
                r#"{"resource":"https://mcp.example.com/mcp","#,
                r#""authorization_servers":["https://lenses.example.com"],"#,
                r#""scopes_supported":["read","write","delete"],"#,
                r#""bearer_methods_supported":["header"]}"#,
            )
        );
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
}

#[tokio::test]
async fn the_issuer_is_published_byte_for_byte_and_scopes_as_offered() {
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
        let expected = "resource_metadata=\"https://mcp.example.com/.well-known/\
                        oauth-protected-resource/team-a/mcp\"";
        assert!(answer.challenge().unwrap().contains(expected), "{answer:?}");
    }
}

#[tokio::test]
async fn hqs_own_metadata_is_answered_at_this_host_byte_for_byte() {
    let hq = Hq::start().await;
    let document = r#"{ "issuer":"https://lenses.example.com","x_of_hq":12345678901234567890 }"#;
    hq.answer_metadata(Some((StatusCode::OK, document.to_owned())));
    let server =
        Server::with_oauth(&hq, &[("MCP_ADVERTISED_URL", "https://mcp.example.com/team-a")]);
    for path in [WELL_KNOWN.to_owned(), format!("{WELL_KNOWN}/team-a/mcp")] {
        let request = get(&path).with_header("origin", "https://anyone.example");
        let answer = server.send(request).await;
        assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, document), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    }
    assert_eq!(hq.metadata_paths(), [WELL_KNOWN], "it is kept for a while");
    let answer = server.send(get(&format!("{WELL_KNOWN}/elsewhere"))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn missing_metadata_of_hq_is_503_without_its_address() {
    let hq = Hq::start().await;
    for (status, body) in [
        (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        (StatusCode::OK, "<html>login</html>".to_owned()),
        (StatusCode::OK, format!(r#"{{"issuer":"{}"}}"#, "x".repeat(70_000))),
    ] {
        hq.answer_metadata(Some((status, body)));
        let answer = Server::with_oauth(&hq, &[]).send(get(WELL_KNOWN)).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert!(!answer.body.contains("127.0.0.1"), "{answer:?}");
    }
}

#[tokio::test]
async fn metadata_that_hq_does_not_have_is_404() {
    let hq = Hq::start().await;
    hq.answer_metadata(None);
    let answer = Server::with_oauth(&hq, &[]).send(get(WELL_KNOWN)).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.body, "Lenses HQ publishes no authorization server metadata\n");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn any_page_may_read_the_metadata() {
    let server = Server::with_oauth(&Hq::start().await, &[]);
    for path in ["/.well-known/oauth-protected-resource/mcp", WELL_KNOWN] {
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
