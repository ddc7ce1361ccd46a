//! Something that is kept for each of some resources, until they go.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kube::runtime::reflector::ObjectRef;

use crate::watching::servers::WatchedServer;

type Values<V> = HashMap<ObjectRef<WatchedServer>, V>;

/// A value for each of some resources.
pub(crate) struct ByServer<V>(Mutex<Values<V>>);

impl<V> Default for ByServer<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<V> ByServer<V> {
    /// All of them. A panic elsewhere leaves a map that is whole: nothing that holds it stops
    /// halfway.
    pub(crate) fn values(&self) -> MutexGuard<'_, Values<V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets one that is gone, or of which nothing is to be kept.
    pub(crate) fn forget(&self, server: &ObjectRef<WatchedServer>) {
        self.values().remove(server);
    }

    /// Forgets those that are not like this.
    pub(crate) fn retain(&self, like: impl Fn(&ObjectRef<WatchedServer>) -> bool) {
        self.values().retain(|server, _| like(server));
    }
}
