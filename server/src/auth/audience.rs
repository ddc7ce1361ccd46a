//! Whether a token is meant for this server.

use std::sync::Arc;

use url::Url;

use super::rejection::{Rejection, quoted};
use crate::settings::AudienceRule;

/// This server's resource identifier and what is done with `aud`.
#[derive(Debug)]
pub(super) struct Audience {
    resource: Arc<str>,
    normalized: Option<Url>,
    rule: AudienceRule,
}

impl Audience {
    pub(super) fn new(resource: &str, rule: AudienceRule) -> Self {
        Self { resource: resource.into(), normalized: normalized(resource), rule }
    }

    /// Lets a token of `audiences` (RFC 7662 §2.2 `aud`) in, or says for what it is.
    pub(super) fn check(&self, audiences: &[String]) -> Result<(), Rejection> {
        if self.admits(audiences) {
            return Ok(());
        }
        Err(Rejection::OtherResource { found: quoted(audiences), expected: self.resource.clone() })
    }

    fn admits(&self, audiences: &[String]) -> bool {
        let names_this_server =
            || audiences.iter().any(|audience| normalized(audience) == self.normalized);
        match self.rule {
            AudienceRule::Ignored => true,
            AudienceRule::WhenPresent => audiences.is_empty() || names_this_server(),
            AudienceRule::Required => names_this_server(),
        }
    }
}

/// A resource identifier with what clients spell differently made alike: the case of scheme and
/// host, a default port, a slash at the end.
fn normalized(identifier: &str) -> Option<Url> {
    let mut url = Url::parse(identifier).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOURCE: &str = "https://mcp.example.com/mcp";

    fn admits(rule: AudienceRule, audiences: &[&str]) -> bool {
        let audiences: Vec<_> = audiences.iter().map(|audience| (*audience).to_owned()).collect();
        Audience::new(RESOURCE, rule).check(&audiences).is_ok()
    }

    #[test]
    fn a_token_for_this_server_is_admitted_however_it_spells_the_server() {
        for rule in [AudienceRule::Required, AudienceRule::WhenPresent, AudienceRule::Ignored] {
            assert!(admits(rule, &[RESOURCE]));
            assert!(admits(
                rule,
                &["https://else.example.com", "HTTPS://MCP.example.com:443/mcp/"]
            ));
        }
    }

    #[test]
    fn a_token_for_another_server_is_refused_unless_the_audience_is_ignored() {
        for other in [
            "https://mcp.example.com/other",
            "https://mcp.example.com",
            "http://mcp.example.com/mcp",
            "mcp",
            "",
        ] {
            assert!(!admits(AudienceRule::Required, &[other]), "{other:?}");
            assert!(!admits(AudienceRule::WhenPresent, &[other]), "{other:?}");
            assert!(admits(AudienceRule::Ignored, &[other]), "{other:?}");
        }
    }

    #[test]
    fn a_token_without_audience_is_admitted_unless_one_is_required() {
        assert!(!admits(AudienceRule::Required, &[]));
        assert!(admits(AudienceRule::WhenPresent, &[]));
        assert!(admits(AudienceRule::Ignored, &[]));
    }
}
