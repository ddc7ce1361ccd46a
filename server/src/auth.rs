//! Sign-in: who calls, and may they do what this call does.
//!
//! ```text
//! Authorization header ─▶ bearer: syntax
//!   ─▶ resource_server: OAuth ─▶ token_validator: cache, single_flight
//!        │                         failed_sign_ins, address_shares: bounds per address
//!        │                         ╰─▶ introspection ─▶ HQ (RFC 7662)
//!        ╰─▶ token_exchange (RFC 8693)
//!   ╰▶ shared_token: API-key mode, one token for all callers
//! Identity ─▶ authorize: the scopes that the call needs ─▶ MCP
//! AuthError  ─▶ challenge: 400, 401 (with a rejection), 403 (RFC 6750, RFC 9728), 429, 431 or 503
//! ```
//!
//! A token is asked about at HQ for each request unless the operator said otherwise, so that a
//! revoked application is out at its next call. HQ failing is never the caller's fault: it is 503,
//! and the token stays good.

mod address_shares;
mod audience;
mod authorization_server;
mod back_channel;
mod bearer;
mod challenge;
mod failed_sign_ins;
#[cfg(test)]
mod fuzz;
mod grant;
mod introspection;
mod metadata;
mod metrics;
mod no_authorization_server;
mod rejection;
mod resource_server;
pub(crate) mod server_metadata;
mod shared_token;
mod single_flight;
mod token_exchange;
mod token_validator;

use std::{net::IpAddr, ops::ControlFlow, sync::Arc};

use axum::{Router, response::Response};
use http::HeaderMap;
use secrecy::ExposeSecret;

pub use self::{
    authorization_server::AuthorizationServer,
    back_channel::BackChannel,
    challenge::AuthError,
    introspection::IntrospectionError,
    metrics::{AuthMetrics, CacheHit, Introspection, SignIn},
    no_authorization_server::routes as no_authorization_server_routes,
    rejection::Rejection,
    resource_server::ResourceServer,
    shared_token::{SharedToken, shared_identity},
};
pub(crate) use self::{back_channel::NoReply, token_exchange::ExchangeError};
use crate::{
    access_log,
    audit::{AuditLog, Caller, DecidedBy, Decision, Source},
    identity::{Fingerprint, Identity},
    policy::ToolPolicy,
    scope::ScopeSet,
    settings::OAuth,
};

/// The gate in front of the MCP endpoint.
#[derive(Debug)]
pub struct Authenticator {
    mode: Mode,
    policy: Arc<ToolPolicy>,
    metrics: Arc<AuthMetrics>,
    audit: AuditLog,
}

/// What callers must show.
#[derive(Debug)]
pub enum Mode {
    /// An access token that HQ issued.
    OAuth(Arc<ResourceServer>),
    /// The one token of API-key mode, or nothing.
    Shared(SharedToken),
}

impl Mode {
    fn admits(&self, identity: &Identity) -> bool {
        match self {
            Self::OAuth(resource_server) => resource_server.admits(identity),
            Self::Shared(_) => true,
        }
    }
}

impl Authenticator {
    /// A gate that lets in whom `mode` lets in, to what `offer` holds.
    #[must_use]
    pub fn new(mode: Mode, policy: Arc<ToolPolicy>, metrics: Arc<AuthMetrics>) -> Self {
        Self { mode, policy, metrics, audit: AuditLog::default() }
    }

    /// The same, with failed sign-ins recorded in `audit`.
    #[must_use]
    pub fn with_audit(self, audit: AuditLog) -> Self {
        Self { audit, ..self }
    }

    /// What clients read before they sign in, if they sign in with OAuth.
    pub fn metadata_routes(&self, oauth: &OAuth, offered: ScopeSet) -> Router {
        match &self.mode {
            Mode::OAuth(resource_server) => {
                metadata::routes(oauth, offered, resource_server.authorization_server().clone())
            }
            Mode::Shared(_) => Router::new(),
        }
    }

    /// Who sends a request with these headers, or breaks with a challenge. Failed sign-ins and
    /// questions to HQ are bounded for each client address, if it is known.
    pub async fn sign_in(
        &self,
        headers: &HeaderMap,
        source: &Source,
    ) -> ControlFlow<Response, Identity> {
        let address = source.block();
        match self.identify(headers, address).await {
            Ok(identity) if !self.mode.admits(&identity) => {
                const SHOWN_MAX: usize = 128;
                let client_id = identity.client_id.as_deref().unwrap_or_default();
                let client_id = client_id.chars().take(SHOWN_MAX).collect();
                let reason = "MCP_ALLOWED_CLIENTS";
                let decision = Decision::denied(DecidedBy::Policy, reason);
                self.audit.sign_in_failed(source, (&identity).into(), decision);
                ControlFlow::Break(self.refuse(&AuthError::ClientNotAllowed { client_id }))
            }
            Ok(identity) => {
                access_log::note(|fields| {
                    fields.subject.clone_from(&identity.subject);
                    fields.client_id.clone_from(&identity.client_id);
                });
                ControlFlow::Continue(identity)
            }
            Err(error) => {
                self.record(&error, headers, source);
                ControlFlow::Break(self.refuse(&error))
            }
        }
    }

    /// Records a failed sign-in. A request without a token is none: clients try without one first.
    fn record(&self, error: &AuthError, headers: &HeaderMap, source: &Source) {
        let decided_by = match error {
            AuthError::Missing | AuthError::MissingShared => return,
            AuthError::Unavailable => DecidedBy::Hq,
            AuthError::TooManyFailures { .. } | AuthError::AddressBusy => DecidedBy::Limit,
            _ => DecidedBy::SignIn,
        };
        if self.audit.is_on() {
            let token = bearer::token(headers).ok();
            let fingerprint = token.map(|token| Fingerprint::of(token.expose_secret()));
            let caller = Caller { fingerprint, ..Caller::default() };
            let decision = Decision::denied(decided_by, error.outcome().as_str());
            self.audit.sign_in_failed(source, caller, decision);
        }
    }

    /// Breaks with a challenge unless `identity` holds the scopes that its call needs.
    pub fn authorize(
        &self,
        identity: &Identity,
        needed: Option<ScopeSet>,
    ) -> ControlFlow<Response> {
        match needed {
            Some(needed) if !identity.scopes.covers(needed) => {
                let error = AuthError::InsufficientScope { needed, held: identity.scopes };
                ControlFlow::Break(self.refuse(&error))
            }
            _ => {
                self.decided(SignIn::Accepted);
                ControlFlow::Continue(())
            }
        }
    }

    async fn identify(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
    ) -> Result<Identity, AuthError> {
        match &self.mode {
            Mode::OAuth(resource_server) => resource_server.identify(headers, address).await,
            Mode::Shared(shared_token) => shared_token.identify(headers),
        }
    }

    fn decided(&self, outcome: SignIn) {
        self.metrics.signed_in(outcome);
        access_log::note(|noted| noted.sign_in = Some(outcome.as_str()));
    }

    fn refuse(&self, error: &AuthError) -> Response {
        self.decided(error.outcome());
        let metadata_url = match &self.mode {
            Mode::OAuth(resource_server) => Some(resource_server.metadata_url()),
            Mode::Shared(_) => None,
        };
        error.respond(metadata_url, self.policy.scopes())
    }
}
