//! Whether the server can take requests: what `/readyz` answers, besides whether it stops.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How long the server must have turned callers away before it is not ready: a short peak is
/// answered with refusals, and a probe that took it up would move the peak to the other replicas.
const LASTING: Duration = Duration::from_secs(5);

/// Tells why no requests can be taken now; `None` if they can.
pub type Check = Box<dyn Fn() -> Option<&'static str> + Send + Sync>;

/// All checks. Whoever owns a bound adds one.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Mutex<Vec<Check>>>);

impl Readiness {
    /// Adds a check. It runs at each probe and must not block.
    pub fn add(&self, check: Check) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(check);
    }

    /// The first reason for which no requests can be taken; `None` if they can.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let checks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        checks.iter().find_map(|check| check())
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").finish_non_exhaustive()
    }
}

/// Tells a bound that turns callers away for long from one that is reached for a moment.
#[derive(Debug, Default)]
pub struct Saturation(Mutex<Option<Instant>>);

impl Saturation {
    /// A caller was turned away.
    pub fn refused(&self) {
        self.since().get_or_insert_with(Instant::now);
    }

    /// A caller was let in.
    pub fn admitted(&self) {
        *self.since() = None;
    }

    /// Whether callers have been turned away for five seconds, with nobody let in meanwhile.
    /// Without callers it stays so: the check must also ask whether there is room now.
    #[must_use]
    pub fn lasts(&self) -> bool {
        self.since().is_some_and(|since| since.elapsed() >= LASTING)
    }

    fn since(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
