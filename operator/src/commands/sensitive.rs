//! Text that may hold a secret: URLs with a password, tokens and private keys.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// Stands where something was taken out.
pub(super) const REMOVED: &str = "(removed)";

/// What a secret looks like wherever it stands, and what stays of it.
static SHAPES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    compiled(&[
        (r"://[^/\s@'\x22]*:[^/\s@'\x22]*@", "://(removed)@"),
        (r"(?i)\b(bearer|basic)\s+[a-z0-9._~+/-]{8,}=*", "$1 (removed)"),
        (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?", REMOVED),
        (r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", REMOVED),
    ])
});

/// A name of a secret with its value, as logs have it.
static ASSIGNMENTS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let name = r"[\w-]*(?:password|passwd|secret|token|api[_-]?key|authorization|credential)s?";
    compiled(&[
        (&format!(r"(?i)\b({name}[\x22']?\s*[=:]\s*)\x22[^\x22]*\x22"), "$1\"(removed)\""),
        (&format!(r"(?i)\b({name}[\x22']?\s*[=:]\s*)'[^']*'"), "$1'(removed)'"),
        (&format!(r"(?i)\b({name}[\x22']?\s*[=:]\s*)[^\s\x22',;&)}}\]]+"), "$1(removed)"),
    ])
});

/// The patterns are constants, and a test compiles each.
fn compiled<'a>(patterns: &[(&str, &'a str)]) -> Vec<(Regex, &'a str)> {
    let compiled = patterns.iter().map(|(pattern, rest)| Some((Regex::new(pattern).ok()?, *rest)));
    compiled.flatten().collect()
}

/// `text` without what looks like a secret.
pub(super) fn without_secrets(text: &str) -> String {
    replaced(text, &SHAPES)
}

/// A log without what looks like a secret, or is called one.
pub(super) fn log_without_secrets(text: &str) -> String {
    replaced(&without_secrets(text), &ASSIGNMENTS)
}

/// Whether something in `text` looks like a secret.
pub(super) fn may_be_secret(text: &str) -> bool {
    without_secrets(text) != text
}

fn replaced(text: &str, patterns: &[(Regex, &str)]) -> String {
    patterns.iter().fold(text.to_owned(), |text, (pattern, rest)| {
        match pattern.replace_all(&text, *rest) {
            Cow::Borrowed(_) => text,
            Cow::Owned(replaced) => replaced,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!((SHAPES.len(), ASSIGNMENTS.len()), (4, 3));
    }

    #[test]
    fn what_looks_like_a_secret_is_taken_out_and_the_rest_stays() {
        for (text, rest) in [
            ("http://user:pa55@proxy:3128/x", "http://(removed)@proxy:3128/x"),
            ("Authorization: Bearer 0123456789abcdef", "Authorization: Bearer (removed)"),
            ("basic dXNlcjpwYXNz== and", "basic (removed) and"),
            ("a eyJhbGciOiJIUzI1NiJ9.e30.abc b", "a (removed) b"),
            (
                "x\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\ny",
                "x\n(removed)\ny",
            ),
            ("-----BEGIN PRIVATE KEY-----\nabc", "(removed)"),
            ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp"),
            ("image: x@sha256:00, mail a@b", "image: x@sha256:00, mail a@b"),
            ("a bearer token", "a bearer token"),
        ] {
            assert_eq!(without_secrets(text), rest);
            assert_eq!(may_be_secret(text), text != rest, "{text}");
        }
    }

    #[test]
    fn in_a_log_what_is_called_a_secret_is_taken_out_too() {
        for (text, rest) in [
            ("LENSES_API_KEY=abc next", "LENSES_API_KEY=(removed) next"),
            ("{\"token\":\"a b\",\"x\":1}", "{\"token\":\"(removed)\",\"x\":1}"),
            ("password: hunter2", "password: (removed)"),
            ("client_secret='a b'", "client_secret='(removed)'"),
            ("the token is refused", "the token is refused"),
            ("MCP_CALLER_TOKEN_FILE=/var/run/x", "MCP_CALLER_TOKEN_FILE=/var/run/x"),
        ] {
            assert_eq!(log_without_secrets(text), rest);
        }
    }
}
