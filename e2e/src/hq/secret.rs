//! Values that prove something by being known: tokens, codes, client secrets, form handles.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A new value of 256 random bits, marked by what it is for.
pub(crate) fn generate(prefix: &str) -> String {
    format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

/// What is stored and looked up instead of the value. Since lookups and comparisons are of hashes,
/// their timing tells nothing of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Hashed([u8; 32]);

impl Hashed {
    pub(crate) fn of(value: &str) -> Self {
        Self(Sha256::digest(value).into())
    }
}
