//! The bytes that one request has in memory: HQ's replies, then its answer.

use std::sync::{Mutex, PoisonError};

use super::{
    bytes::Full,
    users::{Budget, Reserved, SHORT},
};

/// Bytes that are reserved for one request. Dropping it gives them back.
#[derive(Debug)]
pub struct Held {
    budget: Budget,
    reserved: Mutex<Reserved>,
}

impl Held {
    /// Nothing yet, of `budget`.
    #[must_use]
    pub fn new(budget: Budget) -> Self {
        Self { budget, reserved: Mutex::default() }
    }

    /// Reserves `bytes` more, of a text of `length` bytes, if need be after up to a second.
    ///
    /// # Errors
    ///
    /// [`Full`].
    pub async fn reserve(&self, bytes: usize, length: Option<usize>) -> Result<(), Full> {
        let more = self.budget.reserve(bytes, length).await?;
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        for (reserved, more) in reserved.iter_mut().zip(more) {
            reserved.add(more);
        }
        Ok(())
    }

    /// Reserves what the `length` bytes of an answer need beside what is reserved already; if both
    /// are more than the user's share, up to that. A short answer is never refused.
    ///
    /// # Errors
    ///
    /// [`Full`].
    pub async fn reserve_answer(&self, length: usize) -> Result<(), Full> {
        let held = {
            let [of_user, ..] = &*self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
            of_user.bytes()
        };
        let more = length.min(self.budget.share()).saturating_sub(held);
        match self.reserve(more, Some(length)).await {
            Err(Full) if length <= SHORT => Ok(()),
            reserved => reserved,
        }
    }
}
