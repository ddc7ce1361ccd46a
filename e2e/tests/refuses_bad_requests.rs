//! Requests that no client of good will sends: each gets the error that its RFC or MCP names, and
//! the server goes on.

use lenses_mcp_e2e::{
    bed::{mcp_url, prove},
    client::{Application, Ticks, http_client},
};
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

#[tokio::test]
async fn every_bad_request_gets_its_specified_error_and_the_server_keeps_serving() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let url = mcp_url(&bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?)?;
        let session = Application::new("Claude", &url, "alice")?.sign_in(Ticks::AsAsked).await?;
        let token = session.access_token().await?;
        let http = http_client()?;
        let post = |authorization: Option<&str>, body: Vec<u8>| {
            let request = http
                .post(&url)
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::ACCEPT, "application/json, text/event-stream")
                .header("mcp-protocol-version", "2025-11-25")
                .body(body);
            match authorization {
                Some(value) => request.header(header::AUTHORIZATION, value),
                None => request,
            }
        };
        let bearer = format!("Bearer {token}");
        let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.to_vec();

        let large = post(Some(&bearer), vec![b' '; 5 << 20]).send().await?;
        assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);

        let broken = post(Some(&bearer), b"{\"jsonrpc\": ".to_vec()).send().await?;
        assert_eq!(broken.status(), StatusCode::BAD_REQUEST);
        assert_eq!(broken.json::<Value>().await?["error"]["code"], -32700);

        let malformed = post(Some("Bearer"), ping.clone()).send().await?;
        assert_eq!(
            malformed.status(),
            StatusCode::BAD_REQUEST,
            "a header without a token is no request (RFC 6750 §3.1)"
        );
        for no_token in [
            "Bearer no token at all",
            "Bearer \"quoted\"",
            "Bearer unknown-to-hq",
            "Basic YWxpY2U6YWxpY2U=",
        ] {
            let response = post(Some(no_token), ping.clone()).send().await?;
            let challenge = response.headers().get(header::WWW_AUTHENTICATE).cloned();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{no_token:?}");
            assert!(
                challenge.is_some_and(|value| value.as_bytes().starts_with(b"Bearer ")),
                "{no_token:?}"
            );
        }

        let elsewhere = post(Some(&bearer), ping.clone())
            .header(header::ORIGIN, "https://evil.example")
            .send()
            .await?;
        assert_eq!(elsewhere.status(), StatusCode::FORBIDDEN);
        let rebound = post(Some(&bearer), ping).header(header::HOST, "evil.example").send().await?;
        assert_eq!(rebound.status(), StatusCode::FORBIDDEN);

        let in_query =
            http.post(format!("{url}?access_token={token}")).json(&json!({})).send().await?;
        assert_eq!(in_query.status(), StatusCode::UNAUTHORIZED, "a token in the query is no token");

        assert_ne!(session.call("list_environments", json!({})).await?.is_error, Some(true));
        Ok(())
    })
    .await;
}
