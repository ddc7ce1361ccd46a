//! The `Authorization` header (RFC 6750 §2.1). Tokens in a form or in the URL (§2.2, §2.3) are not
//! looked at: MCP forbids them, and URLs end in logs.

use http::{HeaderMap, header::AUTHORIZATION};
pub(super) use lenses_mcp_oauth::TOKEN_MAX;
use lenses_mcp_oauth::is_b64token;
use secrecy::SecretString;

use super::{AuthError, Rejection};

/// The bearer token of a request.
///
/// # Errors
///
/// [`AuthError::Missing`] without the header or with another scheme (RFC 6750 §3.1: no error code
/// then), [`AuthError::Malformed`] for a header that can't be read as one credential,
/// [`AuthError::TokenTooLong`] beyond [`TOKEN_MAX`], [`AuthError::Invalid`] for a token that no
/// authorization server can have issued.
pub(super) fn token(headers: &HeaderMap) -> Result<SecretString, AuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthError::Missing)?;
    if values.next().is_some() {
        return Err(AuthError::Malformed("send one Authorization header"));
    }
    let value = value.as_bytes();
    let scheme_end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at(scheme_end);
    if !scheme.eq_ignore_ascii_case(b"Bearer") {
        return Err(AuthError::Missing);
    }
    let token = token.trim_ascii();
    if token.is_empty() {
        return Err(AuthError::Malformed("send a token after Bearer"));
    }
    if token.len() > TOKEN_MAX {
        return Err(AuthError::TokenTooLong);
    }
    match std::str::from_utf8(token) {
        Ok(token) if is_b64token(token) => Ok(SecretString::from(token)),
        _ => Err(AuthError::Invalid(Rejection::Syntax)),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use secrecy::ExposeSecret;

    use super::*;

    fn read(values: &[&[u8]]) -> Result<String, AuthError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
        }
        token(&headers).map(|token| token.expose_secret().to_owned())
    }

    #[test]
    fn a_bearer_token_is_read_whatever_the_case_of_the_scheme() {
        for value in ["Bearer abc-._~+/9==", "bearer abc-._~+/9==", "BEARER   abc-._~+/9==  "] {
            assert_eq!(read(&[value.as_bytes()]).unwrap(), "abc-._~+/9==");
        }
    }

    #[test]
    fn no_header_and_other_schemes_are_no_attempt_at_all() {
        assert_eq!(read(&[]), Err(AuthError::Missing));
        for value in ["Basic dXNlcjpwYXNz", "Bearerabc", "abc", ""] {
            assert_eq!(read(&[value.as_bytes()]), Err(AuthError::Missing), "{value:?}");
        }
    }

    #[test]
    fn what_is_not_one_credential_is_malformed() {
        assert!(matches!(read(&[b"Bearer"]), Err(AuthError::Malformed(_))));
        assert!(matches!(read(&[b"Bearer   "]), Err(AuthError::Malformed(_))));
        assert!(matches!(read(&[b"Bearer a", b"Bearer b"]), Err(AuthError::Malformed(_))));
    }

    #[test]
    fn a_token_that_is_not_a_token_is_invalid() {
        let values: [&[u8]; 6] = [
            b"Bearer a b",
            b"Bearer a,b",
            b"Bearer ==",
            b"Bearer a=b",
            b"Bearer \"a\"",
            b"Bearer \xc3\xa9",
        ];
        for value in values {
            assert_eq!(read(&[value]), Err(AuthError::Invalid(Rejection::Syntax)), "{value:?}");
        }
    }

    #[test]
    fn a_token_of_16_kib_is_read_and_a_longer_one_refused() {
        let longest = "a".repeat(16 * 1024);
        assert_eq!(read(&[format!("Bearer {longest}").as_bytes()]), Ok(longest.clone()));
        let longer = format!("Bearer {longest}a");
        assert_eq!(read(&[longer.as_bytes()]), Err(AuthError::TokenTooLong));
    }
}
