//! The MCP endpoint of Streamable HTTP, behind sign-in and bounds: from the head and body of a
//! `POST` to the response.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Handler, audit,
    client::{Client, QUEUED},
    context::Context,
    elicitation::{Asker, Destination, Elicitation},
    headers,
    incoming::Incoming,
    message::{ClientResponse, Message, Notification, Rejected, Request},
    metrics::Transport,
    response::{Exchange, respond},
    revision::Revision,
};
use crate::{
    audit::{AuditLog, DecidedBy, Decision},
    identity::Identity,
    json_rpc::{RequestId, RpcError},
    limits::{Budget, Held},
    scope::ScopeSet,
};

const SESSION_ID: &str = "mcp-session-id";

/// The endpoint in front of a [`Handler`].
pub struct Endpoint<H> {
    handler: Arc<H>,
    elicitation: Arc<Elicitation>,
    server_info: Arc<str>,
    ending_streams: CancellationToken,
    audit: AuditLog,
}

/// A message that is checked as far as it can be without its caller.
#[derive(Debug)]
pub struct Parsed {
    incoming: Incoming,
    message: Checked,
}

#[derive(Debug)]
enum Checked {
    Request(Box<Request>, Revision),
    Notification(Notification),
    Response(ClientResponse),
}

impl Parsed {
    /// The method for a log, or none for a response: see [`super::Call::known_method`].
    #[must_use]
    pub fn known_method(&self) -> Option<&'static str> {
        match &self.message {
            Checked::Request(request, _) => Some(request.call.known_method()),
            Checked::Notification(_) => Some("notification"),
            Checked::Response(_) => None,
        }
    }

    /// Whether it wants an answer.
    #[must_use]
    pub fn is_request(&self) -> bool {
        matches!(self.message, Checked::Request(..))
    }

    /// The tool that is called, for a log: see [`super::Call::known_tool`].
    #[must_use]
    pub fn known_tool(&self) -> Option<&'static str> {
        match &self.message {
            Checked::Request(request, _) => request.call.known_tool(),
            _ => None,
        }
    }

    /// The request's id, for an error; null if it has none.
    #[must_use]
    pub fn id(&self) -> &RequestId {
        match &self.message {
            Checked::Request(request, _) => &request.id,
            _ => &RequestId::NULL,
        }
    }
}

impl<H: Handler> Endpoint<H> {
    /// Answers with `handler`. `elicitation` holds the questions that its calls wait on; streams
    /// end when `ending_streams` is cancelled.
    #[must_use]
    pub fn new(
        handler: Arc<H>,
        elicitation: Arc<Elicitation>,
        ending_streams: CancellationToken,
    ) -> Self {
        let server_info = super::server_info().into();
        Self { handler, elicitation, server_info, ending_streams, audit: AuditLog::default() }
    }

    /// The same, with calls that are refused in front of the handler recorded in `audit`.
    #[must_use]
    pub fn with_audit(self, audit: AuditLog) -> Self {
        Self { audit, ..self }
    }

    /// Records that `identity` may not make the call of `parsed`.
    pub fn refused(
        &self,
        parsed: &Parsed,
        identity: &Identity,
        decided_by: DecidedBy,
        reason: &'static str,
    ) {
        if let Checked::Request(request, _) = &parsed.message {
            let source = &parsed.incoming.source;
            let decision = Decision::denied(decided_by, reason);
            audit::refused(&self.audit, &request.call, source, identity, decision);
        }
    }

    /// Reads `body` as a message and holds its headers against it.
    ///
    /// # Errors
    ///
    /// The JSON-RPC error, and the id that it answers.
    pub fn parse(&self, incoming: Incoming, body: &Bytes) -> Result<Parsed, Rejected> {
        let headers = &incoming.headers;
        let message = match Message::parse(body)? {
            Message::Request(mut request) => {
                let checked = headers::revision(headers, &request).and_then(|revision| {
                    if revision.is_stateless() {
                        let schema = |tool: &str| self.handler.input_schema(tool);
                        headers::check(headers, &request, schema)?;
                    }
                    Ok(revision)
                });
                // The headers repeat what was sent.
                self.handler.read_arguments(&mut request.call);
                match checked {
                    Ok(revision) => Checked::Request(request, revision),
                    Err(error) => return Err(Rejected { id: request.id, error }),
                }
            }
            Message::Notification(notification) => {
                headers::check_notification(headers, &notification.method)?;
                Checked::Notification(notification)
            }
            Message::Response(response) => Checked::Response(response),
        };
        Ok(Parsed { incoming, message })
    }

    /// The scopes that the message needs; none if sign-in asks for nothing.
    #[must_use]
    pub fn required_scopes(&self, parsed: &Parsed) -> Option<ScopeSet> {
        match &parsed.message {
            Checked::Request(request, _) => self.handler.required_scopes(&request.call),
            _ => None,
        }
    }

    /// Answers a message of `identity`, whose bytes are of `budget`.
    pub async fn respond(&self, parsed: Parsed, identity: Identity, budget: Budget) -> Response {
        let Parsed { incoming, message } = parsed;
        match message {
            Checked::Request(request, revision) => {
                self.respond_to(*request, revision, incoming, identity, budget).await
            }
            Checked::Notification(notification) => {
                if let Some(call) = notification.cancelled() {
                    let address = incoming.source.block();
                    self.elicitation.cancel(&Asker { identity, address, call });
                }
                StatusCode::ACCEPTED.into_response()
            }
            Checked::Response(response) => match self.elicitation.answer(&response, &identity) {
                Ok(Destination::Delivered) => StatusCode::ACCEPTED.into_response(),
                Ok(Destination::Replica(replica)) => {
                    self.elicitation.forward(&response, &identity, replica).await
                }
                Err(error) => error.into_response(),
            },
        }
    }

    async fn respond_to(
        &self,
        request: Request,
        revision: Revision,
        incoming: Incoming,
        identity: Identity,
        budget: Budget,
    ) -> Response {
        let Request { id, call, meta } = request;
        let Incoming { headers, source, accepts } = incoming;
        let has_forms = self.has_forms(&headers, revision, &meta, &identity);
        let (messages, sent) = mpsc::channel(QUEUED);
        let server = Arc::clone(&self.server_info);
        let held = Arc::new(Held::new(budget));
        let exchange = Exchange { id: id.clone(), revision, server, held: Arc::clone(&held) };
        let asker = Asker { identity: identity.clone(), address: source.block(), call: id.clone() };
        let client = Client::new(messages, Arc::clone(&self.elicitation), asker);
        let context = Context {
            id,
            identity,
            held,
            revision,
            meta,
            has_forms,
            takes_events: accepts.events,
            client,
            source,
            transport: Transport::Tcp,
            headers,
        };
        let call = Arc::clone(&self.handler).handle(call, context);
        respond(exchange, call, sent, accepts, self.ending_streams.clone()).await
    }

    /// Whether the client can show forms: its capabilities say so, in each request or, before
    /// revision 2026-07-28, in the session that `initialize` gave it. That this server does not
    /// know the session concerns only a call that must ask: all else needs none, and goes on after
    /// a restart without a key for seals.
    fn has_forms(
        &self,
        headers: &HeaderMap,
        revision: Revision,
        meta: &super::Meta,
        identity: &Identity,
    ) -> Result<bool, RpcError> {
        if revision.is_stateless() {
            let capabilities = meta.client_capabilities.as_ref();
            return Ok(capabilities.is_some_and(super::ClientCapabilities::has_forms));
        }
        let Some(session) = headers.get(SESSION_ID) else { return Ok(false) };
        let session = session.to_str().unwrap_or_default();
        self.elicitation.check_session(session, identity).map(|()| true)
    }
}
