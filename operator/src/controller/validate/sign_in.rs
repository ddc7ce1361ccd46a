//! The sign-in: one mode, with all that it needs.

use lenses_mcp_crds::{
    Audience, ClientRegistration, DerivedSetting, LensesMcpServer, OAuth, Scope, SecretKeyRef,
};

use super::{Rejection, addresses::checked};

/// How callers sign in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SignIn {
    OAuth {
        /// HQ as browsers reach it, byte for byte: OAuth compares it as text.
        issuer: String,
        scopes: Vec<Scope>,
        introspection_url: String,
        cache_ttl_seconds: u64,
        /// The Secret with `client_id` and `client_secret`.
        client_credentials: Option<String>,
        audience: Audience,
        /// Client ids; empty: all.
        allowed_clients: Vec<String>,
        client_registration: ClientRegistration,
    },
    ApiKey {
        key: SecretKeyRef,
        callers: Callers,
    },
}

/// Who may call in API-key mode.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Callers {
    /// Those who present this token.
    Token(SecretKeyRef),
    /// Anyone who can reach the port.
    Anyone,
}

pub(super) fn sign_in(
    server: &LensesMcpServer,
    lenses_url: Option<&str>,
    derived: &mut Vec<DerivedSetting>,
    rejections: &mut Vec<Rejection>,
) -> Option<SignIn> {
    match (&server.spec.auth.oauth, &server.spec.auth.api_key) {
        (Some(oauth), None) => by_oauth(server, oauth, lenses_url, derived, rejections),
        (None, Some(api_key)) => {
            let callers = match (&api_key.callers.token_secret_ref, api_key.callers.anyone) {
                (Some(token), false) => Callers::Token(token.clone()),
                (None, true) => Callers::Anyone,
                _ => {
                    let message = "write exactly one of tokenSecretRef and anyone: true".to_owned();
                    rejections.push(Rejection::InvalidSpec {
                        field: "spec.auth.apiKey.callers",
                        message,
                    });
                    return None;
                }
            };
            Some(SignIn::ApiKey { key: api_key.secret_key_ref.clone(), callers })
        }
        _ => {
            let message = "write exactly one of oauth ({} is enough) and apiKey".to_owned();
            rejections.push(Rejection::InvalidSpec { field: "spec.auth", message });
            None
        }
    }
}

fn by_oauth(
    server: &LensesMcpServer,
    oauth: &OAuth,
    lenses_url: Option<&str>,
    derived: &mut Vec<DerivedSetting>,
    rejections: &mut Vec<Rejection>,
) -> Option<SignIn> {
    let lenses = &server.spec.lenses;
    let issuer = match (&lenses.advertised_url, &lenses.url) {
        (Some(advertised), _) => advertised.clone(),
        (None, Some(url)) => {
            derived.push(DerivedSetting {
                setting: "LENSES_ADVERTISED_URL".to_owned(),
                value: url.clone(),
                rule: "spec.lenses.url, since spec.lenses.advertisedUrl is not set".to_owned(),
            });
            url.clone()
        }
        (None, None) => {
            let message =
                "OAuth needs the URL at which browsers reach Lenses HQ: write its issuerURL"
                    .to_owned();
            rejections.push(Rejection::InvalidSpec { field: "spec.lenses.advertisedUrl", message });
            return None;
        }
    };
    let introspection = &oauth.introspection;
    let introspection_url = if let Some(url) = &introspection.url {
        checked("spec.auth.oauth.introspection.url", url, rejections)?
    } else {
        let url = format!("{}/oauth2/introspect", lenses_url?.trim_end_matches('/'));
        derived.push(DerivedSetting {
            setting: "INTROSPECTION_URL".to_owned(),
            value: url.clone(),
            rule: "LENSES_URL and /oauth2/introspect".to_owned(),
        });
        url
    };
    Some(SignIn::OAuth {
        issuer,
        scopes: oauth.scopes.clone(),
        introspection_url,
        cache_ttl_seconds: std::time::Duration::from(introspection.cache_ttl).as_secs(),
        client_credentials: introspection
            .client_credentials_secret_ref
            .as_ref()
            .map(|secret| secret.name.clone()),
        audience: oauth.audience,
        allowed_clients: oauth.allowed_clients.clone(),
        client_registration: oauth.client_registration,
    })
}
