//! A new default image reaches the fleet a few servers at a time. Those that do not come up keep their places, so that a bad image
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

use super::{WatchedServer, dereference::Pods, rollout};

/// The annotation of a Deployment with the image that it served with when the default image changed. Only where it served: one that
/// did not come up before says nothing about the new image.
pub(super) const UPGRADED_FROM: &str = "mcp.lenses.io/upgraded-from";

/// The turns of a fleet.
pub(super) struct Fleet {
    image: String,
    at_once: usize,
    turns: Mutex<Turns>,
    wake: UnboundedSender<ObjectRef<WatchedServer>>,
}

/// Namespace and name.
type Key = (String, String);

#[derive(Default)]
struct Turns {
    waiting: BTreeSet<Key>,
    under_way: BTreeSet<Key>,
    /// Those among `waiting` whose turn it is.
    called: BTreeSet<Key>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Waiting,
    UnderWay,
}

impl Fleet {
    /// A fleet that is to run `image`, with at most so many servers that have been given it and do not serve yet; and whose turn it is,
    /// as a place gets free.
    pub(super) fn new(
        image: String,
        at_once: u16,
    ) -> (Self, UnboundedReceiver<ObjectRef<WatchedServer>>) {
        let (wake, turns) = mpsc::unbounded();
        (Self { image, at_once: at_once.into(), turns: Mutex::default(), wake }, turns)
    }

    /// One server or its Deployment has changed.
    pub(super) fn follow(
        &self,
        key: &ObjectRef<WatchedServer>,
        server: Option<&LensesMcpServer>,
        deployment: Option<&Deployment>,
    ) {
        let key = (key.namespace.clone().unwrap_or_default(), key.name.clone());
        let place = place(&self.image, server, deployment);
        let mut turns = self.turns();
        let set = |turn: &mut BTreeSet<Key>, has: bool| {
            if has { turn.insert(key.clone()) } else { turn.remove(&key) }
        };
        let changed = [
            (set(&mut turns.waiting, place == Some(Place::Waiting)), place != Some(Place::Waiting)),
            (
                set(&mut turns.under_way, place == Some(Place::UnderWay)),
                place != Some(Place::UnderWay),
            ),
        ];
        if changed.iter().any(|(moved, _)| *moved) {
            self.call(&mut turns);
        }
    }

    /// All that have a place.
    pub(super) fn placed(&self) -> Vec<ObjectRef<WatchedServer>> {
        let turns = self.turns();
        let placed = turns.waiting.iter().chain(&turns.under_way);
        placed.map(|(namespace, name)| ObjectRef::new(name).within(namespace)).collect()
    }

    /// Whether it is this server's turn to be given the default image in the place of another.
    pub(super) fn is_called(&self, namespace: &str, name: &str) -> bool {
        self.turns().called.contains(&(namespace.to_owned(), name.to_owned()))
    }

    /// How many wait for their turn, and how many have been given the image and do not serve yet.
    pub(super) fn counts(&self) -> (usize, usize) {
        let turns = self.turns();
        (turns.waiting.len(), turns.under_way.len())
    }

    fn call(&self, turns: &mut Turns) {
        let free = self.at_once.saturating_sub(turns.under_way.len());
        let called: BTreeSet<Key> = turns.waiting.iter().take(free).cloned().collect();
        for (namespace, name) in called.difference(&turns.called) {
            // The receiver goes when the controller ends.
            let _ = self.wake.unbounded_send(ObjectRef::new(name).within(namespace));
        }
        turns.called = called;
    }

    /// A panic elsewhere leaves sets that are whole, and the next event of a server puts it in its place.
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a server is on the way to the default image. One that names its own image, or is paused, is not on it.
fn place(
    image: &str,
    server: Option<&LensesMcpServer>,
    deployment: Option<&Deployment>,
) -> Option<Place> {
    let (server, deployment) = (server?, deployment?);
    if server.spec.image.is_some()
        || server.spec.paused
        || server.metadata.deletion_timestamp.is_some()
    {
        return None;
    }
    if rollout::image(deployment).as_deref() != Some(image) {
        return Some(Place::Waiting);
    }
    (upgraded_from(deployment).is_some() && !is_complete(deployment)).then_some(Place::UnderWay)
}

/// What the Deployment served with before, if the default image took its place.
pub(super) fn upgraded_from(deployment: &Deployment) -> Option<&String> {
    deployment.metadata.annotations.as_ref()?.get(UPGRADED_FROM)
}

/// Whether all pods are the wanted ones and serve.
pub(super) fn is_complete(deployment: &Deployment) -> bool {
    matches!(
        rollout::rollout(Some(deployment), &Pods::default()),
        rollout::Rollout::Complete { .. }
    )
}

/// The image that a server is to run now, and what it was upgraded from.
pub(super) struct Turn {
    pub(super) image: String,
    pub(super) upgraded_from: Option<String>,
    /// Whether `image` is not the one that it is to run in the end.
    pub(super) waits: bool,
}

/// Decides which image a server runs. `called`: whether it is its turn.
pub(super) fn turn(
    own: Option<&String>,
    default: &str,
    runs: Option<&Deployment>,
    called: bool,
) -> Turn {
    let running = runs.and_then(rollout::image);
    match (own, runs, running) {
        (Some(own), ..) => Turn { image: own.clone(), upgraded_from: None, waits: false },
        (None, Some(runs), Some(running)) if running == default => {
            Turn { image: running, upgraded_from: upgraded_from(runs).cloned(), waits: false }
        }
        (None, Some(runs), Some(running)) if !called => {
            Turn { image: running, upgraded_from: upgraded_from(runs).cloned(), waits: true }
        }
        (None, Some(runs), Some(running)) => Turn {
            image: default.to_owned(),
            upgraded_from: is_complete(runs).then_some(running),
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

    fn woken(turns: &mut UnboundedReceiver<ObjectRef<WatchedServer>>) -> Vec<String> {
        std::iter::from_fn(|| turns.try_recv().ok()).map(|server| server.name).collect()
    }

    #[test]
    fn a_few_at_a_time_get_the_new_image_and_the_next_is_woken_when_one_serves() {
        let (fleet, mut turns) = Fleet::new("x:2".into(), 2);
        let server = oauth_server();
        for name in ["d", "b", "a", "c"] {
            fleet.follow(&key(name), Some(&server), Some(&deployment("x:1", None, 1)));
        }
        let called =
            |fleet: &Fleet| ["a", "b", "c", "d"].map(|name| fleet.is_called("tools", name));
        assert_eq!(called(&fleet), [true, true, false, false]);
        assert_eq!(fleet.counts(), (4, 0));
        woken(&mut turns);

        fleet.follow(&key("a"), Some(&server), Some(&deployment("x:2", Some("x:1"), 0)));
        fleet.follow(&key("b"), Some(&server), Some(&deployment("x:2", Some("x:1"), 0)));
        assert_eq!((called(&fleet), fleet.counts()), ([false; 4], (2, 2)));
        assert!(woken(&mut turns).is_empty());

        fleet.follow(&key("b"), Some(&server), Some(&deployment("x:2", Some("x:1"), 1)));
        assert_eq!(woken(&mut turns), ["c"]);
        fleet.follow(&key("a"), None, None);
        assert_eq!(woken(&mut turns), ["d"]);
    }

    #[test]
    fn those_that_do_not_come_up_stop_it_and_it_goes_on_when_they_do() {
        let (fleet, mut turns) = Fleet::new("x:2".into(), 1);
        let server = oauth_server();
        fleet.follow(&key("a"), Some(&server), Some(&deployment("x:2", Some("x:1"), 0)));
        fleet.follow(&key("b"), Some(&server), Some(&deployment("x:1", None, 1)));
        assert!(!fleet.is_called("tools", "b"));
        fleet.follow(&key("a"), Some(&server), Some(&deployment("x:2", Some("x:1"), 1)));
        assert!(fleet.is_called("tools", "b"));
        assert_eq!(woken(&mut turns), ["b"]);
    }

    #[test]
    fn own_images_paused_servers_and_such_as_never_served_take_no_place() {
        let server = oauth_server();
        let place = |server: &LensesMcpServer, deployment: &Deployment| {
            place("x:2", Some(server), Some(deployment))
        };
        assert_eq!(place(&server, &deployment("x:1", None, 1)), Some(Place::Waiting));
        assert_eq!(place(&server, &deployment("x:2", Some("x:1"), 0)), Some(Place::UnderWay));
        assert_eq!(place(&server, &deployment("x:2", Some("x:1"), 1)), None);
        assert_eq!(place(&server, &deployment("x:2", None, 0)), None);
        let mut own = oauth_server();
        own.spec.image = Some("y:1".into());
        assert_eq!(place(&own, &deployment("x:1", None, 1)), None);
        let mut paused = oauth_server();
        paused.spec.paused = true;
        assert_eq!(place(&paused, &deployment("x:1", None, 1)), None);
    }

    #[test]
    fn which_image_runs_is_decided_by_the_spec_then_by_the_turn() {
        let decided = |own: Option<&str>, runs: Option<&Deployment>, called| {
            let turn = turn(own.map(str::to_owned).as_ref(), "x:2", runs, called);
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
