//! Whether a client finds its way in: the calls that one makes before and after it signs in, at the
//! URL that it is given.

mod evaluate;

use axum::http::HeaderName;
use lenses_mcp_crds::{VerificationMode, conditions::Reason};
use reqwest::{
    RequestBuilder,
    header::{ACCEPT, AUTHORIZATION, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::{Host, Url};

use super::{
    Callers, Endpoint, Finding,
    answer::{Answer, NoAnswer},
    http::{ANSWER_MAX, Http, TOOLS_MAX},
    tools::{Listing, Tool, Tools},
};

/// The revision of MCP in which the tools are asked for: it needs no session, so one call is
/// enough.
const STATELESS: &str = "2026-07-28";
/// The revision of the call without a token. Every server that there is knows its first call.
const WITH_SESSION: &str = "2025-11-25";
/// How many pages of a list of tools are read.
const PAGES_MAX: usize = 20;

/// A token, and where it is shown.
#[derive(Clone, Copy, Debug)]
pub enum Token<'a> {
    /// At the server's own Service only: the author of the resource has written the public URL.
    ForService(&'a SecretString),
    /// At the public URL, as a client does: it is the caller's own.
    ForPublicUrl(&'a SecretString),
}

impl<'a> Token<'a> {
    fn value(self) -> &'a SecretString {
        let (Self::ForService(value) | Self::ForPublicUrl(value)) = self;
        value
    }

    /// Where it was written, for messages.
    fn source(self) -> &'static str {
        match self {
            Self::ForService(_) => evaluate::CREDENTIAL,
            Self::ForPublicUrl(_) => "--token-file",
        }
    }
}

/// What was found of the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointProbe {
    /// Whether a client finds its way.
    pub finding: Finding,
    /// The tools, where they could be listed.
    pub tools: Option<Tools>,
}

/// Calls as a client would: without a token first, then with `token`, if there is one.
pub async fn probe(http: &Http, endpoint: &Endpoint, token: Option<Token<'_>>) -> EndpointProbe {
    match walk(http, endpoint, token).await {
        Ok((way, tools)) => {
            EndpointProbe { finding: evaluate::verified(endpoint, &way, tools.as_ref()), tools }
        }
        Err(finding) => EndpointProbe { finding, tools: None },
    }
}

async fn walk(
    http: &Http,
    endpoint: &Endpoint,
    token: Option<Token<'_>>,
) -> Result<(Way, Option<Tools>), Finding> {
    let way = Way::to(endpoint)?;
    let outcome = call_without_token(http, way.dialled.clone()).await;
    match evaluate::call_without_token(endpoint, &way, &outcome) {
        Ok(evaluate::Next::ReadMetadata(url)) => {
            let outcome = http
                .send(http.get(url.clone()).header(ACCEPT, "application/json"), ANSWER_MAX)
                .await;
            evaluate::metadata(endpoint, &url, &outcome)?;
        }
        Ok(evaluate::Next::ListTools) => {}
        Err(finding)
            if finding.reason == Reason::EndpointUnreachable
                && way.dialled.origin() != endpoint.service.origin() =>
        {
            let behind = call_without_token(http, way.service.clone()).await;
            return Err(evaluate::with_the_service(finding, &way.service, &behind));
        }
        Err(finding) => return Err(finding),
    }
    let listing = match (&endpoint.callers, token) {
        (Callers::Anyone, _) => Some(list_pages(http, &way.dialled, None).await?),
        (_, Some(token @ Token::ForService(_))) => {
            Some(list_pages(http, &way.service, Some(token)).await?)
        }
        (_, Some(token @ Token::ForPublicUrl(_))) => {
            Some(list_pages(http, &way.dialled, Some(token)).await?)
        }
        (_, None) => None,
    };
    Ok((way, listing.map(Listing::end)))
}

/// The tools that are listed at `url`, sorted by name.
pub(crate) async fn list_tools(
    http: &Http,
    url: &Url,
    token: Option<Token<'_>>,
) -> Result<Vec<Tool>, Finding> {
    list_pages(http, url, token).await.map(Listing::into_tools)
}

async fn call_without_token(http: &Http, url: Url) -> Result<Answer, NoAnswer> {
    let call = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": WITH_SESSION, "capabilities": {}, "clientInfo": client_info()
        },
    });
    http.send(message(http, url, &call), ANSWER_MAX).await
}

async fn list_pages(http: &Http, url: &Url, token: Option<Token<'_>>) -> Result<Listing, Finding> {
    let mut listing = Listing::default();
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let mut params = json!({ "_meta": {
            "io.modelcontextprotocol/protocolVersion": STATELESS,
            "io.modelcontextprotocol/clientInfo": client_info(),
            "io.modelcontextprotocol/clientCapabilities": {},
        } });
        if let Some(cursor) = &cursor {
            params["cursor"] = json!(cursor);
        }
        let call = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": params });
        let mut request = message(http, url.clone(), &call)
            .header(HeaderName::from_static("mcp-protocol-version"), STATELESS)
            .header(HeaderName::from_static("mcp-method"), "tools/list");
        if let Some(token) = token {
            let header = evaluate::bearer(bearer(token.value()), token.source())?;
            request = request.header(AUTHORIZATION, header);
        }
        let outcome = http.send(request, TOOLS_MAX).await;
        let page = evaluate::page(url, &outcome, token.map(Token::source))?;
        cursor = page.next_cursor;
        listing.add(page.tools);
        if cursor.is_none() {
            return Ok(listing);
        }
    }
    Err(evaluate::endless(url, PAGES_MAX))
}

fn message(http: &Http, url: Url, message: &Value) -> RequestBuilder {
    http.post(url).header(ACCEPT, "application/json, text/event-stream").json(message)
}

fn client_info() -> Value {
    json!({ "name": crate::MANAGER, "version": env!("CARGO_PKG_VERSION") })
}

/// `None` where the token holds what no header can.
fn bearer(token: &SecretString) -> Option<HeaderValue> {
    let mut header =
        HeaderValue::try_from(format!("Bearer {}", token.expose_secret().trim())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// The URL that clients are given, and the one that is dialled in its place.
struct Way {
    advertised: Url,
    dialled: Url,
    /// The same at the server's own Service.
    service: Url,
}

impl Way {
    /// An address that means the user's own machine is reached through a port-forward to the
    /// Service, so that is what is dialled. So it is if the Service alone is to be examined.
    fn to(endpoint: &Endpoint) -> Result<Self, Finding> {
        let advertised: Url = evaluate::advertised(&endpoint.url)?;
        let mut service = endpoint.service.clone();
        service.set_path(advertised.path());
        let by_service = endpoint.mode == VerificationMode::Service || is_loopback(&advertised);
        let dialled = if by_service { service.clone() } else { advertised.clone() };
        Ok(Self { advertised, dialled, service })
    }

    /// Where a URL of the server is dialled; `None` for one of another server, which is not.
    fn dial(&self, url: &Url) -> Option<Url> {
        if url.origin() != self.advertised.origin() {
            return None;
        }
        let mut dialled = self.dialled.clone();
        dialled.set_path(url.path());
        dialled.set_query(url.query());
        Some(dialled)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str) -> Endpoint {
        Endpoint {
            url: url.to_owned(),
            service: "http://team-mcp.tools.svc:80".parse().unwrap(),
            mode: VerificationMode::Endpoint,
            callers: Callers::WithToken,
            expected_tools: None,
        }
    }

    #[test]
    fn an_address_of_the_users_own_machine_is_dialled_at_the_service() {
        for (url, dialled) in [
            ("https://mcp.example.com/x/mcp", "https://mcp.example.com/x/mcp"),
            ("http://127.0.0.1:8000/mcp", "http://team-mcp.tools.svc/mcp"),
            ("http://[::1]:8000/x/mcp", "http://team-mcp.tools.svc/x/mcp"),
            ("http://localhost/mcp", "http://team-mcp.tools.svc/mcp"),
            ("http://app.localhost:3000/mcp", "http://team-mcp.tools.svc/mcp"),
        ] {
            assert_eq!(Way::to(&endpoint(url)).unwrap().dialled.as_str(), dialled, "{url}");
        }
    }

    #[test]
    fn by_the_mode_of_the_service_only_the_service_is_dialled() {
        let mode = VerificationMode::Service;
        let way = Way::to(&Endpoint { mode, ..endpoint("https://mcp.example.com/x/mcp") });
        assert_eq!(way.ok().unwrap().dialled.as_str(), "http://team-mcp.tools.svc/x/mcp");
    }

    #[test]
    fn nothing_but_the_advertised_server_is_ever_dialled() {
        let way = Way::to(&endpoint("https://mcp.example.com/mcp")).ok().unwrap();
        for other in [
            "https://evil.example/x",
            "http://mcp.example.com/x",
            "https://mcp.example.com:8443/x",
            "file:///x",
        ] {
            assert_eq!(way.dial(&other.parse().unwrap()), None, "{other}");
        }
        let same: Url = "https://mcp.example.com:443/.well-known/x?y".parse().unwrap();
        assert_eq!(way.dial(&same), Some(same));
        let forwarded = Way::to(&endpoint("http://127.0.0.1:8000/mcp")).ok().unwrap();
        let dialled =
            forwarded.dial(&"http://127.0.0.1:8000/.well-known/x".parse().unwrap()).unwrap();
        assert_eq!(dialled.as_str(), "http://team-mcp.tools.svc/.well-known/x");
    }
}
