//! Why a token is not taken. The client is told: what to do differs, and whoever shows the token
//! knows what is in it.

use std::sync::Arc;

/// Most values of a reply that are shown.
const SHOWN_VALUES: usize = 3;
/// Longest part of each that is shown, in characters.
const SHOWN_MAX: usize = 100;

/// Why a token is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No authorization server can have issued it.
    #[error("this is no bearer token (RFC 6750); sign in again")]
    Syntax,
    /// HQ does not know it, or no longer.
    #[error("Lenses HQ does not know the token, or it has expired or was revoked; sign in again")]
    Inactive,
    /// Its time is over.
    #[error("the token has expired; sign in again")]
    Expired,
    /// Its time is to come.
    #[error(
        "the token is not valid yet (nbf); correct the clock of Lenses HQ or of this server, and \
         sign in again"
    )]
    NotYetValid,
    /// A refresh token, or one of a scheme of its own.
    #[error("this is no bearer access token; sign in again")]
    NotBearer,
    /// It is good only together with a key (RFC 7800).
    #[error(
        "the token is bound to a key of its holder (cnf), which this server can't check; sign in \
         without DPoP and without a client certificate"
    )]
    SenderConstrained,
    /// Another authorization server issued it.
    #[error("the token is from another issuer, {found}; this server takes those of {expected}")]
    OtherIssuer {
        /// What the reply names, quoted.
        found: Arc<str>,
        /// HQ's issuer.
        expected: Arc<str>,
    },
    /// It is for another resource, or for none.
    #[error("the token is for another resource, {found}; this server is {expected}, ask for that")]
    OtherResource {
        /// What the reply names, quoted.
        found: Arc<str>,
        /// This server's resource identifier.
        expected: Arc<str>,
    },
    /// HQ issues no token of its own for it.
    #[error("Lenses HQ does not exchange the token (invalid_grant); sign in again")]
    NotExchanged,
    /// It is not the one that callers share.
    #[error("this is not the token of this server; ask its operator, who hands it out")]
    NotShared,
}

impl Rejection {
    /// Whether signing in again leads to the same, so that the operator has to do something.
    pub(super) fn is_for_the_operator(&self) -> bool {
        matches!(
            self,
            Self::NotYetValid
                | Self::SenderConstrained
                | Self::OtherIssuer { .. }
                | Self::OtherResource { .. }
        )
    }
}

/// Values of a reply as they may stand in a header and in a log line: in quotes, cut, without what
/// `error_description` can't hold (RFC 6750 §3).
pub(super) fn quoted(values: &[String]) -> Arc<str> {
    let quoted = |value: &String| {
        let cut = if value.chars().nth(SHOWN_MAX).is_some() { "..." } else { "" };
        let shown: String = value
            .chars()
            .take(SHOWN_MAX)
            .map(
                |c| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '\'') { c } else { '?' },
            )
            .collect();
        format!("'{shown}{cut}'")
    };
    let mut shown: Vec<_> = values.iter().take(SHOWN_VALUES).map(quoted).collect();
    if values.is_empty() {
        shown.push("none".to_owned());
    } else if values.len() > SHOWN_VALUES {
        shown.push(format!("and {} more", values.len() - SHOWN_VALUES));
    }
    shown.join(", ").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reply_names_is_cut_and_cannot_end_its_quotes() {
        let shown = |values: &[&str]| {
            quoted(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(&*shown(&[]), "none");
        assert_eq!(&*shown(&["https://a", "b"]), "'https://a', 'b'");
        assert_eq!(&*shown(&["a\", error=\"x\\\r\né'"]), "'a?, error=?x?????'");
        assert_eq!(&*shown(&["1", "2", "3", "4", "5"]), "'1', '2', '3', and 2 more");
        let long = "x".repeat(500);
        assert_eq!(*shown(&[&long]), format!("'{}...'", "x".repeat(100)));
    }
}
