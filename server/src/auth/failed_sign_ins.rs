//! Failed sign-ins of each client address. Beyond a number a minute, HQ is asked only about tokens
//! that it accepted lately, so that a flood of bad tokens neither reaches HQ nor locks out those
//! who are signed in at the same address.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use moka::sync::Cache;
use tokio::time::Instant;

use crate::identity::Fingerprint;

/// The time in which failures are counted. It starts with the first.
const WINDOW: Duration = Duration::from_mins(1);
/// Most addresses that are counted. Of more, those that fail least often are forgotten.
const ADDRESSES_MAX: u64 = 10_000;
/// How long a token that HQ accepted is remembered after it was last used: longer than the usual
/// pauses of a user. Nothing is decided by it but whether HQ is asked.
const ACCEPTED_FOR: Duration = Duration::from_hours(1);
/// Most accepted tokens that are remembered.
const ACCEPTED_MAX: u64 = 10_000;

/// Counts failed sign-ins.
#[derive(Debug)]
pub(super) struct FailedSignIns {
    /// `None`: any number.
    per_minute: Option<NonZeroU32>,
    addresses: Cache<IpAddr, Arc<Mutex<Failures>>>,
    accepted: Cache<Fingerprint, ()>,
}

/// The failures of one address.
#[derive(Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

/// An address failed too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooManyFailures {
    /// Failures that are allowed in a minute.
    pub(super) per_minute: NonZeroU32,
    /// When HQ is asked again.
    pub(super) wait: Duration,
}

/// A sign-in that HQ is asked about. If it is dropped before HQ answers, because its caller hung
/// up, it counts as failed; else a client could have any number of questions asked by not waiting.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    of: &'a FailedSignIns,
    address: Option<IpAddr>,
    token: Fingerprint,
    decided: bool,
}

impl FailedSignIns {
    /// Each address may fail `per_minute` times a minute; `None`: any number of times.
    pub(super) fn new(per_minute: Option<NonZeroU32>) -> Self {
        let addresses = Cache::builder().max_capacity(ADDRESSES_MAX).time_to_idle(WINDOW).build();
        let accepted =
            Cache::builder().max_capacity(ACCEPTED_MAX).time_to_idle(ACCEPTED_FOR).build();
        Self { per_minute, addresses, accepted }
    }

    /// Whether HQ may be asked about `token` for `address`. Without an address nothing is counted.
    ///
    /// # Errors
    ///
    /// [`TooManyFailures`], unless HQ accepted the token lately, whoever showed it.
    pub(super) fn check(
        &self,
        address: Option<IpAddr>,
        token: Fingerprint,
    ) -> Result<(), TooManyFailures> {
        let (Some(per_minute), Some(address)) = (self.per_minute, address) else { return Ok(()) };
        let Some(failures) = self.addresses.get(&address) else { return Ok(()) };
        let wait = lock(&failures).wait(per_minute);
        if wait.is_zero() || self.accepted.contains_key(&token) {
            return Ok(());
        }
        Err(TooManyFailures { per_minute, wait })
    }

    /// HQ is asked about `token` for `address`.
    pub(super) fn attempt(&self, address: Option<IpAddr>, token: Fingerprint) -> Attempt<'_> {
        Attempt { of: self, address, token, decided: false }
    }

    fn count(&self, address: Option<IpAddr>) {
        let (Some(_), Some(address)) = (self.per_minute, address) else { return };
        let failures = self.addresses.get_with(address, || {
            Arc::new(Mutex::new(Failures { since: Instant::now(), count: 0 }))
        });
        lock(&failures).add();
    }
}

impl Failures {
    /// How long the address has to wait, if it may fail `per_minute` times.
    fn wait(&self, per_minute: NonZeroU32) -> Duration {
        if self.count < per_minute.get() {
            Duration::ZERO
        } else {
            WINDOW.saturating_sub(self.since.elapsed())
        }
    }

    fn add(&mut self) {
        if self.since.elapsed() >= WINDOW {
            *self = Self { since: Instant::now(), count: 0 };
        }
        self.count = self.count.saturating_add(1);
    }
}

impl Attempt<'_> {
    /// HQ accepted the token.
    pub(super) fn accepted(mut self) {
        self.decided = true;
        if self.of.per_minute.is_some() {
            self.of.accepted.insert(self.token, ());
        }
    }

    /// HQ refused the token.
    pub(super) fn refused(mut self) {
        self.decided = true;
        self.of.accepted.invalidate(&self.token);
        self.of.count(self.address);
    }

    /// HQ had no answer, which says nothing about the token.
    pub(super) fn unanswered(mut self) {
        self.decided = true;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.decided && !self.of.accepted.contains_key(&self.token) {
            self.of.count(self.address);
        }
    }
}

fn lock(failures: &Mutex<Failures>) -> MutexGuard<'_, Failures> {
    failures.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
    const ELSEWHERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2)));

    fn failed_sign_ins() -> FailedSignIns {
        FailedSignIns::new(NonZeroU32::new(2))
    }

    fn may_ask(failed: &FailedSignIns, address: Option<IpAddr>, token: &str) -> bool {
        failed.check(address, Fingerprint::of(token)).is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_with_too_many_failures_waits_until_the_minute_ends() {
        let failed = failed_sign_ins();
        let token = Fingerprint::of("bad");
        for _ in 0..2 {
            assert!(may_ask(&failed, HOME, "bad"));
            failed.attempt(HOME, token).refused();
            tokio::time::advance(Duration::from_secs(10)).await;
        }
        let too_many = failed.check(HOME, token).unwrap_err();
        assert_eq!((too_many.per_minute.get(), too_many.wait.as_secs()), (2, 40));
        assert!(may_ask(&failed, ELSEWHERE, "bad") && may_ask(&failed, None, "bad"));
        tokio::time::advance(too_many.wait).await;
        assert!(may_ask(&failed, HOME, "bad"));
        failed.attempt(HOME, token).refused();
        assert!(may_ask(&failed, HOME, "bad"), "a new minute begins");
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_once_accepted_may_be_introspected_until_it_is_refused() {
        let failed = failed_sign_ins();
        failed.attempt(ELSEWHERE, Fingerprint::of("good")).accepted();
        for _ in 0..2 {
            failed.attempt(HOME, Fingerprint::of("bad")).refused();
        }
        assert!(may_ask(&failed, HOME, "good") && !may_ask(&failed, HOME, "new"));
        failed.attempt(HOME, Fingerprint::of("good")).refused();
        assert!(!may_ask(&failed, HOME, "good"));
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_caller_that_hangs_up_on_an_unknown_token_fails() {
        let failed = failed_sign_ins();
        failed.attempt(HOME, Fingerprint::of("good")).accepted();
        for _ in 0..2 {
            drop(failed.attempt(HOME, Fingerprint::of("good")));
            failed.attempt(HOME, Fingerprint::of("any")).unanswered();
        }
        assert!(may_ask(&failed, HOME, "new"));
        for _ in 0..2 {
            drop(failed.attempt(HOME, Fingerprint::of("any")));
        }
        assert!(!may_ask(&failed, HOME, "new"));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_is_remembered() {
        let failed = FailedSignIns::new(None);
        for _ in 0..100 {
            failed.attempt(HOME, Fingerprint::of("bad")).refused();
        }
        failed.attempt(HOME, Fingerprint::of("good")).accepted();
        assert!(may_ask(&failed, HOME, "bad"));
        assert!(!failed.accepted.contains_key(&Fingerprint::of("good")));
    }
}
