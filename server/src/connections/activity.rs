//! What a connection does now, and since when.
//!
//! ```text
//! idle ─▶ head ─▶ answering ─▶ flushing ─▶ idle
//! ```

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

/// A response that its client has not taken any of for so long does not keep its connection.
const ABANDONED: Duration = Duration::from_secs(5);
/// How many bits of the state hold the phase.
const PHASE_BITS: u32 = 2;

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing: it is new, or the last response has been written.
    Idle,
    /// It receives a request's head.
    Head,
    /// A request is answered; ends with the last part of its response.
    Answering,
    /// The rest of the response is being written.
    Flushing,
}

/// Written by the task of the connection, and read by the one that accepts others.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    /// Milliseconds from `opened` to the phase's begin, and the phase.
    state: AtomicU64,
    /// Milliseconds from `opened` to when a write last had to wait, plus one; 0 while writes pass.
    stalled: AtomicU64,
    /// Whether somebody must be woken when the response has been written.
    awaits_flush: AtomicBool,
    /// Whether the rest of a refused request is awaited.
    discards: AtomicBool,
}

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            state: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            awaits_flush: AtomicBool::new(false),
            discards: AtomicBool::new(false),
        }
    }

    /// The phase and its begin.
    pub(super) fn phase(&self) -> (Phase, Instant) {
        let state = self.state.load(Ordering::Relaxed);
        let phase = match state & ((1 << PHASE_BITS) - 1) {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Answering,
            _ => Phase::Flushing,
        };
        (phase, self.opened + Duration::from_millis(state >> PHASE_BITS))
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.state.store(self.elapsed() << PHASE_BITS | phase as u64, Ordering::Relaxed);
    }

    /// Notes that a write has to wait for the client.
    pub(super) fn stall(&self) {
        self.stalled.store(self.elapsed() + 1, Ordering::Relaxed);
    }

    /// Notes that a write has passed.
    pub(super) fn advance(&self) {
        self.stalled.store(0, Ordering::Relaxed);
    }

    /// Notes that somebody waits for the response to be written.
    pub(super) fn await_flush(&self) {
        self.awaits_flush.store(true, Ordering::Relaxed);
    }

    /// Notes that all that was written is on its way. Returns whether somebody waited for it.
    pub(super) fn flushed(&self) -> bool {
        if self.phase().0 != Phase::Flushing {
            return false;
        }
        self.enter(Phase::Idle);
        self.awaits_flush.swap(false, Ordering::Relaxed)
    }

    /// Notes whether the rest of a refused request is awaited.
    pub(super) fn set_discards(&self, discards: bool) {
        self.discards.store(discards, Ordering::Relaxed);
    }

    /// Since when the connection only waits for its client: for a request, for the rest of a
    /// request's head or of a refused body, or for the client to take its response. `None` while a
    /// request is answered.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let (phase, since) = self.phase();
        if self.discards.load(Ordering::Relaxed) {
            return Some(since);
        }
        match self.stalled.load(Ordering::Relaxed) {
            0 => matches!(phase, Phase::Idle | Phase::Head).then_some(since),
            stalled => {
                let since = self.opened + Duration::from_millis(stalled - 1);
                (since.elapsed() >= ABANDONED).then_some(since)
            }
        }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX >> PHASE_BITS)
    }
}
