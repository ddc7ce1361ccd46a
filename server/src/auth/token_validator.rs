//! What is known about tokens, and the one question that is asked where nothing is.
//!
//! moka gives both halves: a bounded cache, and one computation for all who ask for the same key at the same time, which
//! holds even when nothing is kept (a lifetime of zero). So HQ's word is never older than the start of the question that a
//! caller joined, unless the operator turned the cache on.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use moka::{Expiry, future::Cache};
use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::{
    AuthMetrics, AuthorizationServer, CacheHit,
    audience::Audience,
    introspection::{IntrospectionError, IntrospectionResponse},
    token_exchange::{ExchangeError, Exchanged},
};
use crate::{identity::Fingerprint, scope::ScopeSet};

/// Most tokens that are remembered. Each costs a few hundred bytes.
const TOKENS_MAX: u64 = 10_000;
/// How long a refused token is refused without asking: long enough to spare HQ a client that loops, short enough that a
/// token that was only just issued is not locked out.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// The decision on a token.
#[derive(Debug, Clone)]
pub(super) enum TokenStatus {
    /// It is good.
    Active(Arc<Grant>),
    /// It is not.
    Rejected(Reason),
}

/// What a good token stands for.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) subject: Option<Arc<str>>,
    pub(super) client_id: Option<Arc<str>>,
    /// The token's scopes within those that this server offers.
    pub(super) scopes: ScopeSet,
    /// What HQ is shown in place of the token, where tokens are exchanged.
    pub(super) exchanged: Option<Arc<SecretString>>,
    /// When the token, or what it was exchanged for, ends: in seconds since 1970.
    expires_at: Option<u64>,
}

/// Why a token is not good: for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Reason {
    #[error("HQ says it is not active")]
    Inactive,
    #[error("it has expired")]
    Expired,
    #[error("it is not a bearer access token")]
    NotBearer,
    #[error(
        "its aud does not name this server; clients must ask HQ for a token for MCP_ADVERTISED_URL, or set MCP_AUDIENCE"
    )]
    OtherAudience,
}

/// Why there is no decision. Nothing here says anything about the token.
#[derive(Debug, thiserror::Error)]
pub(super) enum ValidationError {
    #[error(transparent)]
    Introspection(#[from] IntrospectionError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error("the question was abandoned")]
    Abandoned,
}

/// Decides on tokens.
#[derive(Debug)]
pub(super) struct TokenValidator {
    cache: Cache<Fingerprint, TokenStatus>,
    authorization_server: Arc<AuthorizationServer>,
    audience: Audience,
    offered: ScopeSet,
    questions: Arc<Semaphore>,
    metrics: Arc<AuthMetrics>,
}

impl TokenValidator {
    /// Remembers active tokens for `cache_ttl` (but never past their end), and has at most `max_questions` callers wait.
    pub(super) fn new(
        authorization_server: Arc<AuthorizationServer>,
        audience: Audience,
        offered: ScopeSet,
        cache_ttl: Duration,
        max_questions: usize,
        metrics: Arc<AuthMetrics>,
    ) -> Self {
        let cache = Cache::builder()
            .max_capacity(TOKENS_MAX)
            .expire_after(TokenLifetime { cache_ttl })
            .build();
        let questions = Arc::new(Semaphore::new(max_questions.min(Semaphore::MAX_PERMITS)));
        Self { cache, authorization_server, audience, offered, questions, metrics }
    }

    /// The decision on `token`, whose fingerprint is `key`, from memory or from HQ.
    ///
    /// # Errors
    ///
    /// When HQ has no answer. That is not remembered.
    pub(super) async fn validate(
        self: &Arc<Self>,
        token: &SecretString,
        key: Fingerprint,
    ) -> Result<TokenStatus, Arc<ValidationError>> {
        if let Some(status) = self.cache.get(&key).await {
            self.cache_hit(&status);
            return Ok(status);
        }
        // On a task of its own: a caller that goes away neither stops the question for the others nor makes them ask
        // again. The permit, taken before, bounds these tasks.
        let permit = self.questions.clone().acquire_owned().await.ok();
        let (this, token) = (self.clone(), token.clone());
        let question = tokio::spawn(async move {
            let _permit = permit;
            let answer = this.cache.entry(key).or_try_insert_with(this.ask(&token)).await;
            answer.map(|entry| {
                if !entry.is_fresh() {
                    this.metrics.introspection_cache_hit(CacheHit::Shared);
                }
                entry.into_value()
            })
        });
        question.await.unwrap_or_else(|_| Err(Arc::new(ValidationError::Abandoned)))
    }

    /// Forgets what is known of the token, because HQ did not take it or what it was exchanged for.
    pub(super) async fn forget(&self, token: Fingerprint) {
        self.cache.invalidate(&token).await;
    }

    async fn ask(&self, token: &SecretString) -> Result<TokenStatus, ValidationError> {
        let reply = self.authorization_server.introspect(token).await?;
        let mut grant = match judge(reply, &self.audience, now()) {
            Ok(grant) => grant,
            Err(reason) => return Ok(TokenStatus::Rejected(reason)),
        };
        grant.scopes = grant.scopes.intersection(self.offered);
        if let Some(Exchanged { token, expires_in }) =
            self.authorization_server.exchange(token, grant.scopes).await?
        {
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

/// What a reply means for this server.
fn judge(reply: IntrospectionResponse, audience: &Audience, now: u64) -> Result<Grant, Reason> {
    let expires_at = reply.expires_at();
    if !reply.active {
        Err(Reason::Inactive)
    } else if expires_at.is_some_and(|end| end <= now) {
        Err(Reason::Expired)
    } else if !reply.is_bearer_access_token() {
        Err(Reason::NotBearer)
    } else if !audience.admits(&reply.aud) {
        Err(Reason::OtherAudience)
    } else {
        let client_id: Option<Arc<str>> = reply.client_id.map(Arc::from);
        Ok(Grant {
            subject: reply.sub.map(Arc::from).or_else(|| client_id.clone()),
            client_id,
            scopes: ScopeSet::from_token(&reply.scope.join(" ")),
            exchanged: None,
            expires_at,
        })
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
