//! Protection against DNS rebinding: a web page that makes its own name resolve to this server's
//! address gives itself away by `Host`, and any page by `Origin`. Both must be known; a request
//! without `Origin` comes from no page.

mod allowed_host;
mod allowed_origin;
#[cfg(test)]
mod fuzz;

use std::{net::IpAddr, ops::ControlFlow, sync::Arc};

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

pub use self::{allowed_host::AllowedHost, allowed_origin::AllowedOrigin};
use crate::json_rpc::RpcError;

/// Longest part of a refused header that is logged.
const SHOWN_MAX: usize = 100;

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
