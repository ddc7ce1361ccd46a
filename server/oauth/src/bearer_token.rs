//! What a bearer token is made of (RFC 6750 §2.1).

/// Fewest characters of a token that callers share: shorter ones are guessed.
pub const SHARED_TOKEN_MIN: usize = 16;
/// Longest token that the server reads, in bytes: signed tokens with many groups have several KiB.
pub const TOKEN_MAX: usize = 16 * 1024;

/// Whether `text` is a `b64token`: only these reach a server in `Authorization: Bearer`.
#[must_use]
pub fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte))
}

/// What is wrong with `token` as one that callers share, if anything. Nothing of it is shown.
#[must_use]
pub fn shared_token_fault(token: &str) -> Option<&'static str> {
    if !is_b64token(token) {
        Some("a secret with characters that no bearer token has (RFC 6750)")
    } else if token.len() < SHARED_TOKEN_MIN {
        Some("a secret of fewer than 16 characters")
    } else if token.len() > TOKEN_MAX {
        Some("a secret of more than 16384 characters")
    } else {
        None
    }
}

/// How to make one that has no fault.
pub const SHARED_TOKEN_REMEDY: &str =
    "write at least 16 letters, digits or -._~+/, such as what `openssl rand -hex 32` prints";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_token_is_a_b64token_of_sixteen_characters_or_more() {
        let longest = "a".repeat(TOKEN_MAX);
        for good in ["0123456789abcdef", "AZaz09-._~+/AZaz==", &longest] {
            assert_eq!(shared_token_fault(good), None, "{}", good.len());
        }
        let longer = format!("{longest}a");
        for (bad, said) in [
            ("x", "fewer than 16"),
            ("0123456789abcde", "fewer than 16"),
            ("p@ssw0rd!2026-and-more", "characters"),
            ("p@ssw0rd!2026", "characters"),
            ("================", "characters"),
            ("0123456789=abcdef", "characters"),
            ("", "characters"),
            ("0123456789abcdé0", "characters"),
            (&longer, "more than 16384"),
        ] {
            assert!(shared_token_fault(bad).is_some_and(|fault| fault.contains(said)), "{said}");
        }
    }
}
