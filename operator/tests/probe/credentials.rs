//! Credentials go where they belong, whatever an author writes and whatever an answer says.

use std::sync::{Arc, Mutex};

use axum::{
    Json, Router,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use lenses_mcp_crds::{VerificationMode, conditions::Reason};
use lenses_mcp_operator::probe::{
    AuthorizationServer, Callers, ClientCredentials, Endpoint, Lenses, Token,
    dial::DialPolicy,
    http::Http,
    probe_endpoint, probe_lenses,
    trust::{Authorities, Trust},
};
use secrecy::SecretString;
use serde_json::json;

use crate::{endpoint, http, lenses, listeners::Listener, on_loopback};

/// A request that came in: its method, its path and whether it has a credential.
type Seen = Arc<Mutex<Vec<(String, bool)>>>;

/// Claims to be whatever is asked for, and records who shows a credential.
async fn pretender() -> (Listener, Seen) {
    let seen = Seen::default();
    let recorded = Arc::clone(&seen);
    let listener = Listener::serving(move |_| {
        Router::new().fallback(async move |request: Request| {
            let shown = request.headers().contains_key(header::AUTHORIZATION);
            let host = request.headers()[header::HOST].to_str().unwrap().to_owned();
            let (method, path) = (request.method(), request.uri().path().to_owned());
            recorded.lock().unwrap().push((format!("{method} {path}"), shown));
            pretend(&format!("http://{host}"), &path, shown)
        })
    })
    .await;
    (listener, seen)
}

fn pretend(own: &str, path: &str, shown: bool) -> Response {
    match path {
        "/mcp" if shown => {
            let tools = [json!({ "name": "t", "inputSchema": {} })];
            Json(json!({ "jsonrpc": "2.0", "id": 2, "result": { "tools": tools } })).into_response()
        }
        "/mcp" => {
            let challenge = format!("Bearer resource_metadata=\"{own}/metadata\"");
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
        }
        "/metadata" => {
            Json(json!({ "resource": format!("{own}/mcp"), "authorization_servers": [own] }))
                .into_response()
        }
        "/oauth2/introspect" => Json(json!({ "active": false })).into_response(),
        _ => Json(json!({
            "issuer": own,
            "registration_endpoint": own,
            "code_challenge_methods_supported": ["S256"],
        }))
        .into_response(),
    }
}

fn with_credential(seen: &Seen) -> Vec<String> {
    let seen = seen.lock().unwrap();
    seen.iter().filter(|(_, shown)| *shown).map(|(request, _)| request.clone()).collect()
}

fn asked(seen: &Seen) -> usize {
    seen.lock().unwrap().len()
}

#[tokio::test]
async fn the_operators_token_goes_to_the_service_never_the_public_url() {
    let (public, seen_in_public) = pretender().await;
    let (service, seen_by_service) = pretender().await;
    // Leads to the same listener, and is not the loopback address in whose place the Service is
    // dialled.
    let base = format!("http://0.0.0.0:{}", public.address.port());
    let named = Endpoint {
        service: service.url("/"),
        ..endpoint(&base.parse().unwrap(), Callers::SignedIn { issuer: base.clone() })
    };
    let anywhere = ["127.0.0.0/8", "0.0.0.0/8"].map(|range| range.parse().unwrap()).to_vec();
    let dial = DialPolicy::new(anywhere, Vec::new());
    let http = Http::new([], Trust::default(), &dial).unwrap();
    let token = SecretString::from("the-operators-token");
    let found = probe_endpoint(&http, &named, Some(Token::ForService(&token))).await;
    assert!(found.finding.holds && asked(&seen_in_public) == 2, "{found:?}");
    assert_eq!(with_credential(&seen_in_public), Vec::<String>::new());
    assert_eq!(with_credential(&seen_by_service), ["POST /mcp"]);

    let found = probe_endpoint(&http, &named, Some(Token::ForPublicUrl(&token))).await;
    assert_eq!(with_credential(&seen_in_public), ["POST /mcp"], "a person's own: {found:?}");
}

#[tokio::test]
async fn in_service_mode_the_message_says_that_no_public_url_is_dialled() {
    let (public, seen_in_public) = pretender().await;
    let (service, seen_by_service) = pretender().await;
    let target = Endpoint {
        service: service.url("/"),
        mode: VerificationMode::Service,
        ..endpoint(&public.url("/"), Callers::WithToken)
    };
    let found = probe_endpoint(&http(), &target, None).await;
    assert!(found.finding.holds, "{found:?}");
    assert!(found.finding.message.contains("verification.mode is service"), "{found:?}");
    assert_eq!((asked(&seen_in_public), asked(&seen_by_service)), (0, 1));
}

#[tokio::test]
async fn credentials_for_introspection_go_to_hqs_origin_only() {
    let (hq, seen_by_hq) = pretender().await;
    let (elsewhere, seen_elsewhere) = pretender().await;
    let client = || {
        let (id, secret) = ("client".to_owned().into(), "secret".to_owned().into());
        Some(ClientCredentials { id, secret })
    };
    let right = lenses(&hq.url("/"));
    let found = probe_lenses(&http(), &right, client().as_ref()).await;
    assert!(found.holds && found.message.contains("tokens can be checked"), "{found:?}");
    assert_eq!(with_credential(&seen_by_hq), ["POST /oauth2/introspect"]);

    let server = right.authorization_server.clone().unwrap();
    let introspection_url = elsewhere.url("/oauth2/introspect");
    let server = AuthorizationServer { introspection_url, ..server };
    let astray = Lenses { authorization_server: Some(server), ..right };
    let found = probe_lenses(&http(), &astray, client().as_ref()).await;
    assert!(found.holds && found.message.contains("is not examined"), "{found:?}");
    assert_eq!(asked(&seen_elsewhere), 0);
}

#[tokio::test]
async fn what_has_no_metadata_is_sent_no_post() {
    let posts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&posts);
    let other = Listener::serving(|_| {
        Router::new().fallback(async move |request: Request| {
            seen.lock().unwrap().push(request.method().to_string());
            "not an HQ"
        })
    })
    .await;
    let found = probe_lenses(&http(), &lenses(&other.url("/")), None).await;
    assert_eq!(found.reason, Reason::LensesMetadataUnreadable, "{found:?}");
    let posts = posts.lock().unwrap();
    assert!(!posts.is_empty() && posts.iter().all(|method| method == "GET"), "{posts:?}");
}

#[tokio::test]
async fn a_refused_address_is_reported_and_gets_no_connection() {
    let (listener, seen) = pretender().await;
    let port = listener.address.port();
    let guarded = |url: &url::Url| Http::new([url], Trust::default(), &DialPolicy::default());
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let url: url::Url = format!("http://{host}:{port}/").parse().unwrap();
        let found = probe_lenses(&guarded(&url).unwrap(), &lenses(&url), None).await;
        assert_eq!(found.reason, Reason::AddressForbidden, "{host}: {found:?}");
        assert!(found.message.contains("is not dialled"), "{host}: {found:?}");
    }
    assert_eq!(asked(&seen), 0);
    let api_server = DialPolicy::new(vec!["127.0.0.0/8".parse().unwrap()], vec![listener.address]);
    let http = Http::new([], Trust::default(), &api_server).unwrap();
    let found = probe_lenses(&http, &lenses(&listener.url("/")), None).await;
    assert!(found.message.contains("is the address of the API server"), "{found:?}");
    assert_eq!(asked(&seen), 0);
}

#[tokio::test]
async fn a_service_may_show_the_public_urls_certificate_and_no_other() {
    let (service, authority) = Listener::over_tls("mcp.example.com").await;
    let authorities = Authorities::parse(authority.as_bytes()).unwrap();
    let url: url::Url = format!("https://localhost:{}/", service.address.port()).parse().unwrap();
    let at = Lenses { url: url.clone(), authorization_server: None };
    for (name, reason) in [
        (Some("mcp.example.com"), Reason::LensesReachable),
        (Some("other.example.com"), Reason::CertificateUntrusted),
        (None, Reason::CertificateUntrusted),
    ] {
        let alias = name.map(|name| ("localhost".to_owned(), name.to_owned()));
        let trust = Trust { authorities: Some(&authorities), identity: None, alias };
        let http = Http::new([&url], trust, &on_loopback()).unwrap();
        assert_eq!(probe_lenses(&http, &at, None).await.reason, reason, "{name:?}");
    }
}
