//! An answer that reached another replica than the one that waits for it: sent on, inside the
//! cluster, to that replica's admin port.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    BoxError, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, FromRequest, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::{
    HeaderValue, Request, StatusCode,
    header::{CONNECTION, HOST},
};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{net::TcpStream, time::timeout};

use super::{
    elicitation::{Destination, Elicitation, user},
    message::ClientResponse,
};
use crate::{identity::Identity, json_rpc::RpcError};

/// Where replicas take answers.
const PATH: &str = "/elicitation";
/// The header that proves that a replica sent it.
const SEAL: &str = "x-lenses-mcp-seal";
/// Longest time to reach another replica, and for its request: it is in the same cluster.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer that is sent on, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
struct Forwarded {
    id: String,
    user: String,
    result: Option<Box<str>>,
}

impl Elicitation {
    /// Sends `response` to the call that waits for it at `replica`.
    pub(super) async fn forward(
        &self,
        response: &ClientResponse,
        identity: &Identity,
        replica: SocketAddr,
    ) -> Response {
        let ClientResponse { id, result } = response;
        let forwarded = Forwarded { id: id.clone(), user: user(identity), result: result.clone() };
        let status = match serde_json::to_vec(&forwarded) {
            Ok(body) if body.len() <= ANSWER_MAX => self.send(body, replica).await,
            _ => Some(StatusCode::PAYLOAD_TOO_LARGE),
        };
        match status {
            Some(StatusCode::ACCEPTED) => StatusCode::ACCEPTED.into_response(),
            Some(status) if status.is_client_error() => {
                RpcError::invalid_request(StatusCode::BAD_REQUEST, "no call waits for this answer")
                    .into_response()
            }
            _ => RpcError::internal(
                StatusCode::BAD_GATEWAY,
                "the replica that waits for this answer can't be reached; nothing was done",
            )
            .into_response(),
        }
    }

    async fn send(&self, body: Vec<u8>, replica: SocketAddr) -> Option<StatusCode> {
        let seal = self.seal_forwarded(&body);
        match timeout(TIMEOUT, post_to(replica, seal, body)).await {
            Ok(Ok(status)) => Some(status),
            Ok(Err(error)) => {
                tracing::warn!(%replica, %error, "an answer could not be sent to its replica");
                None
            }
            Err(_) => {
                tracing::warn!(%replica, "an answer could not be sent to its replica in time");
                None
            }
        }
    }
}

/// Sends `body` over a connection of its own: answers are rare.
async fn post_to(replica: SocketAddr, seal: String, body: Vec<u8>) -> Result<StatusCode, BoxError> {
    let stream = TokioIo::new(TcpStream::connect(replica).await?);
    let (mut sender, connection) = http1::handshake(stream).await?;
    let request = Request::post(PATH)
        .header(HOST, replica.to_string())
        .header(SEAL, seal)
        .body(Full::new(Bytes::from(body)))?;
    let sending = async {
        let response = sender.send_request(request).await?;
        Ok(response.status())
    };
    tokio::select! {
        sent = sending => sent,
        ended = connection => Err(ended.err().map_or("closed".into(), Into::into)),
    }
}

/// Takes the answers that other replicas send on.
pub fn routes(elicitation: Arc<Elicitation>) -> Router {
    Router::new()
        .route(PATH, post(receive))
        .layer(DefaultBodyLimit::max(ANSWER_MAX))
        .with_state(elicitation)
}

async fn receive(State(elicitation): State<Arc<Elicitation>>, request: Request<Body>) -> Response {
    let seal = request.headers().get(SEAL).cloned();
    match timeout(TIMEOUT, Bytes::from_request(request, &())).await {
        Ok(Ok(body)) => elicitation.receive(seal.as_ref(), &body).into_response(),
        Ok(Err(unread)) => unread.into_response(),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, [(CONNECTION, "close")]).into_response(),
    }
}

impl Elicitation {
    /// Takes the answer that another replica sent on in `body`, with its `seal`.
    fn receive(&self, seal: Option<&HeaderValue>, body: &[u8]) -> StatusCode {
        let seal = seal.and_then(|seal| seal.to_str().ok()).unwrap_or_default();
        if !self.is_forwarded(body, seal) {
            return StatusCode::FORBIDDEN;
        }
        let Ok(Forwarded { id, user, result }) = serde_json::from_slice(body) else {
            return StatusCode::BAD_REQUEST;
        };
        match self.answer_of(&ClientResponse { id, result }, &user) {
            Ok(Destination::Delivered) => StatusCode::ACCEPTED,
            // It is sent on once only.
            Ok(Destination::Replica(_)) | Err(_) => StatusCode::NOT_FOUND,
        }
    }
}
