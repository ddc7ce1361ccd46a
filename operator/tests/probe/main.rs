//! Verification against listeners that misbehave, and against the real server.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]

mod bounds;
mod credentials;
mod listeners;
mod real_server;
mod version;

use lenses_mcp_crds::{ClientRegistration, VerificationMode};
use lenses_mcp_operator::probe::{
    AuthorizationServer, Callers, Endpoint, Lenses, dial::DialPolicy, http::Http, trust::Trust,
};
use url::Url;

/// The listeners of these tests are on loopback, which the operator dials only if its settings say
/// so.
fn on_loopback() -> DialPolicy {
    DialPolicy::new(vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()], Vec::new())
}

fn http() -> Http {
    Http::new([], Trust::default(), &on_loopback()).unwrap()
}

/// HQ at `url`, which also calls itself so.
fn lenses(url: &Url) -> Lenses {
    let issuer = url.as_str().trim_end_matches('/').to_owned();
    let introspection_url = url.join("oauth2/introspect").unwrap();
    Lenses {
        url: url.clone(),
        authorization_server: Some(AuthorizationServer {
            issuer,
            introspection_url,
            client_registration: ClientRegistration::Dynamic,
        }),
    }
}

/// A server whose clients are given `service` and `/mcp`.
fn endpoint(service: &Url, callers: Callers) -> Endpoint {
    Endpoint {
        url: format!("{}mcp", service.as_str()),
        service: service.clone(),
        mode: VerificationMode::Endpoint,
        callers,
        expected_tools: None,
    }
}

fn signed_in() -> Callers {
    Callers::SignedIn { issuer: "https://hq.example.com".to_owned() }
}
