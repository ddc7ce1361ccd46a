//! Clients registered by hand: `--client`.

use crate::hq::redirect_uri;

/// A client that an administrator registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualClient {
    /// Its `client_id`.
    pub id: String,
    /// Its secret; none for a public client.
    pub secret: Option<String>,
    /// Where it may be redirected to; none when it only introspects.
    pub redirect_uris: Vec<String>,
}

impl ManualClient {
    pub(super) fn parse(value: &str) -> Result<Self, String> {
        let mut parts = value.split(',');
        let credentials = parts.next().unwrap_or_default();
        let (id, secret) = match credentials.split_once(':') {
            Some((id, secret)) => (id, Some(secret.to_owned())),
            None => (credentials, None),
        };
        if id.is_empty() || secret.as_ref().is_some_and(String::is_empty) {
            return Err("must be ID:SECRET or ID,REDIRECT_URI with nothing left empty".to_owned());
        }
        let redirect_uris: Vec<String> = parts.map(str::to_owned).collect();
        for uri in &redirect_uris {
            redirect_uri::check(uri).map_err(|error| format!("of client {id:?}: {error}"))?;
        }
        if secret.is_none() && redirect_uris.is_empty() {
            return Err(format!(
                "{id:?} can do nothing: give it a secret, to introspect, or a redirect URI"
            ));
        }
        Ok(Self { id: id.to_owned(), secret, redirect_uris })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_an_id_with_what_it_needs_to_do_something() {
        let client = |id: &str, secret: Option<&str>, uris: &[&str]| ManualClient {
            id: id.to_owned(),
            secret: secret.map(str::to_owned),
            redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
        };
        for (value, expected) in [
            ("mcp:s3:cret", client("mcp", Some("s3:cret"), &[])),
            ("desk,http://127.0.0.1/cb", client("desk", None, &["http://127.0.0.1/cb"])),
            (
                "web:s,https://a.example/,https://b.example/",
                client("web", Some("s"), &["https://a.example/", "https://b.example/"]),
            ),
        ] {
            assert_eq!(ManualClient::parse(value), Ok(expected), "{value}");
        }
        for bad in ["", "mcp", ":s", "mcp:", ",https://a.example/", "mcp:s,ftp://a.example/"] {
            assert!(ManualClient::parse(bad).is_err(), "{bad}");
        }
    }
}
