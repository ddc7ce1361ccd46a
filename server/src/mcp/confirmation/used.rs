//! Which seals were used: an answer of the user's counts once at each replica.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Most seals that are remembered. A further one counts as used, so that the user is asked again.
const SEALS_MAX: usize = 10_000;

/// What tells one seal from another.
pub(super) type Nonce = [u8; 16];

/// The seals that were used within the time in which they are valid.
pub(super) struct UsedSeals {
    valid_for: Duration,
    seals: Mutex<Seals>,
}

#[derive(Default)]
struct Seals {
    nonces: HashSet<Nonce>,
    /// The same with the time of use, the oldest first.
    by_time: VecDeque<(Instant, Nonce)>,
}

impl UsedSeals {
    /// Of seals that are valid for `valid_for`.
    pub(super) fn new(valid_for: Duration) -> Self {
        Self { valid_for, seals: Mutex::default() }
    }

    /// Uses the seal that holds `nonce`; false if it was used before.
    pub(super) fn is_first_use(&self, nonce: &[u8]) -> bool {
        self.is_first_use_at(nonce, Instant::now())
    }

    fn is_first_use_at(&self, nonce: &[u8], now: Instant) -> bool {
        let Ok(nonce) = Nonce::try_from(nonce) else { return false };
        // A set is whole whatever panicked elsewhere.
        let mut seals = self.seals.lock().unwrap_or_else(PoisonError::into_inner);
        let Seals { nonces, by_time } = &mut *seals;
        while let Some((used, oldest)) = by_time.front()
            && now.saturating_duration_since(*used) > self.valid_for
        {
            nonces.remove(oldest);
            by_time.pop_front();
        }
        if nonces.len() >= SEALS_MAX || !nonces.insert(nonce) {
            return false;
        }
        by_time.push_back((now, nonce));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce(number: usize) -> Nonce {
        let mut nonce = Nonce::default();
        nonce[..8].copy_from_slice(&number.to_be_bytes());
        nonce
    }

    #[test]
    fn a_seal_is_used_once_and_forgotten_after_it_expires() {
        let used = UsedSeals::new(Duration::from_mins(1));
        let start = Instant::now();
        assert!(used.is_first_use_at(&nonce(1), start));
        assert!(!used.is_first_use_at(&nonce(1), start + Duration::from_mins(1)));
        assert!(used.is_first_use_at(&nonce(2), start + Duration::from_secs(61)));
        assert_eq!(used.seals.lock().unwrap().nonces.len(), 1);
    }

    #[test]
    fn what_finds_no_room_counts_as_used() {
        let used = UsedSeals::new(Duration::from_mins(1));
        let start = Instant::now();
        for number in 0..SEALS_MAX {
            assert!(used.is_first_use_at(&nonce(number), start));
        }
        assert!(!used.is_first_use_at(&nonce(SEALS_MAX), start));
        assert!(used.is_first_use_at(&nonce(SEALS_MAX), start + Duration::from_secs(61)));
    }
}
