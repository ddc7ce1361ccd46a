//! The statuses that were written a moment ago, and those that wait.
//!
//! Each step of a rollout and of a verification changes the status a little, and the next step
//! comes soon, so only the last of them is written.

use std::time::Duration;

use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;

use crate::{by_server::ByServer, watching::servers::WatchedServer};

/// How late a status may say how far something is that is under way.
const LONGEST: Duration = Duration::from_secs(10);

/// What waits of each resource, and what its last write made until a reconcile has seen that.
#[derive(Default)]
pub(crate) struct Statuses(pub(crate) ByServer<Progress>);

#[derive(Default)]
pub(crate) struct Progress {
    /// Since when a status waits.
    since: Option<Instant>,
    /// The `resourceVersion` that the last write made, and when.
    written: Option<(u64, Instant)>,
}

impl Statuses {
    /// How long the status is to wait from now, if it is. The first call begins the wait, and the
    /// one after its end ends it.
    pub(crate) fn wait(&self, server: &ObjectRef<WatchedServer>) -> Option<Duration> {
        let mut statuses = self.0.values();
        let progress = statuses.entry(server.clone()).or_default();
        let since = *progress.since.get_or_insert_with(Instant::now);
        let left = LONGEST.checked_sub(since.elapsed()).filter(|left| !left.is_zero());
        if left.is_none() {
            progress.since = None;
        }
        left
    }

    /// Nothing waits any longer. If there was a write, it made this `resourceVersion`.
    pub(crate) fn settle(&self, server: &ObjectRef<WatchedServer>, written: Option<&str>) {
        match written.and_then(|version| version.parse().ok()) {
            Some(version) => {
                let progress = Progress { since: None, written: Some((version, Instant::now())) };
                self.0.values().insert(server.clone(), progress);
            }
            None => self.0.forget(server),
        }
    }

    /// Whether what the watch has shown of a resource is older than the last write of its status: a
    /// status made from it would be refused. A watch that shows nothing for a while is not waited
    /// for.
    pub(crate) fn is_outdated(&self, server: &ObjectRef<WatchedServer>, shown: &str) -> bool {
        let mut statuses = self.0.values();
        let Some(progress) = statuses.get_mut(server) else { return false };
        let Some((written, at)) = progress.written else { return false };
        // KEP-5504: versions of one resource type are ordered.
        let is_older = shown.parse::<u64>().is_ok_and(|shown| shown < written);
        if is_older && at.elapsed() < LONGEST {
            return true;
        }
        progress.written = None;
        if progress.since.is_none() {
            statuses.remove(server);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_status_waits_ten_seconds_at_most() {
        let statuses = Statuses::default();
        let [a, b] = ["a", "b"].map(|name| ObjectRef::new(name).within("tools"));
        assert_eq!(statuses.wait(&a), Some(LONGEST));
        sleep(Duration::from_secs(4)).await;
        assert_eq!(statuses.wait(&a), Some(Duration::from_secs(6)));
        assert_eq!(statuses.wait(&b), Some(LONGEST));
        sleep(Duration::from_secs(6)).await;
        assert_eq!(statuses.wait(&a), None, "its time has come");
        assert_eq!(statuses.wait(&a), Some(LONGEST), "the next one waits anew");
        statuses.settle(&b, None);
        assert_eq!(statuses.wait(&b), Some(LONGEST));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_the_last_write_is_outdated_for_a_while() {
        let statuses = Statuses::default();
        let a = ObjectRef::new("a").within("tools");
        assert!(!statuses.is_outdated(&a, "5"));
        statuses.settle(&a, Some("9"));
        assert!(statuses.is_outdated(&a, "8"));
        assert!(!statuses.is_outdated(&a, "9"));
        assert!(!statuses.is_outdated(&a, "8"), "it was shown");
        statuses.settle(&a, Some("12"));
        sleep(LONGEST).await;
        assert!(!statuses.is_outdated(&a, "9"), "a watch that shows nothing holds nothing up");
    }
}
