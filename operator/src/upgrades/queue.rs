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
mod tests {
    use super::*;

    struct Play {
        queue: UpgradeQueue,
        admissions: UnboundedReceiver<Server>,
    }

    fn server(name: &str) -> Server {
        ObjectRef::new(name).within("tools")
    }

    impl Play {
        /// A queue of these servers, all of which wait.
        fn new(at_once: u16, names: &[&str]) -> Self {
            let (queue, admissions) = UpgradeQueue::new(at_once);
            queue.listed(names.iter().map(|name| server(name)));
            let mut play = Self { queue, admissions };
            for name in names {
                play.follow(name, Some(Phase::Waiting));
            }
            play
        }

        fn follow(&mut self, name: &str, phase: Option<Phase>) {
            self.queue.follow(&server(name), phase);
        }

        /// Those whose turn has come.
        fn woken(&mut self) -> Vec<String> {
            std::iter::from_fn(|| self.admissions.try_recv().ok()).map(|woken| woken.name).collect()
        }

        fn claim(&self, name: &str) -> Claim {
            self.queue.claim(&server(name))
        }
    }

    #[test]
    fn a_few_at_a_time_get_it_and_the_next_is_woken_when_a_turn_ends() {
        let mut play = Play::new(2, &["d", "b", "a", "c"]);
        assert_eq!(play.woken(), ["a", "b"]);
        let claims = ["a", "b", "c", "d"].map(|name| play.claim(name));
        assert_eq!(claims, [Claim::Admitted, Claim::Admitted, Claim::None, Claim::None]);
        assert_eq!(play.queue.counts(), (4, 0));

        play.follow("a", Some(Phase::UnderWay));
        play.follow("b", Some(Phase::UnderWay));
        assert_eq!((play.woken(), play.queue.counts()), (vec![], (2, 2)));
        play.follow("b", Some(Phase::Ended));
        assert_eq!(play.woken(), ["c"]);
        play.queue.forget(&server("a"));
        assert_eq!(play.woken(), ["d"]);
    }

    #[test]
    fn one_that_is_not_well_after_its_turn_stops_the_others_until_it_is() {
        let mut play = Play::new(1, &["a", "b"]);
        play.follow("a", Some(Phase::UnderWay));
        play.woken();
        for _ in 0..3 {
            play.follow("a", Some(Phase::UnderWay));
            play.follow("b", Some(Phase::Waiting));
        }
        assert_eq!((play.woken(), play.claim("b")), (vec![], Claim::None));
        play.follow("a", Some(Phase::Ended));
        assert_eq!((play.woken(), play.claim("b")), (vec!["b".to_owned()], Claim::Admitted));
    }

    #[test]
    fn what_cannot_move_holds_no_place() {
        let mut play = Play::new(1, &["a", "b", "c", "d"]);
        assert_eq!(play.woken(), ["a"]);
        // Rejected, then refused, then broken before it got the rendering.
        play.follow("a", None);
        assert_eq!(play.woken(), ["b"]);
        play.queue.hasten(&server("b"));
        play.follow("b", None);
        assert_eq!((play.claim("b"), play.woken()), (Claim::Early, vec!["c".to_owned()]));
        play.follow("c", Some(Phase::Current));
        assert_eq!(play.woken(), ["d"]);
    }

    #[test]
    fn nobody_is_admitted_before_every_server_was_looked_at_once() {
        let (queue, admissions) = UpgradeQueue::new(1);
        let mut play = Play { queue, admissions };
        // Before the list is complete, and a server that is under way already.
        play.follow("a", Some(Phase::Waiting));
        play.queue.listed(["a", "b", "z"].into_iter().map(server));
        play.follow("b", Some(Phase::Waiting));
        assert_eq!((play.woken(), play.claim("a")), (vec![], Claim::None));
        play.follow("z", Some(Phase::UnderWay));
        assert_eq!(play.woken(), Vec::<String>::new());
        play.follow("z", Some(Phase::Ended));
        assert_eq!(play.woken(), ["a"]);
    }

    #[test]
    fn trouble_after_the_turn_is_not_the_upgrades() {
        let mut play = Play::new(1, &["a"]);
        play.follow("a", Some(Phase::UnderWay));
        play.follow("a", Some(Phase::Ended));
        play.follow("a", Some(Phase::UnderWay));
        assert_eq!(play.queue.counts(), (0, 0));
        // Until it is to get another rendering.
        play.follow("a", Some(Phase::Waiting));
        play.follow("a", Some(Phase::UnderWay));
        assert_eq!(play.queue.counts(), (0, 1));
    }

    #[test]
    fn what_cannot_wait_is_remembered_until_it_is_applied() {
        let mut play = Play::new(1, &["a", "b"]);
        play.follow("a", Some(Phase::UnderWay));
        play.queue.hasten(&server("b"));
        play.queue.looked_at(&server("b"));
        play.follow("b", Some(Phase::Waiting));
        assert_eq!(play.claim("b"), Claim::Early);
        play.follow("b", Some(Phase::Current));
        assert_eq!((play.claim("b"), play.queue.counts()), (Claim::None, (0, 1)));
    }

    #[test]
    fn a_new_list_drops_those_that_are_gone() {
        let mut play = Play::new(1, &["a", "b"]);
        assert_eq!(play.woken(), ["a"]);
        play.queue.listed(["b"].into_iter().map(server));
        assert_eq!((play.woken(), play.queue.counts()), (vec!["b".to_owned()], (1, 0)));
    }
}
