//! Who is calling: what sign-in puts into a request for everything behind it.

use std::{fmt, sync::Arc};

use secrecy::SecretString;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::scope::ScopeSet;

/// How much of a fingerprint is printed, in bytes.
const PRINTED: usize = 4;

/// How callers sign in, and so whose the credential for HQ is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInMode {
    /// The caller's own token, which HQ issued.
    OAuth,
    /// `LENSES_API_KEY` of this server, for all callers over HTTP.
    ApiKey,
    /// `LENSES_API_KEY` of whoever started this process.
    Stdio,
}

/// The caller of one request, made by sign-in and read by the tools. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Identity {
    /// `sub` of the introspection reply, else its `client_id`; `None` with an API key, where
    /// callers are not told apart.
    pub subject: Option<Arc<str>>,
    /// `client_id` of the introspection reply: which application the user signed in with.
    pub client_id: Option<Arc<str>>,
    /// What the caller may do here: the token's scopes within those that this server offers.
    pub scopes: ScopeSet,
    /// How the caller signed in.
    pub sign_in: SignInMode,
    /// The credential to show to Lenses HQ: the caller's token, or the configured API key.
    pub lenses_credential: Arc<SecretString>,
    /// Stands for the caller's token in logs; none if no token was shown.
    pub fingerprint: Option<Fingerprint>,
}

/// A token's SHA-256. Prints as its first four bytes: enough to follow one token through the logs,
/// no help in guessing it. The whole of it tells tokens apart where they are remembered, so that
/// none is kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of `token`.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(PRINTED).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_prints_the_first_eight_hex_digits_of_the_sha256() {
        let fingerprint = Fingerprint::of("abc");
        assert_eq!(fingerprint.to_string(), "ba7816bf");
        assert_eq!(format!("{fingerprint:?}"), "ba7816bf");
    }
}
