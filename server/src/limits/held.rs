//! The bytes that one call has in memory.

use std::sync::{Mutex, PoisonError};

use super::{
    bytes::Full,
    users::{Budget, Reserved},
};

/// Bytes that are reserved for one call. Dropping it gives them back.
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
}
