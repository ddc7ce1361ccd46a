//! A host of `MCP_ALLOWED_HOSTS`.

use std::{fmt, net::IpAddr, str::FromStr};

use http::uri::Authority;
use url::{Host, ParseError, Url};

/// A `Host` value that is answered. Prints as it is written in `MCP_ALLOWED_HOSTS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    host: Host,
    /// `None`: any port.
    port: Option<u16>,
}

impl AllowedHost {
    /// The names of the machine itself, any port.
    #[must_use]
    pub fn loopback() -> Vec<Self> {
        loopback_hosts().map(|host| Self { host, port: None }).to_vec()
    }

    /// The host of `url`, any port: proxies differ in what they pass on.
    #[must_use]
    pub fn of_url(url: &Url) -> Option<Self> {
        Some(Self { host: url.host()?.to_owned(), port: None })
    }

    /// The same host, on any port.
    #[must_use]
    pub fn on_any_port(self) -> Self {
        Self { port: None, ..self }
    }

    pub(super) fn is_address(&self, address: IpAddr) -> bool {
        match self.host {
            Host::Ipv4(found) => address == found,
            Host::Ipv6(found) => address == found,
            Host::Domain(_) => false,
        }
    }

    pub(super) fn allows(&self, found: &Self) -> bool {
        self.host == found.host && self.port.is_none_or(|port| found.port == Some(port))
    }
}

impl FromStr for AllowedHost {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let remedy = || {
            format!("write hosts as mcp.example.com or mcp.example.com:8443 ({text:?} is neither)")
        };
        let authority: Authority = text.parse().map_err(|_| remedy())?;
        // `%` would be a name of another spelling.
        if text.contains(['@', '*', '%']) {
            return Err(remedy());
        }
        let host = host(authority.host()).ok_or_else(remedy)?;
        // Not `Authority::port`, to which a port out of range is none.
        let port = match text.strip_prefix(authority.host()) {
            Some("") => None,
            Some(rest) => {
                let digits = rest.strip_prefix(':').filter(|port| {
                    !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit())
                });
                Some(digits.and_then(|port| port.parse().ok()).ok_or_else(remedy)?)
            }
            None => return Err(remedy()),
        };
        Ok(Self { host, port })
    }
}

/// A host as URLs have it. There, a name whose last label is a number is a broken IPv4 address; in
/// Kubernetes it is the Service of a namespace such as `2024`.
fn host(text: &str) -> Option<Host> {
    match Host::parse(text) {
        Ok(host) => Some(host),
        Err(ParseError::InvalidIpv4Address) => {
            let is_label = |label: &str| {
                let bytes = label.as_bytes();
                let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
                bytes.iter().all(is_inner)
                    && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
                    && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
            };
            let begins_with_a_letter = text.starts_with(|first: char| first.is_ascii_alphabetic());
            (begins_with_a_letter && text.split('.').all(is_label))
                .then(|| Host::Domain(text.to_ascii_lowercase()))
        }
        Err(_) => None,
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

pub(super) fn loopback_hosts() -> [Host; 3] {
    [
        Host::Domain("localhost".to_owned()),
        Host::Ipv4(std::net::Ipv4Addr::LOCALHOST),
        Host::Ipv6(std::net::Ipv6Addr::LOCALHOST),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_namespaces_that_look_like_numbers_are_hosts() {
        for name in ["mcp.2024", "mcp.0x7f", "mcp.017", "mcp.0"] {
            let allowed: AllowedHost = name.parse().unwrap();
            assert_eq!(allowed.to_string(), name);
            let asked: AllowedHost = format!("{}:80", name.to_uppercase()).parse().unwrap();
            assert!(allowed.allows(&asked), "{name}");
        }
        for text in ["1.2.3.4.5", "256.0.0.1", "0x1.2024.x.1", "mcp..2024", "-mcp.2024", "m_p.2024"]
        {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
        assert_ne!("mcp.2024".parse::<AllowedHost>(), "mcp.2025".parse());
    }
}
