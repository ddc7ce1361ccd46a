//! `Authorization`: what comes out is one token of RFC 6750, as it was sent.

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use secrecy::ExposeSecret;

use super::bearer::token;
use crate::fuzz::fuzz;

#[test]
fn a_token_is_sent_on_as_it_came_and_holds_nothing_else() {
    fuzz("bearer", |input| {
        let mut headers = HeaderMap::new();
        for line in input.split(|byte| *byte == b'\n') {
            if let Ok(value) = HeaderValue::from_bytes(line) {
                headers.append(AUTHORIZATION, value);
            }
        }
        let Ok(token) = token(&headers) else { return };
        let token = token.expose_secret();
        let value = headers[AUTHORIZATION].as_bytes().trim_ascii_end();
        assert_eq!(headers.get_all(AUTHORIZATION).iter().count(), 1);
        assert!(value.ends_with(token.as_bytes()));
        assert!(value[..value.len() - token.len()].to_ascii_lowercase().starts_with(b"bearer "));
        let is_b64 = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        assert!(!token.is_empty() && token.bytes().all(is_b64), "{token:?}");
    });
}
