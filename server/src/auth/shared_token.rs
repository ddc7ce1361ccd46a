//! API-key mode: HQ's credential is the server's own, and callers show one token that they share,
//! or none.

use std::{fmt, sync::Arc};

use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{AuthError, Rejection, bearer};
use crate::{
    access_log,
    identity::{Fingerprint, Identity, SignInMode},
    scope::ScopeSet,
    settings::Callers,
};

/// Takes one token from all callers.
pub struct SharedToken {
    /// SHA-256 of the token; `None` where anyone may call.
    expected: Option<[u8; 32]>,
    identity: Identity,
}

impl SharedToken {
    /// Lets `callers` in; they act in HQ with `api_key`, within the scopes that are `offered`.
    #[must_use]
    pub fn new(callers: &Callers, api_key: &SecretString, offered: ScopeSet) -> Self {
        let (expected, fingerprint) = match callers {
            Callers::Token(token) => {
                (Some(hash(token)), Some(Fingerprint::of(token.expose_secret())))
            }
            Callers::Anyone => (None, None),
        };
        Self {
            expected,
            identity: shared_identity(api_key, SignInMode::ApiKey, offered, fingerprint),
        }
    }

    /// Who sends a request with these headers.
    ///
    /// # Errors
    ///
    /// [`AuthError`] without the token.
    pub(super) fn identify(&self, headers: &HeaderMap) -> Result<Identity, AuthError> {
        if let Some(expected) = &self.expected {
            let token = bearer::token(headers).map_err(|error| match error {
                AuthError::Missing => AuthError::MissingShared,
                AuthError::Invalid(_) => AuthError::Invalid(Rejection::NotShared),
                error => error,
            })?;
            let fingerprint = Fingerprint::of(token.expose_secret());
            access_log::note(|noted| noted.token = Some(fingerprint));
            // Digests have one length, so that neither content nor length of the token shows in the
            // time taken.
            if !bool::from(hash(&token).ct_eq(expected)) {
                return Err(AuthError::Invalid(Rejection::NotShared));
            }
        }
        Ok(self.identity.clone())
    }
}

impl fmt::Debug for SharedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedToken")
            .field("anyone", &self.expected.is_none())
            .finish_non_exhaustive()
    }
}

/// The one caller of API-key mode: over stdio too, where who starts the process is the caller.
#[must_use]
pub fn shared_identity(
    api_key: &SecretString,
    sign_in: SignInMode,
    offered: ScopeSet,
    fingerprint: Option<Fingerprint>,
) -> Identity {
    Identity {
        subject: None,
        client_id: None,
        scopes: offered,
        sign_in,
        lenses_credential: Arc::new(api_key.clone()),
        fingerprint,
    }
}

fn hash(token: &SecretString) -> [u8; 32] {
    Sha256::digest(token.expose_secret().as_bytes()).into()
}
