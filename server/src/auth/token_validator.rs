//! What is known about tokens, and the one question that is asked if nothing is.
//!
//! All who show the same token at the same time wait for one introspection, whether or not tokens
//! are cached. So HQ's word is never older than the start of the introspection that a caller
//! joined, unless the operator turned the cache on.

use std::{
    net::IpAddr,
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures::{FutureExt, future::BoxFuture};
use moka::{Expiry, sync::Cache};
use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::{
    AuthMetrics, AuthorizationServer, CacheHit,
    address_shares::AddressShares,
    failed_sign_ins::{FailedSignIns, TooManyFailures},
    grant::{Conditions, Grant},
    introspection::IntrospectionError,
    rejection::Rejection,
    single_flight::{Flight, SingleFlight},
    token_exchange::{ExchangeError, Exchanged},
};
use crate::{identity::Fingerprint, scope::ScopeSet};

/// Most tokens that are remembered. Each costs a few hundred bytes.
const TOKENS_MAX: u64 = 10_000;
/// How long a refused token is refused without asking: long enough to spare HQ a client that loops,
/// short enough that a token that was only just issued is not locked out.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// The decision on a token.
#[derive(Debug, Clone)]
pub(super) enum TokenStatus {
    /// It is good.
    Active(Arc<Grant>),
    /// It is not.
    Rejected(Rejection),
}

/// Why there is no decision. Nothing here says anything about the token.
#[derive(Debug, thiserror::Error)]
pub(super) enum ValidationError {
    #[error(transparent)]
    Introspection(#[from] IntrospectionError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error(
        "its client address failed to sign in more than {} times in a minute \
         (MCP_FAILED_SIGN_INS_PER_MINUTE)",
        .0.per_minute
    )]
    TooManyFailures(TooManyFailures),
    #[error(
        "its client address has too many introspections in flight \
         (MCP_CONCURRENT_INTROSPECTIONS_PER_ADDRESS)"
    )]
    AddressBusy,
}

/// The bounds on what HQ is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct IntrospectionLimits {
    /// Introspections in flight, in total; more wait.
    pub(super) concurrent: usize,
    /// Introspections of one client address, those that wait included.
    pub(super) concurrent_per_address: usize,
    /// Failed sign-ins of one client address a minute; `None`: any number.
    pub(super) failed_per_minute: Option<NonZeroU32>,
}

/// Decides on tokens.
#[derive(Debug)]
pub(super) struct TokenValidator {
    cache: Cache<Fingerprint, TokenStatus>,
    authorization_server: Arc<AuthorizationServer>,
    conditions: Conditions,
    offered: ScopeSet,
    in_flight: SingleFlight<Result<TokenStatus, Arc<ValidationError>>>,
    slots: Semaphore,
    shares: Arc<AddressShares>,
    failed_sign_ins: FailedSignIns,
    metrics: Arc<AuthMetrics>,
}

impl TokenValidator {
    /// Takes tokens that meet `conditions`. Remembers active ones for `cache_ttl` (but never past
    /// their end).
    pub(super) fn new(
        authorization_server: Arc<AuthorizationServer>,
        conditions: Conditions,
        offered: ScopeSet,
        cache_ttl: Duration,
        limits: IntrospectionLimits,
        metrics: Arc<AuthMetrics>,
    ) -> Self {
        let cache = Cache::builder()
            .max_capacity(TOKENS_MAX)
            .expire_after(TokenLifetime { cache_ttl })
            .build();
        let IntrospectionLimits { concurrent, concurrent_per_address, failed_per_minute } = limits;
        metrics.limited(concurrent, concurrent_per_address, failed_per_minute);
        Self {
            cache,
            authorization_server,
            conditions,
            offered,
            in_flight: SingleFlight::new(),
            slots: Semaphore::new(concurrent.min(Semaphore::MAX_PERMITS)),
            shares: Arc::new(AddressShares::new(concurrent_per_address)),
            failed_sign_ins: FailedSignIns::new(failed_per_minute),
            metrics,
        }
    }

    /// The decision on `token`, whose fingerprint is `key` and which `address` shows, from memory
    /// or from HQ.
    ///
    /// # Errors
    ///
    /// When HQ has no answer, or is not asked because of what `address` did. That is not
    /// remembered.
    pub(super) async fn validate(
        self: &Arc<Self>,
        token: &SecretString,
        key: Fingerprint,
        address: Option<IpAddr>,
    ) -> Result<TokenStatus, Arc<ValidationError>> {
        if let Some(status) = self.cache.get(&key) {
            self.cache_hit(&status);
            return Ok(status);
        }
        match self.in_flight.call(key, || self.clone().start(token.clone(), key, address))? {
            Flight::Started(introspection) => introspection.await,
            Flight::Joined(introspection) => {
                let answer = introspection.await;
                if answer.is_ok() {
                    self.metrics.introspection_cache_hit(CacheHit::Shared);
                }
                answer
            }
        }
    }

    /// Forgets what is known of the token, because HQ did not take it or what it was exchanged for.
    pub(super) fn forget(&self, token: Fingerprint) {
        self.cache.invalidate(&token);
    }

    /// An introspection, if `address` may have one more.
    fn start(
        self: Arc<Self>,
        token: SecretString,
        key: Fingerprint,
        address: Option<IpAddr>,
    ) -> Result<BoxFuture<'static, Result<TokenStatus, Arc<ValidationError>>>, ValidationError>
    {
        self.failed_sign_ins.check(address, key).map_err(ValidationError::TooManyFailures)?;
        let share = self.shares.take(address).ok_or(ValidationError::AddressBusy)?;
        let introspection = async move {
            let _share = share;
            let _slot = self.slots.acquire().await;
            let _in_flight = self.metrics.introspection_in_flight();
            let attempt = self.failed_sign_ins.attempt(address, key);
            let answer = self.ask(&token).await;
            match &answer {
                Ok(TokenStatus::Active(_)) => attempt.accepted(),
                Ok(TokenStatus::Rejected(_)) => attempt.refused(),
                Err(_) => attempt.unanswered(),
            }
            if let Ok(status) = &answer {
                self.cache.insert(key, status.clone());
            }
            answer.map_err(Arc::new)
        };
        Ok(introspection.boxed())
    }

    async fn ask(&self, token: &SecretString) -> Result<TokenStatus, ValidationError> {
        let reply = self.authorization_server.introspect(token).await?;
        let mut grant = match self.conditions.grant(reply, now()) {
            Ok(grant) => grant,
            Err(rejection) => return Ok(TokenStatus::Rejected(rejection)),
        };
        grant.scopes = grant.scopes.intersection(self.offered);
        let exchanged = match self.authorization_server.exchange(token, grant.scopes).await {
            Err(error) if error.is_of_the_token() => {
                return Ok(TokenStatus::Rejected(Rejection::NotExchanged));
            }
            exchanged => exchanged?,
        };
        if let Some(Exchanged { token, expires_in }) = exchanged {
            let ends = expires_in.map(|left| now().saturating_add(left.as_secs()));
            grant.expires_at = grant.expires_at.into_iter().chain(ends).min();
            grant.exchanged = Some(token);
        }
        Ok(TokenStatus::Active(Arc::new(grant)))
    }

    fn cache_hit(&self, status: &TokenStatus) {
        self.metrics.introspection_cache_hit(match status {
            TokenStatus::Active(_) => CacheHit::Cached,
            TokenStatus::Rejected(_) => CacheHit::RecentlyRefused,
        });
    }
}

/// How long each status is kept.
struct TokenLifetime {
    cache_ttl: Duration,
}

impl TokenLifetime {
    fn of(&self, status: &TokenStatus) -> Duration {
        match status {
            TokenStatus::Rejected(_) => REFUSED_FOR,
            TokenStatus::Active(grant) => grant.expires_at.map_or(self.cache_ttl, |end| {
                self.cache_ttl.min(Duration::from_secs(end.saturating_sub(now())))
            }),
        }
    }
}

impl Expiry<Fingerprint, TokenStatus> for TokenLifetime {
    fn expire_after_create(
        &self,
        _: &Fingerprint,
        status: &TokenStatus,
        _: Instant,
    ) -> Option<Duration> {
        Some(self.of(status))
    }

    fn expire_after_update(
        &self,
        _: &Fingerprint,
        status: &TokenStatus,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(self.of(status))
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs())
}
