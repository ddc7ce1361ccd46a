//! How often one user may call: what an assistant that loops would take from all others, and from HQ.

use std::{num::NonZeroU32, ops::ControlFlow, sync::Arc, time::Duration};

use axum::response::{IntoResponse, Response};
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use http::{Extensions, header::RETRY_AFTER};
use moka::sync::Cache;
use prometheus_client::metrics::counter::Counter;

use crate::{
    identity::{Fingerprint, Identity},
    message::{Message, Read, RpcError},
};

/// Most users that are counted. Who is forgotten, because others called since, starts anew.
const USERS_MAX: u64 = 10_000;
/// How long a user who does not call is counted: after a minute the bucket is full again.
const IDLE: Duration = Duration::from_mins(1);

/// A bucket of calls for each user: it holds a minute's calls and is refilled evenly. Each replica has its own.
#[derive(Debug)]
pub struct RateLimit {
    per_minute: Option<NonZeroU32>,
    users: Cache<User, Arc<DefaultDirectRateLimiter>>,
    clock: DefaultClock,
    refused: Counter,
}

/// Whose calls are counted together: the user's, with whatever application and token. With an API key all callers are one
/// service account to HQ, and one user here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum User {
    Subject(Arc<str>),
    Token(Fingerprint),
}

impl RateLimit {
    /// Lets each user make `per_minute` calls; `None`: as many as they like; each that is refused is counted in `refused`.
    #[must_use]
    pub fn new(per_minute: Option<NonZeroU32>, refused: Counter) -> Self {
        let users = Cache::builder().max_capacity(USERS_MAX).time_to_idle(IDLE).build();
        Self { per_minute, users, clock: DefaultClock::default(), refused }
    }

    /// Takes a call from the bucket of `identity`.
    ///
    /// # Errors
    ///
    /// The limit and the time until the next call may be made, when the bucket is empty.
    fn take(&self, identity: &Identity) -> Result<(), (NonZeroU32, Duration)> {
        let Some(per_minute) = self.per_minute else { return Ok(()) };
        let user =
            identity.subject.clone().map_or(User::Token(identity.fingerprint), User::Subject);
        let full = || Arc::new(RateLimiter::direct(Quota::per_minute(per_minute)));
        let bucket = self.users.get_with(user, full);
        bucket.check().map_err(|empty| (per_minute, empty.wait_time_from(self.clock.now())))
    }

    /// Takes the call that was `read` from the bucket of the user whom a request's extensions tell; breaks with 429
    /// (RFC 6585 §4), and when to try again, when it comes too soon.
    pub fn per_user(&self, request: &Extensions, read: &Read) -> ControlFlow<Response> {
        let (Some(identity), Some((message, id))) = (request.get::<Identity>(), read) else {
            return ControlFlow::Continue(());
        };
        if !asks_hq(message) {
            return ControlFlow::Continue(());
        }
        let Err((per_minute, wait)) = self.take(identity) else { return ControlFlow::Continue(()) };
        self.refused.inc();
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let error = RpcError::too_many_requests(
            id,
            format!(
                "too many calls: this server takes {per_minute} a minute from one user; nothing was done, try again in \
                 {seconds} s"
            ),
        );
        ControlFlow::Break(([(RETRY_AFTER, seconds.max(1))], error).into_response())
    }
}

/// Whether the answer needs HQ. Lists of tools and prompts are this server's own, and clients ask for them as they like; each that is refused is counted in `refused`.
fn asks_hq(message: &Message) -> bool {
    match message {
        Message::ToolCall { .. } | Message::ResourceRead { .. } => true,
        Message::Other { method } => {
            matches!(method.as_deref(), Some("resources/list" | "completion/complete"))
        }
    }
}
