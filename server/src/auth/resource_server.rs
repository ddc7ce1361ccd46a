//! This server as an OAuth 2.1 protected resource: a token in, an identity out.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::{
    AuthError, AuthMetrics, AuthorizationServer,
    audience::Audience,
    bearer,
    grant::{Conditions, Grant},
    token_validator::{IntrospectionLimits, TokenStatus, TokenValidator, ValidationError},
};
use crate::{
    access_log,
    identity::{Fingerprint, Identity, SignInMode},
    scope::ScopeSet,
    settings::OAuth,
};

/// Takes access tokens that HQ issued.
///
/// Where HQ offers token exchange, it is shown a token of its own in place of the caller's.
/// Elsewhere the token goes on to HQ, which issued it and is the API that it is for. That departs
/// from the letter of MCP's rule against passing tokens through: HQ must see who the user is to
/// apply the user's rights.
#[derive(Debug)]
pub struct ResourceServer {
    authorization_server: Arc<AuthorizationServer>,
    validator: Arc<TokenValidator>,
    metadata_url: String,
    allowed_clients: Option<BTreeSet<String>>,
}

impl ResourceServer {
    /// The resource that `oauth` describes; at most `max_introspections` are in flight at a time.
    pub fn new(
        oauth: &OAuth,
        offered: ScopeSet,
        authorization_server: Arc<AuthorizationServer>,
        max_introspections: usize,
        metrics: Arc<AuthMetrics>,
    ) -> Self {
        let audience = Audience::new(&oauth.advertised_url.resource(), oauth.audience);
        let validator = TokenValidator::new(
            authorization_server.clone(),
            Conditions { issuer: oauth.issuer.as_str().into(), audience },
            offered,
            oauth.introspection.cache_ttl,
            IntrospectionLimits {
                concurrent: max_introspections,
                concurrent_per_address: oauth.introspection.concurrent_per_address,
                failed_per_minute: oauth.failed_sign_ins_per_minute,
            },
            metrics,
        );
        Self {
            authorization_server,
            validator: Arc::new(validator),
            metadata_url: oauth.advertised_url.metadata_url(),
            allowed_clients: oauth.allowed_clients.clone(),
        }
    }

    /// Whether the application of `identity` may call here.
    pub(super) fn admits(&self, identity: &Identity) -> bool {
        let client_id = identity.client_id.as_deref();
        let allowed = self.allowed_clients.as_ref();
        allowed.is_none_or(|allowed| client_id.is_some_and(|id| allowed.contains(id)))
    }

    /// URL of the metadata, for challenges.
    #[must_use]
    pub fn metadata_url(&self) -> &str {
        &self.metadata_url
    }

    /// The authorization server that issues its tokens.
    pub(super) fn authorization_server(&self) -> &Arc<AuthorizationServer> {
        &self.authorization_server
    }

    /// Who sends a request with these headers from `address`.
    ///
    /// # Errors
    ///
    /// [`AuthError`] for a request without a good token, or when HQ can't be asked.
    pub(super) async fn identify(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
    ) -> Result<Identity, AuthError> {
        let token = bearer::token(headers)?;
        let fingerprint = Fingerprint::of(token.expose_secret());
        access_log::note(|noted| noted.token = Some(fingerprint));
        match self.validator.validate(&token, fingerprint, address).await {
            Ok(TokenStatus::Active(grant)) => Ok(identity(&grant, token, fingerprint)),
            Ok(TokenStatus::Rejected(rejection)) => {
                // Some are for the operator to help with; the others sign in again.
                if rejection.is_for_the_operator() {
                    tracing::warn!("refused a token: {rejection}");
                } else {
                    tracing::info!("refused a token: {rejection}");
                }
                Err(AuthError::Invalid(rejection))
            }
            Err(error) => Err(match &*error {
                ValidationError::TooManyFailures(too_many) => AuthError::TooManyFailures {
                    per_minute: too_many.per_minute,
                    wait: too_many.wait,
                },
                ValidationError::AddressBusy => AuthError::AddressBusy,
                ValidationError::Introspection(_) | ValidationError::Exchange(_) => {
                    tracing::error!(%error, "a token could not be checked");
                    AuthError::Unavailable
                }
            }),
        }
    }

    /// Forgets the caller's token, because HQ answered 401 to it or to what it was exchanged for.
    pub fn forget(&self, identity: &Identity) {
        if let Some(fingerprint) = identity.fingerprint {
            self.validator.forget(fingerprint);
        }
    }
}

fn identity(grant: &Grant, token: SecretString, fingerprint: Fingerprint) -> Identity {
    Identity {
        subject: grant.subject.clone(),
        client_id: grant.client_id.clone(),
        scopes: grant.scopes,
        sign_in: SignInMode::OAuth,
        lenses_credential: grant.exchanged.clone().unwrap_or_else(|| Arc::new(token)),
        fingerprint: Some(fingerprint),
    }
}
