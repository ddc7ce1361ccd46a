//! The resources that wait for their reconcile to begin: what was woken by a change and has not
//! been taken up. A resource that waits for its time, such as one that failed, is not among them.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kube::runtime::reflector::ObjectRef;

use crate::watching::servers::WatchedServer;

/// Which resources wait. A resource that is woken again while it waits is in it once.
#[derive(Default)]
pub(crate) struct Queue(Mutex<HashSet<ObjectRef<WatchedServer>>>);

impl Queue {
    /// A change has woken a resource.
    pub(crate) fn woken(&self, server: &ObjectRef<WatchedServer>) {
        self.waiting().insert(server.clone());
    }

    /// Its reconcile begins, or it is gone.
    pub(crate) fn taken(&self, server: &ObjectRef<WatchedServer>) {
        self.waiting().remove(server);
    }

    /// How many wait.
    pub(crate) fn depth(&self) -> usize {
        self.waiting().len()
    }

    /// A panic elsewhere leaves a set that is whole: each change is one insertion or removal.
    fn waiting(&self) -> MutexGuard<'_, HashSet<ObjectRef<WatchedServer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_waits_once_until_it_is_taken_or_gone() {
        let queue = Queue::default();
        let (a, b) = (ObjectRef::new("a").within("x"), ObjectRef::new("a").within("y"));
        for server in [&a, &a, &b] {
            queue.woken(server);
        }
        assert_eq!(queue.depth(), 2);
        queue.taken(&a);
        assert_eq!(queue.depth(), 1);
        queue.taken(&a);
        queue.taken(&b);
        assert_eq!(queue.depth(), 0);
    }
}
