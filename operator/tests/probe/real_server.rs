//! Verification of the real server, in this process: what it does is what is verified to be right.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use axum::{Form, Json, Router, routing::post};
use lenses_mcp_crds::conditions::Reason;
use lenses_mcp_operator::probe::{Callers, Token, probe_endpoint};
use lenses_mcp_server::{
    audit::AuditLog,
    lifecycle::Stages,
    metrics::Metrics,
    settings::{Settings, Transport, Variables},
    start,
};
use secrecy::SecretString;
use serde_json::json;

use crate::{endpoint, http, listeners::Listener};

const TOKEN: &str = "a-token-that-is-good-0123456789";

/// The real server, with these settings and the address that it is served at.
async fn serving(settings: &[(&str, &str)]) -> Listener {
    Listener::serving(|address| {
        let mut all: BTreeMap<String, String> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        all.insert("TRANSPORT".into(), "http".into());
        all.entry("MCP_ADVERTISED_URL".into()).or_insert_with(|| format!("http://{address}"));
        let no_files = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
        let settings = Settings::read(&Variables::load(all, &no_files).unwrap()).unwrap();
        let Transport::Http(http) = &settings.transport else { unreachable!("HTTP was asked for") };
        start::http_routers(
            &settings,
            http,
            Arc::new(Metrics::new()),
            AuditLog::default(),
            &Stages::default(),
            Arc::new,
        )
        .unwrap()
        .endpoint
    })
    .await
}

async fn with_oauth(hq: &Listener, more: &[(&str, &str)]) -> Listener {
    let lenses_url = hq.url("/").to_string();
    let settings = [
        ("OAUTH_ENABLED", "true"),
        ("LENSES_URL", lenses_url.as_str()),
        ("LENSES_ADVERTISED_URL", "https://hq.example.com"),
        ("MCP_AUDIENCE", "ignored"),
    ];
    serving(&[&settings[..], more].concat()).await
}

/// An HQ that knows one token.
async fn hq() -> Listener {
    let introspect = async |Form(form): Form<BTreeMap<String, String>>| {
        Json(json!({
            "active": form.get("token").is_some_and(|token| token == TOKEN), "scope": "read"
        }))
    };
    Listener::serving(|_| Router::new().route("/oauth2/introspect", post(introspect))).await
}

async fn verified(
    server: &Listener,
    callers: Callers,
    token: Option<&str>,
) -> lenses_mcp_operator::probe::EndpointProbe {
    let service = server.url("/");
    let token = token.map(SecretString::from);
    let token = token.as_ref().map(Token::ForService);
    probe_endpoint(&http(), &endpoint(&service, callers), token).await
}

fn sign_in() -> Callers {
    Callers::SignedIn { issuer: "https://hq.example.com".into() }
}

#[tokio::test]
async fn an_oauth_server_is_verified_and_a_token_counts_its_tools() {
    let hq = hq().await;
    let server = with_oauth(&hq, &[]).await;
    let found = verified(&server, sign_in(), None).await;
    assert_eq!((found.finding.holds, found.finding.reason), (true, Reason::Verified), "{found:?}");
    assert_eq!(found.tools, None);

    let found = verified(&server, sign_in(), Some(TOKEN)).await;
    assert!(found.finding.holds, "{found:?}");
    let tools = found.tools.unwrap();
    assert!(tools.count > 20, "{tools:?}");
    assert!(found.finding.message.contains(&format!("{} tools", tools.count)));
    let offering_less = with_oauth(&hq, &[("MCP_TOOLS_DENY", "list_topics")]).await;
    let less = verified(&offering_less, sign_in(), Some(TOKEN)).await.tools.unwrap();
    assert_eq!(less.count + 1, tools.count);
    assert_ne!(less.digest, tools.digest);

    let found = verified(&server, sign_in(), Some("another")).await;
    assert_eq!(found.finding.reason, Reason::CredentialRefused, "{found:?}");
    assert!(!found.finding.message.contains("another"), "{found:?}");
    assert_eq!(
        verified(&server, sign_in(), Some("two\nlines")).await.finding.reason,
        Reason::MaterialUnusable
    );
}

#[tokio::test]
async fn a_server_that_serves_another_url_or_issuer_is_found_out() {
    let hq = hq().await;
    let elsewhere = with_oauth(
        &hq,
        &[("MCP_ADVERTISED_URL", "https://mcp.example.com"), ("MCP_ALLOWED_HOSTS", "127.0.0.1")],
    )
    .await;
    let found = verified(&elsewhere, sign_in(), None).await;
    assert_eq!(found.finding.reason, Reason::MetadataMismatch, "{found:?}");
    assert!(found.finding.message.contains("https://mcp.example.com"), "{found:?}");

    let server = with_oauth(&hq, &[]).await;
    let found =
        verified(&server, Callers::SignedIn { issuer: "https://hq.example.com/".into() }, None)
            .await;
    assert_eq!(found.finding.reason, Reason::MetadataMismatch, "{found:?}");
}

#[tokio::test]
async fn a_server_with_an_api_key_is_verified_for_its_callers() {
    let key = [("LENSES_API_KEY", "sa_key_0123456789"), ("LENSES_URL", "http://127.0.0.1:9")];
    let shared = serving(&[&key[..], &[("MCP_CALLER_TOKEN", TOKEN)]].concat()).await;
    let found = verified(&shared, Callers::WithToken, None).await;
    assert_eq!((found.finding.reason, &found.tools), (Reason::Verified, &None), "{found:?}");
    let with_token = verified(&shared, Callers::WithToken, Some(TOKEN)).await;
    assert!(with_token.tools.is_some(), "{with_token:?}");
    assert_eq!(
        verified(&shared, Callers::WithToken, Some("x")).await.finding.reason,
        Reason::CredentialRefused
    );

    let open = serving(&[&key[..], &[("MCP_CALLERS", "anyone")]].concat()).await;
    let found = verified(&open, Callers::Anyone, None).await;
    assert_eq!(found.finding.reason, Reason::Verified, "{found:?}");
    assert_eq!(found.tools, with_token.tools, "the same tools have another digest");
    for callers in [Callers::WithToken, sign_in()] {
        let found = verified(&open, callers, None).await;
        assert_eq!(found.finding.reason, Reason::TooOpen, "{found:?}");
    }
    assert_eq!(
        verified(&shared, Callers::Anyone, None).await.finding.reason,
        Reason::EndpointUnreachable
    );
}
