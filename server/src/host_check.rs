//! Protection against DNS rebinding: a web page that makes its own name resolve to this server's
//! address gives itself away by `Host`, and any page by `Origin`. Both must be known; a request
//! without `Origin` comes from no page.

#[cfg(test)]
mod fuzz;

use std::{fmt, net::IpAddr, ops::ControlFlow, str::FromStr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, StatusCode, Uri,
    header::{HOST, ORIGIN},
    uri::Authority,
};
use url::{Host, ParseError, Url};

use crate::json_rpc::RpcError;

/// Longest part of a refused header that is logged.
const SHOWN_MAX: usize = 100;

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

    fn is_address(&self, address: IpAddr) -> bool {
        match self.host {
            Host::Ipv4(found) => address == found,
            Host::Ipv6(found) => address == found,
            Host::Domain(_) => false,
        }
    }

    fn allows(&self, found: &Self) -> bool {
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

/// An `Origin` that is answered. Prints as it is written in `MCP_ALLOWED_ORIGINS`, always with a
/// port or `:*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigin {
    scheme: String,
    host: Host,
    /// `None`: any port.
    port: Option<u16>,
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

    fn allows(&self, found: &Self) -> bool {
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

/// Which hosts and origins are answered.
#[derive(Debug)]
pub struct HostCheck {
    hosts: Vec<AllowedHost>,
    origins: Vec<AllowedOrigin>,
}

/// Why a request is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// No `Host`, several, or one that is no host.
    #[error("send one Host header that holds a host")]
    MalformedHost,
    /// A name that is not this server's.
    #[error(
        "this server does not answer to this Host; its operator can allow it in MCP_ALLOWED_HOSTS"
    )]
    Host,
    /// A page from elsewhere.
    #[error(
        "this server does not answer pages of this Origin; its operator can allow it in \
         MCP_ALLOWED_ORIGINS"
    )]
    Origin,
}

impl HostCheck {
    /// Answers `hosts` and pages of `origins`, and no others.
    #[must_use]
    pub fn new(hosts: Vec<AllowedHost>, origins: Vec<AllowedOrigin>) -> Self {
        Self { hosts, origins }
    }

    /// Whether a page of `origin` may call.
    #[must_use]
    pub fn allows_origin(&self, origin: &HeaderValue) -> bool {
        let found = origin.to_str().ok().and_then(|text| text.parse::<AllowedOrigin>().ok());
        // `:*` is for lists; no page has it.
        found.is_some_and(|found| {
            found.port.is_some() && self.origins.iter().any(|allowed| allowed.allows(&found))
        })
    }

    /// Checks a request's `Host` (or the authority of its target, which counts before it: RFC 9112
    /// §3.2.2) and `Origin`.
    ///
    /// # Errors
    ///
    /// [`Foreign`] says which of them is not known.
    pub fn check(&self, target: &Uri, headers: &HeaderMap) -> Result<(), Foreign> {
        self.check_at(None, target, headers)
    }

    /// As [`Self::check`]; the address `own`, at which the request has arrived, is answered too.
    fn check_at(
        &self,
        own: Option<IpAddr>,
        target: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), Foreign> {
        let mut host_headers = headers.get_all(HOST).iter();
        let header = match (host_headers.next(), host_headers.next()) {
            (Some(host), None) => Some(host.to_str().map_err(|_| Foreign::MalformedHost)?),
            (None, _) => None,
            (Some(_), Some(_)) => return Err(Foreign::MalformedHost),
        };
        let host =
            target.authority().map(Authority::as_str).or(header).ok_or(Foreign::MalformedHost)?;
        let host: AllowedHost = host.parse().map_err(|_| Foreign::MalformedHost)?;
        let is_own = own.is_some_and(|own| host.is_address(own));
        if !is_own && !self.hosts.iter().any(|allowed| allowed.allows(&host)) {
            return Err(Foreign::Host);
        }
        if !headers.get_all(ORIGIN).iter().all(|origin| self.allows_origin(origin)) {
            return Err(Foreign::Origin);
        }
        Ok(())
    }

    /// Breaks with 403 for a foreign request (400 where `Host` can't be read), before anything else
    /// is done for it.
    pub fn refuse_foreign(&self, uri: &Uri, headers: &HeaderMap) -> ControlFlow<Response> {
        self.refuse_foreign_at(None, uri, headers)
    }

    /// As [`Self::refuse_foreign`]; the address `own`, at which the request has arrived, is
    /// answered too: probes and scrapers dial pods by it.
    pub fn refuse_foreign_at(
        &self,
        own: Option<IpAddr>,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> ControlFlow<Response> {
        let Err(foreign) = self.check_at(own, uri, headers) else {
            return ControlFlow::Continue(());
        };
        // What to allow, if it should be; cut, because it is the caller's text.
        let shown = |name| {
            headers.get(name).map(|value| {
                value.as_bytes().escape_ascii().take(SHOWN_MAX).map(char::from).collect::<String>()
            })
        };
        tracing::warn!(host = shown(HOST), origin = shown(ORIGIN), "refused a request: {foreign}");
        let status = if foreign == Foreign::MalformedHost {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::FORBIDDEN
        };
        ControlFlow::Break(RpcError::invalid_request(status, foreign.to_string()).into_response())
    }
}

/// [`HostCheck::refuse_foreign`] as middleware, for routes beside the MCP endpoint.
pub async fn refuse_foreign(
    State(host_check): State<Arc<HostCheck>>,
    request: Request,
    next: Next,
) -> Response {
    match host_check.refuse_foreign(request.uri(), request.headers()) {
        ControlFlow::Continue(()) => next.run(request).await,
        ControlFlow::Break(answer) => answer,
    }
}

fn loopback_hosts() -> [Host; 3] {
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
