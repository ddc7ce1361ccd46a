//! Statuses that wait. Each step of a rollout and of a verification changes the status a little,
//! and the next step comes soon, so only the last of them is written.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;

use crate::watching::servers::WatchedServer;

/// How late a status may say how far something is that is under way.
const LONGEST: Duration = Duration::from_secs(10);

/// Since when the status of each resource waits. Those that are written or gone are not in it.
#[derive(Default)]
pub(crate) struct Postponed(Mutex<HashMap<ObjectRef<WatchedServer>, Instant>>);

impl Postponed {
    /// How long the status is to wait from now, if it is. The first call begins the wait, and the
    /// one after its end ends it.
    pub(crate) fn wait(&self, server: &ObjectRef<WatchedServer>) -> Option<Duration> {
        let mut waiting = self.waiting();
        let since = waiting.entry(server.clone()).or_insert_with(Instant::now);
        let left = LONGEST.checked_sub(since.elapsed()).filter(|left| !left.is_zero());
        if left.is_none() {
            waiting.remove(server);
        }
        left
    }

    /// It is written, or is gone.
    pub(crate) fn forget(&self, server: &ObjectRef<WatchedServer>) {
        self.waiting().remove(server);
    }

    /// Forgets those that are not like this.
    pub(crate) fn retain(&self, like: impl Fn(&ObjectRef<WatchedServer>) -> bool) {
        self.waiting().retain(|server, _| like(server));
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<ObjectRef<WatchedServer>, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_status_waits_ten_seconds_at_most() {
        let postponed = Postponed::default();
        let [a, b] = ["a", "b"].map(|name| ObjectRef::new(name).within("tools"));
        assert_eq!(postponed.wait(&a), Some(LONGEST));
        sleep(Duration::from_secs(4)).await;
        assert_eq!(postponed.wait(&a), Some(Duration::from_secs(6)));
        assert_eq!(postponed.wait(&b), Some(LONGEST));
        sleep(Duration::from_secs(6)).await;
        assert_eq!(postponed.wait(&a), None, "its time has come");
        assert_eq!(postponed.wait(&a), Some(LONGEST), "the next one waits anew");
        postponed.forget(&b);
        assert_eq!(postponed.wait(&b), Some(LONGEST));
    }
}
