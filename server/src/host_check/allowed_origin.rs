//! An origin of `MCP_ALLOWED_ORIGINS`.

use std::{fmt, str::FromStr};

use url::{Host, Url};

use super::allowed_host::loopback_hosts;

/// An `Origin` that is answered. Prints as it is written in `MCP_ALLOWED_ORIGINS`, always with a
/// port or `:*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin {
    scheme: String,
    host: Host,
    /// `None`: any port.
    pub(super) port: Option<u16>,
}

impl AllowedOrigin {
    /// Pages of the user's own machine, any port: local tools such as the MCP Inspector.
    #[must_use]
    pub fn loopback() -> Vec<Self> {
        let of_scheme = |scheme: &str| {
            loopback_hosts().map(|host| Self { scheme: scheme.to_owned(), host, port: None })
        };
        ["http", "https"].into_iter().flat_map(of_scheme).collect()
    }

    /// The origin of `url`.
    #[must_use]
    pub fn of_url(url: &Url) -> Option<Self> {
        Some(Self {
            scheme: url.scheme().to_owned(),
            host: url.host()?.to_owned(),
            port: url.port_or_known_default(),
        })
    }

    pub(super) fn allows(&self, found: &Self) -> bool {
        self.scheme == found.scheme
            && self.host == found.host
            && (self.port.is_none() || self.port == found.port)
    }
}

impl FromStr for AllowedOrigin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (base, any_port) = text.strip_suffix(":*").map_or((text, false), |base| (base, true));
        let origin = Url::parse(base).ok().filter(|url| {
            // An origin is scheme, host and port: `https://host` and nothing after it.
            matches!(url.scheme(), "http" | "https")
                // Of the host as it is read: `%2a` is a `*`, too.
                && !url.host_str().is_some_and(|host| host.contains('*'))
                && *url.origin().ascii_serialization() == *url.as_str().trim_end_matches('/')
        });
        let origin = origin
            .filter(|url| !(any_port && url.port().is_some()))
            .and_then(|url| Self::of_url(&url));
        let origin = origin.ok_or_else(|| {
            format!(
                "write origins as https://app.example.com or http://app.example.com:* ({text:?} is \
                 neither)"
            )
        })?;
        Ok(if any_port { Self { port: None, ..origin } } else { origin })
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => f.write_str(":*"),
        }
    }
}
