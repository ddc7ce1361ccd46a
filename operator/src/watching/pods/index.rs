//! Which pods a server has, kept up with the watch of the pods.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kube::{ResourceExt, runtime::watcher::Event};

use super::WatchedPod;

/// The names of each server's pods.
#[derive(Default)]
pub(crate) struct PodIndex(Mutex<State>);

#[derive(Default)]
struct State {
    now: Table,
    /// What a list that is under way has shown so far; it takes the place of `now` when it is complete.
    listing: Table,
}

/// Namespace and name of a server, and the names of its pods.
type Table = HashMap<(String, String), BTreeSet<String>>;

impl PodIndex {
    /// Takes an event of the watch in.
    pub(crate) fn follow(&self, event: &Event<WatchedPod>) {
        let mut state = self.state();
        match event {
            Event::Init => state.listing = Table::default(),
            Event::InitApply(pod) => insert(&mut state.listing, pod),
            Event::InitDone => state.now = mem::take(&mut state.listing),
            Event::Apply(pod) => insert(&mut state.now, pod),
            Event::Delete(pod) => remove(&mut state.now, pod),
        }
    }

    /// The names of a server's pods, in order.
    pub(crate) fn pods(&self, namespace: &str, server: &str) -> Vec<String> {
        let key = (namespace.to_owned(), server.to_owned());
        self.state().now.get(&key).map(|pods| pods.iter().cloned().collect()).unwrap_or_default()
    }

    /// A panic elsewhere leaves a table that is whole: each change is one insertion or removal.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(pod: &WatchedPod) -> (String, String) {
    (pod.namespace().unwrap_or_default(), pod.seen.server.clone())
}

fn insert(table: &mut Table, pod: &WatchedPod) {
    table.entry(key(pod)).or_default().insert(pod.name_any());
}

fn remove(table: &mut Table, pod: &WatchedPod) {
    let key = key(pod);
    if let Some(pods) = table.get_mut(&key) {
        pods.remove(&pod.name_any());
        if pods.is_empty() {
            table.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(server: &str, name: &str) -> WatchedPod {
        let labels = json!({ "app.kubernetes.io/instance": server });
        serde_json::from_value(
            json!({ "metadata": { "namespace": "tools", "name": name, "labels": labels } }),
        )
        .unwrap()
    }

    #[test]
    fn the_pods_of_a_server_are_those_that_are_there_now() {
        let index = PodIndex::default();
        index.follow(&Event::Apply(pod("a", "2")));
        index.follow(&Event::Apply(pod("a", "1")));
        index.follow(&Event::Apply(pod("b", "3")));
        assert_eq!(index.pods("tools", "a"), ["1", "2"]);
        index.follow(&Event::Delete(pod("a", "1")));
        assert_eq!(index.pods("tools", "a"), ["2"]);
        assert!(index.pods("other", "a").is_empty());
        for event in [Event::Init, Event::InitApply(pod("a", "4"))] {
            index.follow(&event);
        }
        assert_eq!(index.pods("tools", "a"), ["2"]);
        index.follow(&Event::InitDone);
        assert_eq!(index.pods("tools", "a"), ["4"]);
        assert!(index.pods("tools", "b").is_empty());
    }
}
