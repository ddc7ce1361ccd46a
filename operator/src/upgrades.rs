//! A new default image reaches the servers a few at a time. Those that do not come up keep their places, so that a bad image
//! stops by itself, and goes on by itself when they do come up.
//!
//! Whose turn it is follows from what is observed, in the order of namespace and name, and nothing is kept anywhere: a restarted
//! operator goes on where the last one was. Nothing is asked on a timer: a place that gets free wakes who is next.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use k8s_openapi::api::apps::v1::Deployment;
use kube::runtime::reflector::ObjectRef;
use lenses_mcp_crds::LensesMcpServer;

use crate::{
    names::UPGRADED_FROM,
    watching::{deployment, servers::WatchedServer},
};

/// The turns of a queue.
pub(crate) struct UpgradeQueue {
    image: String,
    at_once: usize,
    state: Mutex<State>,
    wake: UnboundedSender<ObjectRef<WatchedServer>>,
}

/// Namespace and name.
type Key = (String, String);

#[derive(Default)]
struct State {
    waiting: BTreeSet<Key>,
    under_way: BTreeSet<Key>,
    /// Those among `waiting` whose turn it is.
    admitted: BTreeSet<Key>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    UnderWay,
}

impl UpgradeQueue {
    /// A queue that is to run `image`, with at most so many servers that have been given it and do not serve yet; and whose turn it is,
    /// as a place gets free.
    pub(crate) fn new(
        image: String,
        at_once: u16,
    ) -> (Self, UnboundedReceiver<ObjectRef<WatchedServer>>) {
        let (wake, admissions) = mpsc::unbounded();
        (Self { image, at_once: at_once.into(), state: Mutex::default(), wake }, admissions)
    }

    /// One server or its Deployment has changed.
    pub(crate) fn follow(
        &self,
        key: &ObjectRef<WatchedServer>,
        server: Option<&LensesMcpServer>,
        deployment: Option<&Deployment>,
    ) {
        let key = (key.namespace.clone().unwrap_or_default(), key.name.clone());
        let phase = phase(&self.image, server, deployment);
        let mut state = self.state();
        let set = |turn: &mut BTreeSet<Key>, has: bool| {
            if has { turn.insert(key.clone()) } else { turn.remove(&key) }
        };
        let changed = [
            (set(&mut state.waiting, phase == Some(Phase::Waiting)), phase != Some(Phase::Waiting)),
            (
                set(&mut state.under_way, phase == Some(Phase::UnderWay)),
                phase != Some(Phase::UnderWay),
            ),
        ];
        if changed.iter().any(|(moved, _)| *moved) {
            self.admit(&mut state);
        }
    }

    /// All that have a place.
    pub(crate) fn queued(&self) -> Vec<ObjectRef<WatchedServer>> {
        let state = self.state();
        let queued = state.waiting.iter().chain(&state.under_way);
        queued.map(|(namespace, name)| ObjectRef::new(name).within(namespace)).collect()
    }

    /// Whether it is this server's turn to be given the default image in the place of another.
    pub(crate) fn is_admitted(&self, namespace: &str, name: &str) -> bool {
        self.state().admitted.contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// How many wait for their turn, and how many have been given the image and do not serve yet.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.waiting.len(), state.under_way.len())
    }

    fn admit(&self, state: &mut State) {
        let free = self.at_once.saturating_sub(state.under_way.len());
        let admitted: BTreeSet<Key> = state.waiting.iter().take(free).cloned().collect();
        for (namespace, name) in admitted.difference(&state.admitted) {
            // The receiver goes when the controller ends.
            let _ = self.wake.unbounded_send(ObjectRef::new(name).within(namespace));
        }
        state.admitted = admitted;
    }

    /// A panic elsewhere leaves sets that are whole, and the next event of a server puts it in its place.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a server is on the way to the default image. One that names its own image, or is paused, is not on it.
fn phase(
    image: &str,
    server: Option<&LensesMcpServer>,
    deployment: Option<&Deployment>,
) -> Option<Phase> {
    let (server, deployment) = (server?, deployment?);
    if server.spec.image.is_some()
        || server.spec.paused
        || server.metadata.deletion_timestamp.is_some()
    {
        return None;
    }
    if deployment::image(deployment).as_deref() != Some(image) {
        return Some(Phase::Waiting);
    }
    (upgraded_from(deployment).is_some() && deployment::complete(deployment).is_none())
        .then_some(Phase::UnderWay)
}

/// What the Deployment served with before, if the default image took its place.
pub(crate) fn upgraded_from(deployment: &Deployment) -> Option<&String> {
    deployment.metadata.annotations.as_ref()?.get(UPGRADED_FROM)
}

/// The image that a server is to run now, and what it was upgraded from.
pub(crate) struct Turn {
    pub(crate) image: String,
    pub(crate) upgraded_from: Option<String>,
    /// Whether `image` is not the one that it is to run in the end.
    pub(crate) waits: bool,
}

/// Decides which image a server runs. `admitted`: whether it is its turn.
pub(crate) fn turn(
    own: Option<&String>,
    default: &str,
    runs: Option<&Deployment>,
    admitted: bool,
) -> Turn {
    let running = runs.and_then(deployment::image);
    match (own, runs, running) {
        (Some(own), ..) => Turn { image: own.clone(), upgraded_from: None, waits: false },
        (None, Some(runs), Some(running)) if running == default => {
            Turn { image: running, upgraded_from: upgraded_from(runs).cloned(), waits: false }
        }
        (None, Some(runs), Some(running)) if !admitted => {
            Turn { image: running, upgraded_from: upgraded_from(runs).cloned(), waits: true }
        }
        (None, Some(runs), Some(running)) => Turn {
            image: default.to_owned(),
            upgraded_from: deployment::complete(runs).is_some().then_some(running),
            waits: false,
        },
        (None, ..) => Turn { image: default.to_owned(), upgraded_from: None, waits: false },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::oauth_server;

    fn deployment(image: &str, from: Option<&str>, available: i32) -> Deployment {
        let annotations = from.map(|from| json!({ UPGRADED_FROM: from }));
        serde_json::from_value(json!({
            "metadata": { "generation": 1, "annotations": annotations },
            "spec": { "replicas": 1, "selector": {}, "template": { "spec": { "containers": [{ "name": "lenses-mcp-server", "image": image }] } } },
            "status": { "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": available },
        }))
        .unwrap()
    }

    fn key(name: &str) -> ObjectRef<WatchedServer> {
        ObjectRef::new(name).within("tools")
    }

    fn woken(admissions: &mut UnboundedReceiver<ObjectRef<WatchedServer>>) -> Vec<String> {
        std::iter::from_fn(|| admissions.try_recv().ok()).map(|server| server.name).collect()
    }

    #[test]
    fn a_few_at_a_time_get_the_new_image_and_the_next_is_woken_when_one_serves() {
        let (queue, mut admissions) = UpgradeQueue::new("x:2".into(), 2);
        let server = oauth_server();
        for name in ["d", "b", "a", "c"] {
            queue.follow(&key(name), Some(&server), Some(&deployment("x:1", None, 1)));
        }
        let admitted = |queue: &UpgradeQueue| {
            ["a", "b", "c", "d"].map(|name| queue.is_admitted("tools", name))
        };
        assert_eq!(admitted(&queue), [true, true, false, false]);
        assert_eq!(queue.counts(), (4, 0));
        woken(&mut admissions);

        queue.follow(&key("a"), Some(&server), Some(&deployment("x:2", Some("x:1"), 0)));
        queue.follow(&key("b"), Some(&server), Some(&deployment("x:2", Some("x:1"), 0)));
        assert_eq!((admitted(&queue), queue.counts()), ([false; 4], (2, 2)));
        assert!(woken(&mut admissions).is_empty());

        queue.follow(&key("b"), Some(&server), Some(&deployment("x:2", Some("x:1"), 1)));
        assert_eq!(woken(&mut admissions), ["c"]);
        queue.follow(&key("a"), None, None);
        assert_eq!(woken(&mut admissions), ["d"]);
    }

    #[test]
    fn those_that_do_not_come_up_stop_it_and_it_goes_on_when_they_do() {
        let (queue, mut admissions) = UpgradeQueue::new("x:2".into(), 1);
        let server = oauth_server();
        queue.follow(&key("a"), Some(&server), Some(&deployment("x:2", Some("x:1"), 0)));
        queue.follow(&key("b"), Some(&server), Some(&deployment("x:1", None, 1)));
        assert!(!queue.is_admitted("tools", "b"));
        queue.follow(&key("a"), Some(&server), Some(&deployment("x:2", Some("x:1"), 1)));
        assert!(queue.is_admitted("tools", "b"));
        assert_eq!(woken(&mut admissions), ["b"]);
    }

    #[test]
    fn own_images_paused_servers_and_such_as_never_served_take_no_place() {
        let server = oauth_server();
        let phase_of = |server: &LensesMcpServer, deployment: &Deployment| {
            phase("x:2", Some(server), Some(deployment))
        };
        assert_eq!(phase_of(&server, &deployment("x:1", None, 1)), Some(Phase::Waiting));
        assert_eq!(phase_of(&server, &deployment("x:2", Some("x:1"), 0)), Some(Phase::UnderWay));
        assert_eq!(phase_of(&server, &deployment("x:2", Some("x:1"), 1)), None);
        assert_eq!(phase_of(&server, &deployment("x:2", None, 0)), None);
        let mut own = oauth_server();
        own.spec.image = Some("y:1".into());
        assert_eq!(phase_of(&own, &deployment("x:1", None, 1)), None);
        let mut paused = oauth_server();
        paused.spec.paused = true;
        assert_eq!(phase_of(&paused, &deployment("x:1", None, 1)), None);
    }

    #[test]
    fn which_image_runs_is_decided_by_the_spec_then_by_the_turn() {
        let decided = |own: Option<&str>, runs: Option<&Deployment>, admitted| {
            let turn = turn(own.map(str::to_owned).as_ref(), "x:2", runs, admitted);
            (turn.image, turn.upgraded_from, turn.waits)
        };
        let (old, broken, new) = (
            deployment("x:1", None, 1),
            deployment("x:1", None, 0),
            deployment("x:2", Some("x:1"), 1),
        );
        assert_eq!(decided(None, None, false), ("x:2".into(), None, false));
        assert_eq!(decided(Some("y:1"), Some(&old), false), ("y:1".into(), None, false));
        assert_eq!(decided(None, Some(&old), false), ("x:1".into(), None, true));
        assert_eq!(decided(None, Some(&old), true), ("x:2".into(), Some("x:1".into()), false));
        assert_eq!(decided(None, Some(&broken), true), ("x:2".into(), None, false));
        assert_eq!(decided(None, Some(&new), false), ("x:2".into(), Some("x:1".into()), false));
    }
}
