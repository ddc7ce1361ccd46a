//! The Lease by which one operator at a time works, with the rules of Kubernetes' own leader
//! election: every write carries the `resourceVersion` that was read, and a holder counts as gone
//! when its record has not changed for the lease's duration *on this process's clock*, so that
//! nodes whose clocks differ cannot both hold it.

#[cfg(test)]
mod tests;

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease as Record, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{
    Client,
    api::{Api, ObjectMeta, PostParams},
};
use tokio::time::{Instant, sleep, timeout};

use crate::api_error::message;

/// After this long without a sign of life a holder counts as gone.
const DURATION: Duration = Duration::from_secs(15);
/// How often the holder gives a sign of life.
const RENEW: Duration = Duration::from_secs(4);
/// How long the holder may fail to give one before it stops working: safely before others take
/// over.
const DEADLINE: Duration = Duration::from_secs(13);
/// How often a standby looks, and how soon a failed request is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(2);

/// One process's claim to the Lease.
pub struct Lease {
    api: Api<Record>,
    name: String,
    identity: String,
}

/// Why the Lease is no longer this process's.
#[derive(Debug, thiserror::Error)]
pub enum LeaseLost {
    /// Someone else holds it.
    #[error("the lease is held by {0:?}")]
    Taken(String),
    /// It could not be renewed in time.
    #[error("the lease could not be renewed in time: {0}")]
    NotRenewed(LeaseError),
}

/// Why a request about the Lease failed.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// The API server's answer, or why there is none.
    #[error("{}", message(.0))]
    Api(#[from] kube::Error),
    /// No answer.
    #[error("no answer of the API server in {} s", REQUEST.as_secs())]
    TimedOut(#[from] tokio::time::error::Elapsed),
}

impl LeaseError {
    fn is_not_found(&self) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.code == 404)
    }

    fn is_conflict(&self) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.code == 409)
    }
}

impl Lease {
    /// A claim of `identity` to the Lease `name`. Nothing is asked for yet.
    #[must_use]
    pub fn new(client: Client, namespace: &str, name: String, identity: String) -> Self {
        Self { api: Api::namespaced(client, namespace), name, identity }
    }

    /// Waits until the Lease is this process's. Calls `on_standby` each time that the Lease was
    /// read and is another's.
    pub async fn acquire(&self, on_standby: impl Fn()) -> Record {
        let mut seen: Option<(Option<String>, Instant)> = None;
        loop {
            match self.try_acquire(&mut seen).await {
                Ok(Some(record)) => return record,
                Ok(None) => on_standby(),
                Err(error) if error.is_conflict() => {}
                Err(error) => {
                    tracing::warn!(%error, lease = self.name, "failed to ask for the lease");
                }
            }
            sleep(RETRY).await;
        }
    }

    /// Keeps the Lease, and returns when it is lost.
    pub async fn hold(&self, mut record: Record) -> LeaseLost {
        let mut renewed = Instant::now();
        let mut wait = RENEW;
        loop {
            sleep(wait).await;
            match self.renew(record.clone()).await {
                Ok(Renewal::Held(newer)) => {
                    (record, renewed, wait) = (*newer, Instant::now(), RENEW);
                }
                Ok(Renewal::Taken(holder)) => return LeaseLost::Taken(holder),
                // Another try might end too late.
                Err(error) if renewed.elapsed() + RETRY + REQUEST > DEADLINE => {
                    return LeaseLost::NotRenewed(error);
                }
                Err(error) => {
                    tracing::warn!(%error, lease = self.name, "failed to renew the lease");
                    wait = RETRY;
                }
            }
        }
    }

    /// Gives the Lease up, so that a standby takes over at its next look and need not wait for it
    /// to run out.
    ///
    /// # Errors
    /// When the API server refuses or does not answer; the Lease then runs out by itself.
    pub async fn release(&self) -> Result<(), LeaseError> {
        let record = timeout(REQUEST, self.api.get(&self.name)).await??;
        if holder(&record) == Some(&self.identity) {
            let spec = LeaseSpec {
                holder_identity: None,
                lease_duration_seconds: Some(1),
                ..record.spec.clone().unwrap_or_default()
            };
            self.replace(Record { spec: Some(spec), ..record }).await?;
        }
        Ok(())
    }

    /// One look at the Lease, and a claim if it is free. `seen` is what the last look saw, and
    /// since when.
    async fn try_acquire(
        &self,
        seen: &mut Option<(Option<String>, Instant)>,
    ) -> Result<Option<Record>, LeaseError> {
        let Some(record) = timeout(REQUEST, self.api.get_opt(&self.name)).await?? else {
            return Ok(Some(self.create().await?));
        };
        let version = record.metadata.resource_version.clone();
        let since = match seen {
            Some((last, since)) if *last == version => *since,
            _ => seen.insert((version, Instant::now())).1,
        };
        let free = holder(&record).is_none_or(|holder| holder == &self.identity)
            || since.elapsed() > duration(&record);
        if !free {
            return Ok(None);
        }
        let spec = self.claim(&record.spec.clone().unwrap_or_default());
        Ok(Some(self.replace(Record { spec: Some(spec), ..record }).await?))
    }

    async fn renew(&self, mut record: Record) -> Result<Renewal, LeaseError> {
        loop {
            record.spec.get_or_insert_default().renew_time = Some(MicroTime(Timestamp::now()));
            let written = match self.replace(record).await {
                // Deleted: made again, unless another is faster.
                Err(error) if error.is_not_found() => self.create().await,
                written => written,
            };
            match written {
                Ok(record) => return Ok(Renewal::Held(Box::new(record))),
                Err(error) if error.is_conflict() => {
                    record = timeout(REQUEST, self.api.get(&self.name)).await??;
                    if holder(&record) != Some(&self.identity) {
                        return Ok(Renewal::Taken(holder(&record).cloned().unwrap_or_default()));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn create(&self) -> Result<Record, LeaseError> {
        let record = Record {
            metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            spec: Some(self.claim(&LeaseSpec::default())),
        };
        Ok(timeout(REQUEST, self.api.create(&PostParams::default(), &record)).await??)
    }

    async fn replace(&self, record: Record) -> Result<Record, LeaseError> {
        Ok(timeout(REQUEST, self.api.replace(&self.name, &PostParams::default(), &record))
            .await??)
    }

    fn claim(&self, last: &LeaseSpec) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: Some(now.clone()),
            renew_time: Some(now),
            lease_transitions: Some(last.lease_transitions.unwrap_or(0).saturating_add(1)),
            ..LeaseSpec::default()
        }
    }
}

enum Renewal {
    Held(Box<Record>),
    Taken(String),
}

fn holder(record: &Record) -> Option<&String> {
    record.spec.as_ref()?.holder_identity.as_ref().filter(|holder| !holder.is_empty())
}

/// How long the holder asked to be believed, within reason.
fn duration(record: &Record) -> Duration {
    let seconds = record
        .spec
        .as_ref()
        .and_then(|spec| spec.lease_duration_seconds)
        .and_then(|s| u64::try_from(s).ok());
    seconds.map_or(DURATION, Duration::from_secs).min(4 * DURATION)
}
