//! How a client authenticates to the authorization server (RFC 6749 §2.3).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// The `Authorization` header of HTTP Basic, marked as sensitive. Both halves are form-encoded
/// first, as RFC 6749 §2.3.1 has it.
#[must_use]
pub fn basic(id: &SecretString, secret: &SecretString) -> Option<HeaderValue> {
    let encoded = |secret: &SecretString| {
        url::form_urlencoded::byte_serialize(secret.expose_secret().as_bytes()).collect::<String>()
    };
    let credentials = BASE64_STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
    let mut header = HeaderValue::try_from(format!("Basic {credentials}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_form_encoded_and_the_header_is_sensitive() {
        for (id, secret, decoded) in [
            ("mcp", "s3cret", "mcp:s3cret"),
            ("a:b", "c d+e%", "a%3Ab:c+d%2Be%25"),
            ("é", "", "%C3%A9:"),
        ] {
            let header = basic(&id.into(), &secret.into()).unwrap();
            assert!(header.is_sensitive());
            let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
            assert_eq!(BASE64_STANDARD.decode(encoded).unwrap(), decoded.as_bytes());
        }
    }
}
