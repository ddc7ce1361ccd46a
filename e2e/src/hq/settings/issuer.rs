//! The issuer identifier.

use url::Url;

/// An issuer identifier (RFC 8414 §2): kept byte for byte, because clients compare it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    /// An absolute http or https URL without user, query or fragment.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(value: &str) -> Result<Self, String> {
        let url = Url::parse(value).map_err(|error| format!("is not a URL ({error})"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("must start with http:// or https://".to_owned());
        }
        if url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err("must have no user, query or fragment (RFC 8414 §2)".to_owned());
        }
        Ok(Self(value.to_owned()))
    }

    /// The identifier as configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of an endpoint at `path`, which begins with a slash.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.0.trim_end_matches('/'))
    }

    /// Whether a resource or audience that a client names is HQ itself; a slash at the end makes no
    /// other.
    #[must_use]
    pub fn is_named_by(&self, name: &str) -> bool {
        name.trim_end_matches('/') == self.0.trim_end_matches('/')
    }

    /// The issuer's own path without a slash at its end: empty, or `/lenses`.
    #[must_use]
    pub fn path(&self) -> String {
        Url::parse(&self.0)
            .map(|url| url.path().trim_end_matches('/').to_owned())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_kept_byte_for_byte() {
        for (given, endpoint, path) in [
            ("http://hq:9991", "http://hq:9991/x", ""),
            ("http://hq:9991/", "http://hq:9991/x", ""),
            ("HTTPS://HQ.example.com/lenses/", "HTTPS://HQ.example.com/lenses/x", "/lenses"),
        ] {
            let issuer = Issuer::parse(given).unwrap();
            assert_eq!(
                (issuer.as_str(), issuer.endpoint("/x"), issuer.path()),
                (given, endpoint.to_owned(), path.to_owned())
            );
        }
        for bad in [
            "hq",
            "hq:9991",
            "ftp://hq",
            "http://hq?x",
            "http://hq#x",
            "http://u@hq",
            "http://u:p@hq",
            "",
        ] {
            assert!(Issuer::parse(bad).is_err(), "{bad}");
        }
    }
}
