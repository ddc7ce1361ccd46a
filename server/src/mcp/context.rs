//! What a handler knows about the request that it answers.

use std::sync::Arc;

use http::HeaderMap;

use super::{client::Client, meta::Meta, metrics::Transport, revision::Revision};
use crate::{
    audit::Source,
    identity::Identity,
    json_rpc::{RequestId, RpcError},
    lenses::Origin,
    limits::Held,
    traces,
};

/// One request: who makes it, in which revision, and the way back while it is answered.
pub struct Context {
    /// The request's id.
    pub id: RequestId,
    /// Who calls.
    pub identity: Identity,
    /// The bytes that the request has in memory, of those that the caller can have.
    pub held: Arc<Held>,
    /// The revision in which the request is made.
    pub revision: Revision,
    /// The request's `_meta`.
    pub meta: Meta,
    /// Whether the client can show a form to the user: now, or in an input-required result. An
    /// error if the session that would say so is not known.
    pub has_forms: Result<bool, RpcError>,
    /// Whether the client takes events, in which this server sends it something before the result.
    pub takes_events: bool,
    /// The way back to the client.
    pub client: Client,
    /// Where the request comes from.
    pub source: Source,
    /// What carries the request.
    pub transport: Transport,
    /// The headers of the HTTP request; none over stdio.
    pub(super) headers: HeaderMap,
}

impl Context {
    /// The trace that the request belongs to: its `_meta` says, else its headers.
    pub(super) fn trace(&self) -> traces::Parent<'_> {
        traces::Parent {
            revision: self.revision.as_str(),
            traceparent: self.meta.traceparent.as_deref(),
            tracestate: self.meta.tracestate.as_deref(),
            headers: &self.headers,
        }
    }

    /// What HQ is told of the request.
    pub(super) fn origin(&self) -> Origin {
        let request_id = self.source.request_id.clone();
        Origin { request_id, trace: self.trace().passed_on() }
    }

    /// Whether this server sends the client a request and waits for the answer, as the revisions
    /// before 2026-07-28 do.
    #[must_use]
    pub fn asks_in_call(&self) -> bool {
        self.has_forms == Ok(true) && !self.revision.is_stateless()
    }
}
