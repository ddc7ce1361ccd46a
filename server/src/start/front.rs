//! Sign-in, and the one TLS configuration that it shares with the client of HQ.

use std::sync::Arc;

use rustls::ClientConfig;
use url::Url;

use super::StartError;
use crate::{
    auth::{AuthorizationServer, BackChannel, Mode, ResourceServer, SharedToken},
    diagnostics::Diagnostics,
    identity::Identity,
    metrics::Metrics,
    settings::{Http, Settings, SignIn},
    tls::{self, TlsError},
};

/// What is done with the identity of a caller whose token HQ refuses.
pub(super) type OnUnauthorized = Arc<dyn Fn(&Identity) + Send + Sync>;

/// What sign-in leaves for the others.
pub(super) struct Front {
    pub(super) mode: Mode,
    pub(super) on_unauthorized: OnUnauthorized,
    pub(super) diagnostics: Arc<Diagnostics>,
    /// For all connections to HQ.
    pub(super) tls: ClientConfig,
}

/// Sign-in as `http` says.
pub(super) fn front(
    settings: &Settings,
    http: &Http,
    metrics: &Metrics,
) -> Result<Front, StartError> {
    let lenses_url = &settings.lenses_url;
    let introspection_url = match &http.sign_in {
        SignIn::OAuth(oauth) => Some(&oauth.introspection.url),
        SignIn::ApiKey { .. } => None,
    };
    let tls = lenses_tls(settings, introspection_url, metrics)?;
    let back_channel =
        BackChannel::new(tls.clone(), &settings.proxies).map_err(StartError::BackChannel)?;
    match &http.sign_in {
        SignIn::OAuth(oauth) => {
            let authorization_server = Arc::new(AuthorizationServer::new(
                oauth,
                lenses_url,
                back_channel,
                metrics.auth.clone(),
                &metrics.lenses,
            ));
            let max_questions = settings.limits.max_concurrent_requests;
            let resource_server = Arc::new(ResourceServer::new(
                oauth,
                settings.policy.scopes(),
                authorization_server.clone(),
                max_questions,
                metrics.auth.clone(),
            ));
            let forgetting = resource_server.clone();
            Ok(Front {
                mode: Mode::OAuth(resource_server),
                on_unauthorized: Arc::new(move |identity| forgetting.forget(identity)),
                diagnostics: Arc::new(Diagnostics::of_oauth(
                    lenses_url,
                    oauth,
                    authorization_server,
                )),
                tls,
            })
        }
        SignIn::ApiKey { api_key, callers } => Ok(Front {
            mode: Mode::Shared(SharedToken::new(callers, api_key, settings.policy.scopes())),
            on_unauthorized: Arc::new(|_| {}),
            diagnostics: Arc::new(Diagnostics::of_api_key(lenses_url, api_key, back_channel)),
            tls,
        }),
    }
}

/// The one TLS configuration for all connections to HQ.
pub(super) fn lenses_tls(
    settings: &Settings,
    introspection_url: Option<&Url>,
    metrics: &Metrics,
) -> Result<ClientConfig, TlsError> {
    let addresses =
        [&settings.lenses_url, &settings.lenses_websocket_url].into_iter().chain(introspection_url);
    tls::client_config(&settings.lenses_trust, addresses, metrics.tls.clone())
}
