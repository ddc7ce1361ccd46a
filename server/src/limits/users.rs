//! What is counted for each user: requests at a time, calls per minute, bytes in memory.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use moka::sync::Cache;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    bytes::{ByteBudget, Full, Reservation},
    metrics::{Bound, LimitMetrics},
};
use crate::identity::{Fingerprint, Identity};

/// Most users that are counted. Who is forgotten, because others called since, starts anew.
const USERS_MAX: u64 = 10_000;
/// How long a user who does not call is counted: after a minute the bucket of calls is full again.
const IDLE: Duration = Duration::from_mins(1);
/// Part of all bytes that one user can have in memory: a longer body is never taken.
pub const USER_SHARE: usize = 4;
/// Part of all bytes that only short texts can have: those must not wait behind long ones.
const SHORT_SHARE: usize = 8;
/// Longest text that is short, in bytes. Nearly every message is.
pub(super) const SHORT: usize = 16 * 1024;

/// Bytes of the user's share, of what all have together, and of what is kept for short texts.
pub type Reserved = [Reservation; 3];

/// All users, and what they share.
#[derive(Debug)]
pub struct Users {
    limits: PerUser,
    bytes: ByteBudget,
    short: ByteBudget,
    metrics: LimitMetrics,
    known: Cache<Key, Arc<User>>,
    /// All users whose calls run, and some who are forgotten: a user who waits is not a new one.
    alive: Mutex<HashMap<Key, Weak<User>>>,
}

/// The bounds for each user.
#[derive(Debug, Clone, Copy)]
pub struct PerUser {
    /// Requests and streams at a time.
    pub concurrent_requests: usize,
    /// Calls per minute; none: any number.
    pub calls_per_minute: Option<NonZeroU32>,
}

/// Whose requests are counted together: the user's, with whatever application and token. With an
/// API key all callers are one user to HQ, so their addresses tell them apart here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Subject(Arc<str>),
    Address(IpAddr),
    Token(Option<Fingerprint>),
}

/// What is counted for one user.
#[derive(Debug)]
pub struct User {
    requests: Arc<Semaphore>,
    calls: Option<Calls>,
    bytes: ByteBudget,
}

/// A bucket of calls: it holds a minute's calls and is refilled evenly.
#[derive(Debug)]
struct Calls {
    per_minute: NonZeroU32,
    bucket: DefaultDirectRateLimiter,
}

/// A call that came too soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    /// Calls that are allowed in a minute.
    pub per_minute: NonZeroU32,
    /// When the next call may come.
    pub wait: Duration,
}

/// The bytes that one user, and all together, can have in memory.
#[derive(Debug, Clone)]
pub struct Budget {
    user: Arc<User>,
    total: ByteBudget,
    short: ByteBudget,
    metrics: LimitMetrics,
}

impl Users {
    /// Bounds each user by `limits`, and all together to `bytes` in memory.
    #[must_use]
    pub fn new(limits: PerUser, bytes: usize, metrics: LimitMetrics) -> Self {
        let known = Cache::builder().max_capacity(USERS_MAX).time_to_idle(IDLE).build();
        let in_flight = metrics.in_flight(Bound::MemoryBytes, bytes);
        let short = bytes / SHORT_SHARE;
        let bytes = ByteBudget::new(bytes - short, in_flight.clone());
        Self {
            limits,
            bytes,
            short: ByteBudget::new(short, in_flight),
            metrics,
            known,
            alive: Mutex::default(),
        }
    }

    /// The user who calls as `identity` from `address`.
    #[must_use]
    pub fn user(&self, identity: &Identity, address: Option<IpAddr>) -> Arc<User> {
        let key = match (&identity.subject, address) {
            (Some(subject), _) => Key::Subject(Arc::clone(subject)),
            (None, Some(address)) => Key::Address(address),
            (None, None) => Key::Token(identity.fingerprint),
        };
        self.known.get_with_by_ref(&key, || self.alive_or_new(&key))
    }

    /// The user of `key`, who is not known any more or not yet.
    fn alive_or_new(&self, key: &Key) -> Arc<User> {
        // A map is whole whatever panicked elsewhere.
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(user) = alive.get(key).and_then(Weak::upgrade) {
            return user;
        }
        if alive.len() == alive.capacity() {
            alive.retain(|_, user| user.strong_count() > 0);
        }
        let user = Arc::new(self.unknown());
        alive.insert(key.clone(), Arc::downgrade(&user));
        user
    }

    /// The bytes that `user` can have in memory.
    #[must_use]
    pub fn budget(&self, user: Arc<User>) -> Budget {
        Budget {
            user,
            total: self.bytes.clone(),
            short: self.short.clone(),
            metrics: self.metrics.clone(),
        }
    }

    /// The bytes of all users together.
    #[must_use]
    pub fn bytes(&self) -> &ByteBudget {
        &self.bytes
    }

    fn unknown(&self) -> User {
        let PerUser { concurrent_requests, calls_per_minute } = self.limits;
        User {
            requests: Arc::new(Semaphore::new(concurrent_requests.min(Semaphore::MAX_PERMITS))),
            calls: calls_per_minute.map(|per_minute| Calls {
                per_minute,
                bucket: RateLimiter::direct(Quota::per_minute(per_minute)),
            }),
            bytes: ByteBudget::new(
                (self.bytes.limit() + self.short.limit()) / USER_SHARE,
                Gauge::default(),
            ),
        }
    }
}

impl User {
    /// A place among the user's requests, until it is dropped; none if all are taken.
    #[must_use]
    pub fn request(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.requests).try_acquire_owned().ok()
    }

    /// Takes a call from the user's bucket.
    ///
    /// # Errors
    ///
    /// [`Limited`] if it is empty.
    pub fn call(&self) -> Result<(), Limited> {
        let Some(Calls { per_minute, bucket }) = &self.calls else { return Ok(()) };
        bucket.check().map_err(|empty| Limited {
            per_minute: *per_minute,
            wait: empty.wait_time_from(DefaultClock::default().now()),
        })
    }
}

impl Budget {
    /// The most that the user can have.
    pub(super) fn share(&self) -> usize {
        self.user.bytes.limit()
    }

    /// Reserves `bytes` of a text that has `length` bytes in all, or at most, if need be after up
    /// to a second. A short text takes from what is kept for short ones.
    ///
    /// # Errors
    ///
    /// [`Full`].
    pub async fn reserve(&self, bytes: usize, length: Option<usize>) -> Result<Reserved, Full> {
        let is_short = length.is_some_and(|length| length <= SHORT);
        let reserved = async {
            // The user's own first: who waits for that takes nothing from the others.
            let user = self.user.bytes.reserve(bytes).await?;
            let none = Reservation::default();
            Ok(if is_short {
                [user, none, self.short.reserve(bytes).await?]
            } else {
                [user, self.total.reserve(bytes).await?, none]
            })
        };
        let reserved: Result<_, Full> = reserved.await;
        reserved.inspect_err(|_| self.metrics.refused(Bound::MemoryBytes))
    }
}
