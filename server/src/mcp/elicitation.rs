//! Questions to the client in the middle of a call: how the revisions before 2026-07-28 ask.
//!
//! ```text
//! initialize  ─▶ a session id that is sealed state: the client can show forms, and who the user is
//! tools/call  ─▶ event stream ─▶ elicitation/create, its id sealed: a nonce, and which
//!                replica waits
//! POST answer ─▶ open the id ─▶ this replica: hand it to the call
//!                            ╰▶ another replica: forward it there (`forwarding.rs`)
//! ```
//!
//! Nothing is stored but the questions that calls wait on, and those end with the call. A session
//! id or a question's id holds for one user, on every replica that has the sealing key.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::StatusCode;
use rmcp::model::{RequestStateCodec, SealOptions};
use tokio::sync::oneshot;

use super::{message::ClientResponse, meta::ClientCapabilities};
use crate::{
    identity::{Identity, SignInMode},
    json_rpc::{RequestId, RpcError},
};

/// How long a call waits for the client's answer. Then nothing is done. SDKs give a call up after a
/// minute (the TypeScript SDK's default): a later yes must not run what the model was told has
/// failed.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(55);

/// Most calls that wait on questions at a time: each of them has a place among all requests.
const WAITING_MAX: usize = 64;
/// Most of them of one user.
const WAITING_OF_USER_MAX: usize = 8;

const SESSION: &[u8] = b"session";
const QUESTION: &[u8] = b"question";
const NONCE_LENGTH: usize = 16;
type Nonce = [u8; NONCE_LENGTH];

/// The questions that calls of this replica wait on, and the seal of ids.
pub struct Elicitation {
    codec: RequestStateCodec,
    replica: Option<SocketAddr>,
    waiting: Mutex<HashMap<Nonce, Waiting>>,
}

/// A call that waits on its question.
struct Waiting {
    user: String,
    /// What [`WAITING_OF_USER_MAX`] is counted by, if callers of one user are not one person.
    address: Option<IpAddr>,
    /// The id of the client's request.
    call: RequestId,
    answer: oneshot::Sender<Option<Box<str>>>,
}

/// The call that asks.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    /// Who calls.
    pub(super) identity: Identity,
    /// The client's address, as bounds count it.
    pub(super) address: Option<IpAddr>,
    /// The id of the client's request.
    pub(super) call: RequestId,
}

impl Asker {
    /// Who the user is. With an API key, users are told apart by their address alone, as in all
    /// bounds: request ids are easy to guess, and must not end the questions of others.
    fn user(&self) -> (String, Option<IpAddr>) {
        let Self { identity, address, .. } = self;
        (user(identity), address.filter(|_| identity.sign_in == SignInMode::ApiKey))
    }
}

/// A question that was asked. It is forgotten when this is dropped.
pub(super) struct Question {
    elicitation: Arc<Elicitation>,
    nonce: Nonce,
    /// The id of the request that asks.
    pub(super) id: String,
    /// Where the client's result comes out; none if the client answered with an error.
    pub(super) answer: oneshot::Receiver<Option<Box<str>>>,
}

impl Drop for Question {
    fn drop(&mut self) {
        self.elicitation.take(&self.nonce);
    }
}

/// Where a client's answer belongs.
#[derive(Debug, PartialEq, Eq)]
pub enum Destination {
    /// A call of this replica took it.
    Delivered,
    /// A call of the replica with this address waits for it.
    Replica(SocketAddr),
}

impl Elicitation {
    /// Seals with `codec`. Other replicas reach this one's admin port at `replica`, if it is known.
    #[must_use]
    pub fn new(codec: RequestStateCodec, replica: Option<SocketAddr>) -> Self {
        Self { codec, replica, waiting: Mutex::default() }
    }

    /// The session id for a client with these `capabilities`; none if there is nothing to remember
    /// of it.
    pub(super) fn session(
        &self,
        capabilities: &ClientCapabilities,
        identity: &Identity,
    ) -> Option<String> {
        let sealed = || {
            let data = associated(SESSION, &user(identity));
            self.codec.seal_with(b"forms", &SealOptions::new().associated_data(&data))
        };
        capabilities.has_forms().then(sealed)
    }

    /// Checks the session id that a request came with. A client that has a session can show forms.
    ///
    /// # Errors
    ///
    /// -32600 in HTTP 404, at which a client begins a new session (MCP 2025-11-25, "Session
    /// Management").
    pub(super) fn check_session(&self, id: &str, identity: &Identity) -> Result<(), RpcError> {
        let opened = self.codec.open_with(id, &associated(SESSION, &user(identity)));
        opened.map(drop).map_err(|_| {
            RpcError::invalid_request(
                StatusCode::NOT_FOUND,
                "the session is not known: send initialize again, without Mcp-Session-Id",
            )
        })
    }

    /// A new question of `asker` to its user; none if too many calls wait already.
    pub(super) fn ask(self: &Arc<Self>, asker: &Asker) -> Option<Question> {
        let (user, address) = asker.user();
        let nonce: Nonce = rand::random();
        let replica = self.replica.map(|replica| replica.to_string()).unwrap_or_default();
        let payload = [nonce.as_slice(), replica.as_bytes()].concat();
        let data = associated(QUESTION, &user);
        let options = SealOptions::new().associated_data(&data).ttl(ANSWER_WITHIN);
        let id = self.codec.seal_with(&payload, &options);
        let (sender, answer) = oneshot::channel();
        let mut waiting = self.waiting();
        let is_of_user = |call: &&Waiting| call.user == user && call.address == address;
        let of_user = waiting.values().filter(is_of_user).count();
        if waiting.len() >= WAITING_MAX || of_user >= WAITING_OF_USER_MAX {
            return None;
        }
        waiting.insert(nonce, Waiting { user, address, call: asker.call.clone(), answer: sender });
        drop(waiting);
        Some(Question { elicitation: Arc::clone(self), nonce, id, answer })
    }

    /// Ends the waiting of the call of `asker`, which the client cancels. Another replica's call
    /// goes on waiting, for [`ANSWER_WITHIN`] at most: nothing tells which one it is.
    pub(super) fn cancel(&self, asker: &Asker) {
        let (user, address) = asker.user();
        self.waiting().retain(|_, waiting| {
            (&waiting.user, waiting.address, &waiting.call) != (&user, address, &asker.call)
        });
    }

    /// Hands the client's answer to the call that waits for it here, or says which replica does.
    ///
    /// # Errors
    ///
    /// -32600 for an id that is not this user's, that is too old, or that no call waits for.
    pub(super) fn answer(
        &self,
        response: &ClientResponse,
        identity: &Identity,
    ) -> Result<Destination, RpcError> {
        self.answer_of(response, &user(identity))
    }

    /// As [`Self::answer`], for the `user` that another replica names.
    pub(super) fn answer_of(
        &self,
        response: &ClientResponse,
        user: &str,
    ) -> Result<Destination, RpcError> {
        let unknown = || {
            RpcError::invalid_request(
                StatusCode::BAD_REQUEST,
                "no call waits for this answer: it came too late, or the question was not this \
                 server's",
            )
        };
        let opened = self.codec.open_with(&response.id, &associated(QUESTION, user));
        let payload = opened.map_err(|_| unknown())?;
        let (nonce, replica) = payload.split_first_chunk().ok_or_else(unknown)?;
        if let Some(call) = self.take(nonce) {
            // A call that has just ended needs no answer.
            let _ended = call.answer.send(response.result.clone());
            return Ok(Destination::Delivered);
        }
        let replica = std::str::from_utf8(replica).ok().and_then(|text| text.parse().ok());
        replica
            .filter(|replica| Some(*replica) != self.replica)
            .map(Destination::Replica)
            .ok_or_else(unknown)
    }

    /// A text that proves to the other replicas that `body` comes from one of them.
    pub(super) fn seal_forwarded(&self, body: &[u8]) -> String {
        let options = SealOptions::new().associated_data(body).ttl(ANSWER_WITHIN);
        self.codec.seal_with(b"forwarded", &options)
    }

    /// Whether `seal` proves that `body` comes from another replica.
    pub(super) fn is_forwarded(&self, body: &[u8], seal: &str) -> bool {
        self.codec.open_with(seal, body).is_ok_and(|payload| payload == b"forwarded")
    }

    /// Number of questions that calls wait on.
    #[must_use]
    pub fn waiting_calls(&self) -> usize {
        self.waiting().len()
    }

    fn take(&self, nonce: &Nonce) -> Option<Waiting> {
        self.waiting().remove(nonce)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Nonce, Waiting>> {
        // A map is whole whatever panicked elsewhere.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who the user is: the subject, because a token may be refreshed while a session lasts.
pub(super) fn user(identity: &Identity) -> String {
    let Identity { subject, client_id, fingerprint, .. } = identity;
    let user = subject.as_deref().map(str::to_owned);
    let user = user.or_else(|| fingerprint.map(|it| it.to_string())).unwrap_or_default();
    format!("{}:{user}:{}", user.len(), client_id.as_deref().unwrap_or_default())
}

/// What a seal of one kind holds for. The kind keeps a session id from passing for a question's.
fn associated(kind: &[u8], user: &str) -> Vec<u8> {
    [kind, b"\0", user.as_bytes()].concat()
}
