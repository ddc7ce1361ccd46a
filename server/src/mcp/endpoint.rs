//! The MCP endpoint of Streamable HTTP, behind sign-in and bounds: from the head and body of a
//! `POST` to the response.

use std::{ops::ControlFlow, sync::Arc};

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, TRANSFER_ENCODING},
    request::Parts,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    Handler,
    accepts::Accepts,
    client::{Client, QUEUED},
    context::Context,
    elicitation::{Destination, Elicitation},
    headers,
    message::{ClientResponse, Message, Notification, Rejected, Request},
    response::{Exchange, respond},
    revision::Revision,
};
use crate::{
    identity::Identity,
    json_rpc::{RequestId, RpcError},
    limits::Budget,
    media_type::essence,
    scope::ScopeSet,
};

const SESSION_ID: &str = "mcp-session-id";

/// The endpoint in front of a [`Handler`].
pub struct Endpoint<H> {
    handler: Arc<H>,
    elicitation: Arc<Elicitation>,
    server_info: Arc<str>,
    ending_streams: CancellationToken,
}

/// The head of a `POST` that MCP can answer.
#[derive(Debug)]
pub struct Incoming {
    headers: HeaderMap,
    accepts: Accepts,
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

impl Incoming {
    /// Checks the head of a request to the endpoint.
    ///
    /// Breaks with 405 for a method other than POST, 406 if the client takes neither JSON nor an
    /// event stream, 415 for a body that is not JSON or is encoded, 501 for a transfer coding other
    /// than chunked.
    pub fn new(parts: Parts) -> ControlFlow<Response, Self> {
        let Parts { method, headers, .. } = parts;
        if method != Method::POST {
            let allow = [(ALLOW, HeaderValue::from_static("POST"))];
            let error = RpcError::invalid_request(
                StatusCode::METHOD_NOT_ALLOWED,
                "send each message as a POST; this server has no other streams",
            );
            return ControlFlow::Break((allow, error).into_response());
        }
        let accepts = Accepts::of(&headers);
        if !accepts.json && !accepts.events {
            return ControlFlow::Break(refused(
                StatusCode::NOT_ACCEPTABLE,
                "Accept must name application/json or text/event-stream",
            ));
        }
        // hyper reads the chunks, and would take what is in them for the body.
        let mut transfer_codings = headers.get_all(TRANSFER_ENCODING).iter();
        if !transfer_codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
            return ControlFlow::Break(refused(
                StatusCode::NOT_IMPLEMENTED,
                "Transfer-Encoding must be chunked alone, or absent",
            ));
        }
        // Of several, another reader could take another one.
        let mut content_types = headers.get_all(CONTENT_TYPE).iter();
        if !content_types.next().is_some_and(is_json) || content_types.next().is_some() {
            return ControlFlow::Break(refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Content-Type must be application/json, once",
            ));
        }
        let mut codings = headers.get_all(CONTENT_ENCODING).iter();
        if !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
            // RFC 9110 §12.5.3: what would be taken.
            let taken = [(ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
            let error = RpcError::invalid_request(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the body is encoded: send it without Content-Encoding",
            );
            return ControlFlow::Break((taken, error).into_response());
        }
        ControlFlow::Continue(Self { headers, accepts })
    }
}

impl Parsed {
    /// The method, or none for a response.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        match &self.message {
            Checked::Request(request, _) => Some(request.call.method()),
            Checked::Notification(notification) => Some(&notification.method),
            Checked::Response(_) => None,
        }
    }

    /// The tool that is called.
    #[must_use]
    pub fn tool(&self) -> Option<&str> {
        match &self.message {
            Checked::Request(request, _) => request.call.tool(),
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
        Self { handler, elicitation, server_info: super::server_info().into(), ending_streams }
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
            Checked::Notification(_) => StatusCode::ACCEPTED.into_response(),
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
        let Incoming { headers, accepts } = incoming;
        let has_forms = match self.has_forms(&headers, revision, &meta, &identity) {
            Ok(has_forms) => has_forms,
            Err(error) => return error.respond(&id),
        };
        let (messages, sent) = mpsc::channel(QUEUED);
        let client = Client::new(messages, Arc::clone(&self.elicitation), identity.clone());
        let context = Context {
            id: id.clone(),
            identity,
            budget,
            revision,
            meta,
            has_forms,
            takes_events: accepts.events,
            client,
            headers,
        };
        let call = Arc::clone(&self.handler).handle(call, context);
        let exchange = Exchange { id, revision, server: Arc::clone(&self.server_info) };
        respond(exchange, call, sent, accepts, self.ending_streams.clone()).await
    }

    /// Whether the client can show forms: its capabilities say so, in each request or, before
    /// revision 2026-07-28, in the session that `initialize` gave it.
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

fn refused(status: StatusCode, message: &'static str) -> Response {
    RpcError::invalid_request(status, message).into_response()
}

fn is_json(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|value| essence(value).eq_ignore_ascii_case("application/json"))
}
