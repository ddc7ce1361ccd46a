//! The id of a request, in `x-request-id`: what joins the client's, this server's and HQ's records
//! of it.

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header that carries the id.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a proxy, in bytes.
const MAX: usize = 64;

/// The id of one request. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XRequestId(HeaderValue);

impl XRequestId {
    /// The id that a proxy in front gave, if it is one, else a new one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).filter(|id| {
            let id = id.as_bytes();
            (1..=MAX).contains(&id.len())
                && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        });
        given.cloned().map_or_else(Self::random, Self)
    }

    /// A new id (UUID version 7).
    #[must_use]
    pub fn random() -> Self {
        let mut buffer = Uuid::encode_buffer();
        let id: &str = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        let id = HeaderValue::from_str(id);
        Self(id.unwrap_or_else(|_| HeaderValue::from_static("unknown")))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The header's value.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_short_plain_id_of_a_proxy_is_kept() {
        for (given, kept) in [
            ("abc-1_2.3", true),
            (&*"x".repeat(64), true),
            (&*"x".repeat(65), false),
            ("", false),
            ("a b", false),
            ("a\"b", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_str(given).unwrap());
            let id = XRequestId::of(&headers);
            assert_eq!(id.as_str() == given, kept, "{given}");
            assert!(!id.as_str().is_empty());
        }
        assert_ne!(XRequestId::of(&HeaderMap::new()), XRequestId::random());
    }
}
