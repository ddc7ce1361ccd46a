//! Sign-in: who calls, and may they do what this call does.
//!
//! ```text
//! Authorization header ─▶ bearer ─▶ resource_server ─▶ verdicts ─▶ introspection ─▶ HQ (RFC 7662)
//!                          syntax     OAuth             one question a token, cache ─▶ token_exchange (RFC 8693)
//!                                ╰─▶ shared_token       API-key mode: one token for all callers
//! Identity ─▶ authorize: the scopes that the call needs ─▶ MCP
//! AuthError  ─▶ challenge: 400, 401, 403 (RFC 6750, RFC 9728) or 503
//! ```
//!
//! A token is asked about at HQ for each request unless the operator said otherwise, so that a revoked application is out
//! at its next call. HQ failing is never the caller's fault: it is 503, and the token stays good.

mod audience;
mod authorization_server;
mod back_channel;
mod bearer;
mod challenge;
mod introspection;
pub mod metadata;
mod metrics;
mod resource_server;
pub(crate) mod server_metadata;
mod shared_token;
mod token_exchange;
mod token_validator;

use std::{ops::ControlFlow, sync::Arc};

use axum::{extract::Request, response::Response};
use http::{Extensions, HeaderMap};

pub use self::{
    authorization_server::AuthorizationServer,
    back_channel::BackChannel,
    challenge::AuthError,
    introspection::IntrospectionError,
    metrics::{AuthMetrics, CacheHit, Introspection, SignIn},
    resource_server::ResourceServer,
    shared_token::{SharedToken, shared_identity},
};
pub(crate) use self::{back_channel::NoReply, token_exchange::ExchangeError};
use crate::{
    access_log,
    identity::Identity,
    message::{self, Message, Read},
    policy::ToolPolicy,
    resources,
};

/// The gate in front of the MCP endpoint.
#[derive(Debug)]
pub struct Authenticator {
    mode: Mode,
    policy: Arc<ToolPolicy>,
    metrics: Arc<AuthMetrics>,
}

/// What callers must show.
#[derive(Debug)]
pub enum Mode {
    /// An access token that HQ issued.
    OAuth(Arc<ResourceServer>),
    /// The one token of API-key mode, or nothing.
    Shared(SharedToken),
}

impl Authenticator {
    /// A gate that lets in whom `mode` lets in, to what `offer` holds.
    #[must_use]
    pub fn new(mode: Mode, policy: Arc<ToolPolicy>, metrics: Arc<AuthMetrics>) -> Self {
        Self { mode, policy, metrics }
    }

    /// Puts the caller's [`Identity`] into the request's extensions, or breaks with a challenge. The `Authorization` header
    /// ends here: nothing behind it needs the token in any other form.
    pub async fn sign_in(&self, mut request: Request) -> ControlFlow<Response, Request> {
        match self.identify(request.headers()).await {
            Ok(identity) => {
                access_log::note(|noted| {
                    noted.subject.clone_from(&identity.subject);
                    noted.client_id.clone_from(&identity.client_id);
                });
                request.headers_mut().remove(http::header::AUTHORIZATION);
                request.extensions_mut().insert(identity);
                ControlFlow::Continue(request)
            }
            Err(error) => {
                message::discard(request.into_body()).await;
                ControlFlow::Break(self.refuse(&error))
            }
        }
    }

    /// Behind [`Authenticator::sign_in`], which left the [`Identity`] in the request's extensions: breaks with a challenge unless the
    /// caller holds the scopes of the call that was `read`.
    pub fn authorize(&self, request: &Extensions, read: &Read) -> ControlFlow<Response> {
        let decision = match (request.get::<Identity>(), read) {
            (Some(identity), Some((message, _))) => {
                note(message);
                self.decide(identity, message)
            }
            (Some(_), None) => Ok(()),
            // Cannot be, as the router stands; if it ever is, nobody gets in.
            (None, _) => Err(AuthError::Missing),
        };
        match decision {
            Ok(()) => {
                self.decided(SignIn::Accepted);
                ControlFlow::Continue(())
            }
            Err(error) => ControlFlow::Break(self.refuse(&error)),
        }
    }

    async fn identify(&self, headers: &HeaderMap) -> Result<Identity, AuthError> {
        match &self.mode {
            Mode::OAuth(resource_server) => resource_server.identify(headers).await,
            Mode::Shared(shared_token) => shared_token.identify(headers),
        }
    }

    /// Whether `identity` may do what `message` asks. What is not offered does not exist here, so no challenge asks for
    /// it: MCP answers.
    fn decide(&self, identity: &Identity, message: &Message) -> Result<(), AuthError> {
        let needed = match message {
            Message::ToolCall { name, arguments } => {
                self.policy.required_scopes(name, arguments.as_ref())
            }
            // It is read by a tool.
            Message::ResourceRead { uri } => {
                resources::find(uri).ok().and_then(|(resource, arguments)| {
                    self.policy.required_scopes(resource.tool, Some(&arguments))
                })
            }
            Message::Other { .. } => None,
        };
        match needed {
            Some(needed) if !identity.scopes.covers(needed) => {
                Err(AuthError::InsufficientScope { needed, held: identity.scopes })
            }
            _ => Ok(()),
        }
    }

    fn decided(&self, outcome: SignIn) {
        self.metrics.signed_in(outcome);
        access_log::note(|noted| noted.sign_in = Some(outcome.as_str()));
    }

    fn refuse(&self, error: &AuthError) -> Response {
        self.decided(error.outcome());
        let metadata_url = match &self.mode {
            Mode::OAuth(resource_server) => Some(resource_server.metadata_url()),
            Mode::Shared(_) => None,
        };
        error.respond(metadata_url, self.policy.scopes())
    }
}

/// Names in the access log are cut: they are the caller's text.
fn note(message: &Message) {
    const NAME_MAX: usize = 64;
    let cut = |name: &str| name.chars().take(NAME_MAX).collect::<String>();
    access_log::note(|noted| match message {
        Message::ToolCall { name, .. } => {
            noted.rpc = Some("tools/call".into());
            noted.tool = Some(cut(name));
        }
        Message::ResourceRead { .. } => noted.rpc = Some("resources/read".into()),
        Message::Other { method } => noted.rpc = method.as_deref().map(|method| cut(method).into()),
    });
}
