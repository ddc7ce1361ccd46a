//! Bytes of bodies and of HQ's replies that are in memory at a time.

use std::{sync::Arc, time::Duration};

use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long a reservation waits for others to give bytes back.
const WAIT: Duration = Duration::from_secs(1);

/// A number of bytes that can be reserved and are given back.
#[derive(Debug, Clone)]
pub struct ByteBudget {
    bytes: Arc<Semaphore>,
    limit: usize,
    in_flight: Gauge,
}

/// Bytes of a budget. Dropping it gives them back.
#[derive(Debug, Default)]
pub struct Reservation {
    permit: Option<OwnedSemaphorePermit>,
    in_flight: Gauge,
}

/// The budget is used up, or smaller than what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many bytes are being worked on")]
pub struct Full;

impl ByteBudget {
    /// A budget of `limit` bytes, of which `in_flight` shows those that are reserved.
    #[must_use]
    pub fn new(limit: usize, in_flight: Gauge) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { bytes: Arc::new(Semaphore::new(limit)), limit, in_flight }
    }

    /// Reserves `bytes`, if need be after up to a second.
    ///
    /// # Errors
    ///
    /// [`Full`].
    pub async fn reserve(&self, bytes: usize) -> Result<Reservation, Full> {
        let count = u32::try_from(bytes).map_err(|_| Full)?;
        if bytes > self.limit {
            return Err(Full);
        }
        let permit = match Arc::clone(&self.bytes).try_acquire_many_owned(count) {
            Ok(permit) => permit,
            Err(_) => timeout(WAIT, Arc::clone(&self.bytes).acquire_many_owned(count))
                .await
                .map_err(|_| Full)?
                .map_err(|_| Full)?,
        };
        self.in_flight.inc_by(i64::from(count));
        Ok(Reservation { permit: Some(permit), in_flight: self.in_flight.clone() })
    }

    /// Bytes that are reserved now.
    #[must_use]
    pub fn reserved(&self) -> usize {
        self.limit.saturating_sub(self.bytes.available_permits())
    }

    /// Bytes that can be reserved in all.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl Reservation {
    /// How many bytes it is.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Adds `other`, which must be of the same budget.
    pub fn add(&mut self, mut other: Self) {
        match (&mut self.permit, other.permit.take()) {
            (Some(permit), Some(other)) => permit.merge(other),
            (None, Some(permit)) => {
                *self = Self { permit: Some(permit), in_flight: other.in_flight.clone() };
            }
            (_, None) => {}
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.in_flight.dec_by(i64::try_from(self.bytes()).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_are_given_back_and_a_full_budget_refuses_after_a_second() {
        let budget = ByteBudget::new(10, Gauge::default());
        let mut first = budget.reserve(4).await.unwrap();
        first.add(budget.reserve(3).await.unwrap());
        assert_eq!((budget.reserved(), budget.limit(), budget.in_flight.get()), (7, 10, 7));
        assert_eq!(budget.reserve(4).await.unwrap_err(), Full);
        assert_eq!(budget.reserve(11).await.unwrap_err(), Full);
        let waiting = tokio::spawn({
            let budget = budget.clone();
            async move { budget.reserve(4).await.is_ok() }
        });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waiting.await.unwrap());
        assert_eq!((budget.reserved(), budget.in_flight.get()), (0, 0));
    }
}
