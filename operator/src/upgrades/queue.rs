//! Who is on the way to another rendering, and whose turn it is.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use kube::runtime::reflector::ObjectRef;

use super::Phase;
use crate::watching::servers::WatchedServer;

type Server = ObjectRef<WatchedServer>;
/// Namespace and name.
type Key = (String, String);

/// The turns of all servers.
pub(crate) struct UpgradeQueue {
    at_once: usize,
    state: Mutex<State>,
    wake: UnboundedSender<Server>,
}

/// What a server may have without asking further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Nothing: it waits.
    None,
    /// It is its turn.
    Admitted,
    /// What its author changed is yet to be applied, or the API server refused it. It takes no
    /// place, whenever that succeeds.
    Early,
}

#[derive(Default)]
struct State {
    census: Census,
    waiting: BTreeSet<Key>,
    under_way: BTreeSet<Key>,
    /// Those among `waiting` whose turn it is.
    admitted: BTreeSet<Key>,
    early: BTreeSet<Key>,
    /// Those whose turn has ended. What befalls them later is not the upgrade's fault.
    ended: BTreeSet<Key>,
}

/// Nobody is admitted before every server has been looked at once: how many are under way is not
/// known before.
enum Census {
    /// The servers are not listed yet; these have been looked at.
    Listing(BTreeSet<Key>),
    /// These have not been looked at.
    Looking(BTreeSet<Key>),
}

impl Default for Census {
    fn default() -> Self {
        Self::Listing(BTreeSet::new())
    }
}

impl Census {
    fn look_at(&mut self, key: &Key) {
        match self {
            Self::Listing(looked_at) => set(looked_at, true, key),
            Self::Looking(unseen) => set(unseen, false, key),
        }
    }
}

impl UpgradeQueue {
    /// A queue in which at most so many servers are under way at the same time; and whose turn it
    /// is, as a place gets free.
    pub(crate) fn new(at_once: u16) -> (Self, UnboundedReceiver<Server>) {
        let (wake, admissions) = mpsc::unbounded();
        (Self { at_once: at_once.into(), state: Mutex::default(), wake }, admissions)
    }

    /// All servers that there are.
    pub(crate) fn listed(&self, servers: impl Iterator<Item = Server>) {
        let there: BTreeSet<_> = servers.map(|server| key(&server)).collect();
        self.change(|state| {
            for keys in state.all() {
                keys.retain(|key| there.contains(key));
            }
            match &mut state.census {
                Census::Listing(looked_at) => {
                    let unseen = there.difference(looked_at).cloned().collect();
                    state.census = Census::Looking(unseen);
                }
                Census::Looking(unseen) => unseen.retain(|key| there.contains(key)),
            }
        });
    }

    /// A server was looked at. `None`: it cannot move.
    pub(crate) fn follow(&self, server: &Server, phase: Option<Phase>) {
        let key = key(server);
        self.change(|state| {
            state.census.look_at(&key);
            match phase {
                Some(Phase::Waiting) => set(&mut state.ended, false, &key),
                Some(Phase::Ended) => set(&mut state.ended, true, &key),
                Some(Phase::UnderWay | Phase::Current) | None => {}
            }
            if !matches!(phase, Some(Phase::Waiting) | None) {
                set(&mut state.early, false, &key);
            }
            let under_way = phase == Some(Phase::UnderWay) && !state.ended.contains(&key);
            set(&mut state.under_way, under_way, &key);
            set(&mut state.waiting, phase == Some(Phase::Waiting), &key);
        });
    }

    /// A server was looked at, and is where it was.
    pub(crate) fn looked_at(&self, server: &Server) {
        self.change(|state| state.census.look_at(&key(server)));
    }

    /// What is wanted of this server need not wait for its turn.
    pub(crate) fn hasten(&self, server: &Server) {
        self.change(|state| set(&mut state.early, true, &key(server)));
    }

    /// A server is gone.
    pub(crate) fn forget(&self, server: &Server) {
        let key = key(server);
        self.change(|state| {
            for keys in state.all() {
                keys.remove(&key);
            }
            if let Census::Looking(unseen) = &mut state.census {
                unseen.remove(&key);
            }
        });
    }

    /// What this server may have.
    pub(crate) fn claim(&self, server: &Server) -> Claim {
        let (key, state) = (key(server), self.state());
        if state.early.contains(&key) {
            Claim::Early
        } else if state.admitted.contains(&key) {
            Claim::Admitted
        } else {
            Claim::None
        }
    }

    /// How many wait for their turn, and how many are under way.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.waiting.len(), state.under_way.len())
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let admitted = state.next(self.at_once);
        let before = mem::replace(&mut state.admitted, admitted);
        for (namespace, name) in state.admitted.difference(&before) {
            // The receiver goes when the controller ends.
            let _ = self.wake.unbounded_send(ObjectRef::new(name).within(namespace));
        }
    }

    /// A panic elsewhere leaves sets that are whole, and the next look at a server puts it in its
    /// place.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whose turn it is.
    fn next(&self, at_once: usize) -> BTreeSet<Key> {
        match &self.census {
            Census::Looking(unseen) if unseen.is_empty() => {
                let free = at_once.saturating_sub(self.under_way.len());
                self.waiting.iter().take(free).cloned().collect()
            }
            Census::Listing(_) | Census::Looking(_) => BTreeSet::new(),
        }
    }

    fn all(&mut self) -> [&mut BTreeSet<Key>; 4] {
        [&mut self.waiting, &mut self.under_way, &mut self.early, &mut self.ended]
    }
}

fn key(server: &Server) -> Key {
    (server.namespace.clone().unwrap_or_default(), server.name.clone())
}

fn set(keys: &mut BTreeSet<Key>, is_in: bool, key: &Key) {
    if is_in {
        keys.insert(key.clone());
    } else {
        keys.remove(key);
    }
}

#[cfg(test)]
mod tests;
