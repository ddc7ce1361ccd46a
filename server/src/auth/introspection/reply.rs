//! The introspection reply (RFC 7662 §2.2), as far as this server reads it.

use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// HQ's word on a token.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(in crate::auth) struct IntrospectionResponse {
    /// Whether the token is good at all. The only member that must be there.
    pub(in crate::auth) active: bool,
    /// Its scopes, as one text; some servers send a list.
    #[serde(default, deserialize_with = "words")]
    pub(in crate::auth) scope: Vec<String>,
    /// The application that the user signed in with.
    #[serde(default)]
    pub(in crate::auth) client_id: Option<String>,
    /// The user.
    #[serde(default)]
    pub(in crate::auth) sub: Option<String>,
    /// Whom it is meant for.
    #[serde(default, deserialize_with = "words")]
    pub(in crate::auth) aud: Vec<String>,
    /// Who issued it.
    #[serde(default)]
    pub(in crate::auth) iss: Option<String>,
    /// When it ends, in seconds since 1970.
    #[serde(default)]
    exp: Option<serde_json::Number>,
    /// When it begins to be good, in seconds since 1970.
    #[serde(default)]
    nbf: Option<serde_json::Number>,
    /// The key that it is good with only (RFC 7800, RFC 8705, RFC 9449).
    #[serde(default)]
    cnf: Option<IgnoredAny>,
    /// `Bearer`, or a kind that can't be used as one (RFC 9449 `DPoP`).
    #[serde(default)]
    token_type: Option<String>,
    /// Some servers tell refresh tokens by this.
    #[serde(default)]
    token_use: Option<String>,
}

impl IntrospectionResponse {
    /// When the token ends, in seconds since 1970.
    pub(in crate::auth) fn expires_at(&self) -> Option<u64> {
        self.exp.as_ref().map(seconds)
    }

    /// When the token begins to be good, in seconds since 1970.
    pub(in crate::auth) fn begins_at(&self) -> Option<u64> {
        self.nbf.as_ref().map(seconds)
    }

    /// Whether the token is good only together with a key, which a bearer need not have.
    pub(in crate::auth) fn is_sender_constrained(&self) -> bool {
        let is_dpop = |kind: &str| kind.eq_ignore_ascii_case("DPoP");
        self.cnf.is_some() || self.token_type.as_deref().is_some_and(is_dpop)
    }

    /// Whether it may be used as an access token: no refresh token.
    pub(in crate::auth) fn is_access_token(&self) -> bool {
        let is = |member: &Option<String>, value: &str| {
            member.as_deref().is_some_and(|text| text.eq_ignore_ascii_case(value))
        };
        !is(&self.token_type, "refresh_token") && !is(&self.token_use, "refresh_token")
    }
}

/// A fraction is allowed (RFC 7519 `NumericDate`); whatever is no time at all has passed.
fn seconds(date: &serde_json::Number) -> u64 {
    date.as_u64().or_else(|| date.as_f64().map(whole_seconds)).unwrap_or(0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is what is meant"
)]
fn whole_seconds(seconds: f64) -> u64 {
    seconds as u64
}

/// One text or a list of texts; absent, null and empty are all none.
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        One(String),
        Many(Vec<String>),
        None(()),
    }
    let words = match Words::deserialize(deserializer)? {
        Words::One(word) => vec![word],
        Words::Many(words) => words,
        Words::None(()) => Vec::new(),
    };
    Ok(words.into_iter().filter(|word| !word.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<IntrospectionResponse, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn a_reply_is_read_in_each_shape_that_servers_send() {
        let reply = parse(concat!(
            r#"{"active":true,"scope":"read write","client_id":"app","sub":"alice","#,
            r#""aud":"https://x/mcp","exp":1700000000.9}"#,
        ))
        .unwrap();
        assert_eq!(reply.scope, ["read write"]);
        assert_eq!(reply.aud, ["https://x/mcp"]);
        assert_eq!(reply.expires_at(), Some(1_700_000_000));

        let reply = parse(
            r#"{"active":true,"scope":["read","write"],"aud":["a","b"],"exp":null,"ext":{"x":1}}"#,
        )
        .unwrap();
        assert_eq!(reply.scope, ["read", "write"]);
        assert_eq!(reply.aud, ["a", "b"]);
        assert_eq!(reply.expires_at(), None);

        let reply = parse(r#"{"active":false,"scope":null,"aud":""}"#).unwrap();
        assert_eq!((reply.active, reply.scope, reply.aud), (false, vec![], vec![]));
        assert_eq!(parse(r#"{"active":true,"exp":-5}"#).unwrap().expires_at(), Some(0));
    }

    #[test]
    fn what_does_not_say_whether_the_token_is_active_is_no_reply() {
        for text in [
            "{}",
            r#"{"active":"true"}"#,
            r#"{"active":null}"#,
            "[]",
            "true",
            "<html>",
            "",
            r#"{"active":true,"aud":1}"#,
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn cnf_or_the_token_type_binds_a_token_to_a_key() {
        for (text, expected) in [
            (r#"{"active":true}"#, false),
            (r#"{"active":true,"cnf":null,"token_type":"Bearer"}"#, false),
            (r#"{"active":true,"cnf":{"jkt":"x"}}"#, true),
            (r#"{"active":true,"cnf":{"x5t#S256":"x"},"token_type":"Bearer"}"#, true),
            (r#"{"active":true,"cnf":{}}"#, true),
            (r#"{"active":true,"token_type":"dpop"}"#, true),
        ] {
            assert_eq!(parse(text).unwrap().is_sender_constrained(), expected, "{text}");
        }
    }

    #[test]
    fn only_access_tokens_pass() {
        for (text, expected) in [
            (r#"{"active":true}"#, true),
            (r#"{"active":true,"token_type":"Bearer","token_use":"access_token"}"#, true),
            (r#"{"active":true,"token_type":"refresh_token"}"#, false),
            (r#"{"active":true,"token_use":"refresh_token"}"#, false),
        ] {
            assert_eq!(parse(text).unwrap().is_access_token(), expected, "{text}");
        }
    }
}
