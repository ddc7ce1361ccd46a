//! What misbehaves costs a bounded time and a bounded read, gets a reason, and leads nowhere else.

use std::time::Duration;

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect},
    routing::{any, get},
};
use lenses_mcp_crds::conditions::Reason;
use lenses_mcp_operator::probe::{
    Callers, Lenses,
    http::{ANSWER_MAX, Http},
    probe_endpoint, probe_lenses,
    trust::{Authorities, Trust},
};
use serde_json::json;
use url::Url;

use crate::{
    endpoint, http, lenses,
    listeners::{Listener, endless},
    on_loopback, signed_in,
};

#[tokio::test]
async fn what_never_answers_is_given_up() {
    let silent = Listener::silent().await;
    let http = http().within(Duration::from_millis(200));
    let finding = probe_lenses(&http, &lenses(&silent.url("/")), None).await;
    assert_eq!((finding.holds, finding.reason), (false, Reason::Unreachable), "{finding:?}");
    assert!(finding.message.contains("does not answer within 0.2 s"), "{finding:?}");
    let found = probe_endpoint(&http, &endpoint(&silent.url("/"), signed_in()), None).await;
    assert_eq!(found.finding.reason, Reason::EndpointUnreachable, "{found:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_read_up_to_a_limit() {
    let drip = Listener::serving(|_| Router::new().fallback(async || endless())).await;
    let finding = probe_lenses(&http(), &lenses(&drip.url("/")), None).await;
    assert_eq!(finding.reason, Reason::LensesMetadataUnreadable, "{finding:?}");
    let large = Listener::serving(|_| {
        Router::new().fallback(async || format!("\"{}\"", "x".repeat(ANSWER_MAX)))
    })
    .await;
    let finding = probe_lenses(&http(), &lenses(&large.url("/")), None).await;
    assert_eq!(finding.reason, Reason::LensesMetadataUnreadable, "{finding:?}");
}

#[tokio::test]
async fn a_redirect_is_told_and_never_followed() {
    let other = Listener::serving(|_| Router::new().fallback(async || "{}")).await;
    let target = other.url("/elsewhere?code=secret").to_string();
    let redirecting = Listener::serving(|_| {
        Router::new().fallback(move || {
            let target = target.clone();
            async move { Redirect::temporary(&target) }
        })
    })
    .await;
    let finding = probe_lenses(&http(), &lenses(&redirecting.url("/")), None).await;
    assert_eq!(finding.reason, Reason::LensesMetadataUnreadable, "{finding:?}");
    let found = probe_endpoint(&http(), &endpoint(&redirecting.url("/"), signed_in()), None).await;
    assert_eq!(found.finding.reason, Reason::EndpointUnreachable, "{found:?}");
    assert!(
        found.finding.message.contains("/elsewhere") && !found.finding.message.contains("secret"),
        "{found:?}"
    );
    assert_eq!(other.connections(), 0, "the redirect was followed");
}

#[tokio::test]
async fn metadata_on_another_host_is_never_asked_for() {
    let other = Listener::serving(|_| Router::new().fallback(async || "{}")).await;
    let elsewhere = format!(
        "Bearer resource_metadata=\"{}\"",
        other.url("/.well-known/oauth-protected-resource/mcp")
    );
    let challenging = Listener::serving(|_| {
        Router::new().fallback(move || {
            let elsewhere = elsewhere.clone();
            async move { (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, elsewhere)]) }
        })
    })
    .await;
    let found = probe_endpoint(&http(), &endpoint(&challenging.url("/"), signed_in()), None).await;
    assert_eq!(found.finding.reason, Reason::MetadataMismatch, "{found:?}");
    assert_eq!(other.connections(), 0, "another host was asked");
}

#[tokio::test]
async fn what_is_not_http_is_unreachable() {
    for bytes in [
        &b""[..],
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",
        b"\x15\x03\x01\x00\x02\x02F",
    ] {
        let garbage = Listener::saying(bytes).await;
        let finding = probe_lenses(&http(), &lenses(&garbage.url("/")), None).await;
        assert_eq!(finding.reason, Reason::Unreachable, "{bytes:?} gave {finding:?}");
        assert!(!finding.message.contains("OpenSSH"), "{finding:?}");
        let found = probe_endpoint(&http(), &endpoint(&garbage.url("/"), signed_in()), None).await;
        assert_eq!(found.finding.reason, Reason::EndpointUnreachable, "{bytes:?} gave {found:?}");
    }
}

#[tokio::test]
async fn a_certificate_is_trusted_with_its_authority_and_for_its_name_only() {
    let (right, authority) = Listener::over_tls("localhost").await;
    let https: Url = "https://localhost".parse().unwrap();
    let authorities = Authorities::parse(authority.as_bytes()).unwrap();
    let with = |trust| Http::new([&https], trust, &on_loopback()).unwrap();
    let trusting = with(Trust { authorities: Some(&authorities), ..Trust::default() });
    let at = |name: &str| Lenses {
        url: format!("https://{name}:{}/", right.address.port()).parse().unwrap(),
        authorization_server: None,
    };
    let finding = probe_lenses(&trusting, &at("localhost"), None).await;
    assert_eq!(finding.reason, Reason::LensesReachable, "{finding:?}");
    for (http, name) in [(with(Trust::default()), "localhost"), (trusting, "127.0.0.1")] {
        let finding = probe_lenses(&http, &at(name), None).await;
        assert_eq!(finding.reason, Reason::CertificateUntrusted, "{finding:?}");
        assert!(finding.message.contains("spec.lenses.caBundle"), "{finding:?}");
    }
}

#[tokio::test]
async fn the_list_of_tools_is_read_by_page_up_to_a_limit() {
    let pages = |last: usize| {
        Listener::serving(move |_| {
            Router::new().route(
                "/mcp",
                any(async move |body: axum::Json<serde_json::Value>| {
                    if body["method"] == "initialize" {
                        return axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "result": {} }))
                            .into_response();
                    }
                    let at: usize =
                        body["params"]["cursor"].as_str().unwrap_or("0").parse().unwrap();
                    let next = (at < last).then(|| (at + 1).to_string());
                    let tools = [json!({ "name": format!("t{at}"), "inputSchema": {} })];
                    let page = json!({
                        "jsonrpc": "2.0", "id": 2, "result": { "tools": tools, "nextCursor": next }
                    });
                    // As an event of a stream that stays open.
                    let first = format!("data: {page}\n\n");
                    let stream = futures::StreamExt::chain(
                        futures::stream::once(async move { Ok::<_, std::io::Error>(first) }),
                        futures::stream::pending(),
                    );
                    (
                        [(header::CONTENT_TYPE, "text/event-stream")],
                        axum::body::Body::from_stream(stream),
                    )
                        .into_response()
                }),
            )
        })
    };
    let three = pages(2).await;
    let found = probe_endpoint(&http(), &endpoint(&three.url("/"), Callers::Anyone), None).await;
    assert!(found.finding.holds, "{found:?}");
    assert_eq!(found.tools.map(|tools| tools.count), Some(3));
    let endless = pages(usize::MAX).await;
    let found = probe_endpoint(&http(), &endpoint(&endless.url("/"), Callers::Anyone), None).await;
    assert_eq!(found.finding.reason, Reason::ToolsNotListed, "{found:?}");
}

#[tokio::test]
async fn no_proxy_of_the_environment_is_used() {
    // Every test of this process is free of them; the one that matters is a process of its own.
    if std::env::var("HTTP_PROXY").is_err() {
        let proxy = Listener::serving(|_| Router::new().fallback(async || "from the proxy")).await;
        let status = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "bounds::no_proxy_of_the_environment_is_used"])
            .env("HTTP_PROXY", proxy.url("").as_str())
            .env("http_proxy", proxy.url("").as_str())
            .env("ALL_PROXY", proxy.url("").as_str())
            .status()
            .await
            .unwrap();
        assert!(status.success());
        assert_eq!(proxy.connections(), 0);
        return;
    }
    let hq = Listener::serving(|_| Router::new().route("/", get(async || "HQ"))).await;
    let target = Lenses { url: hq.url("/"), authorization_server: None };
    assert!(probe_lenses(&http(), &target, None).await.holds);
    assert_eq!(hq.connections(), 1);
}
