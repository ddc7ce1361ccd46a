//! When to try again: later after each failure of the same resource, and not all at the same time.

use std::time::Duration;

use kube::runtime::{controller::Action, reflector::ObjectRef};

use crate::{by_server::ByServer, watching::servers::WatchedServer};

/// The wait after the first failure.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(1);

/// How many times in a row each resource has failed. Only those that fail are in it, and they leave
/// when they succeed or go.
#[derive(Default)]
pub(crate) struct Failures(pub(crate) ByServer<u32>);

impl Failures {
    /// One more failure: when to try again.
    pub(crate) fn next(&self, server: &ObjectRef<WatchedServer>) -> Action {
        let mut failures = self.0.values();
        let count = failures.entry(server.clone()).or_default();
        let wait = wait(*count, rand::random_range(0.5..=1.0));
        *count = count.saturating_add(1);
        Action::requeue(wait)
    }
}

/// Doubles with each failure up to [`LONGEST`]; `jitter` (0.5 to 1) spreads those that failed
/// together.
fn wait(failures: u32, jitter: f64) -> Duration {
    FIRST.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST).mul_f64(jitter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_minute() {
        for (failures, seconds) in [(0, 1), (1, 2), (5, 32), (6, 60), (40, 60), (u32::MAX, 60)] {
            assert_eq!(wait(failures, 1.0), Duration::from_secs(seconds), "after {failures}");
        }
        assert_eq!(wait(6, 0.5), Duration::from_secs(30));
    }
}
