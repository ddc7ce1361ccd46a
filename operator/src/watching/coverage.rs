//! How far the watches of one kind have got: in which namespaces its objects are known.

use std::collections::BTreeMap;

use tokio::sync::watch;

/// Where one watch looks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    /// In all namespaces.
    All,
    /// In this namespace.
    Namespace(Box<str>),
}

/// How far each watch of a kind has got.
pub(crate) struct Coverage(watch::Sender<BTreeMap<Scope, Progress>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Nothing has been heard of it.
    Begun,
    /// It has been listed, and is followed.
    Listed,
    /// The API server refuses to list it: the namespace or a right in it is missing.
    Refused,
}

impl Scope {
    /// Whether objects of this namespace are seen here.
    pub(crate) fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Namespace(own) => **own == *namespace,
        }
    }

    /// The namespace, if it is one.
    pub(crate) fn namespace(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Namespace(own) => Some(own),
        }
    }
}

impl Default for Coverage {
    fn default() -> Self {
        Self(watch::Sender::new(BTreeMap::new()))
    }
}

impl Coverage {
    /// These are going to be watched.
    pub(crate) fn begin<'a>(&self, scopes: impl IntoIterator<Item = &'a Scope>) {
        self.0.send_modify(|all| {
            for scope in scopes {
                all.entry(scope.clone()).or_insert(Progress::Begun);
            }
        });
    }

    /// A list is complete.
    pub(crate) fn listed(&self, scope: &Scope) {
        self.set(scope, Progress::Listed);
    }

    /// A list was refused. Tells whether that is news.
    pub(crate) fn refused(&self, scope: &Scope) -> bool {
        self.set(scope, Progress::Refused)
    }

    /// Nothing is known any more.
    pub(super) fn clear(&self) {
        self.0.send_modify(|all| all.values_mut().for_each(|progress| *progress = Progress::Begun));
    }

    /// Waits until [`Self::is_read`].
    pub(crate) async fn read(&self) {
        // The sender is this one's own, so that the channel is not closed.
        let _ = self.0.subscribe().wait_for(is_read).await;
    }

    /// Whether all has been listed that can be. Before that, an object that is not there cannot be
    /// told from one that is not yet read.
    pub(crate) fn is_read(&self) -> bool {
        is_read(&self.0.borrow())
    }

    /// Whether each watch has been answered, be it with a refusal.
    pub(crate) fn is_tried(&self) -> bool {
        is_tried(&self.0.borrow())
    }

    /// Whether the objects of this namespace are known. Those of a namespace that is not watched
    /// are as if they were not there.
    pub(crate) fn knows(&self, namespace: &str) -> bool {
        !self
            .0
            .borrow()
            .iter()
            .any(|(scope, progress)| scope.covers(namespace) && *progress != Progress::Listed)
    }

    /// The namespaces of which the list is refused.
    pub(crate) fn refused_namespaces(&self) -> Vec<String> {
        let all = self.0.borrow();
        let refused = all.iter().filter(|(_, progress)| **progress == Progress::Refused);
        refused.filter_map(|(scope, _)| scope.namespace().map(str::to_owned)).collect()
    }

    fn set(&self, scope: &Scope, now: Progress) -> bool {
        self.0.send_if_modified(|all| all.insert(scope.clone(), now) != Some(now))
    }
}

fn is_tried(all: &BTreeMap<Scope, Progress>) -> bool {
    !all.is_empty() && !all.values().any(|progress| *progress == Progress::Begun)
}

fn is_read(all: &BTreeMap<Scope, Progress>) -> bool {
    is_tried(all) && all.values().any(|progress| *progress == Progress::Listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(name: &str) -> Scope {
        Scope::Namespace(name.into())
    }

    #[test]
    fn a_kind_is_read_when_all_that_can_be_listed_has_been() {
        let coverage = Coverage::default();
        assert!(!coverage.is_read());
        coverage.begin([&namespace("a"), &namespace("b")]);
        coverage.listed(&namespace("a"));
        assert!(!coverage.is_read());
        assert!(coverage.refused(&namespace("b")));
        assert!(!coverage.refused(&namespace("b")));
        assert!(coverage.is_read());
        assert_eq!(coverage.refused_namespaces(), ["b"]);
        assert_eq!(["a", "b", "elsewhere"].map(|ns| coverage.knows(ns)), [true, false, true]);
        coverage.listed(&namespace("b"));
        assert!(coverage.refused_namespaces().is_empty() && coverage.knows("b"));
    }

    #[test]
    fn a_kind_that_is_refused_everywhere_is_not_read() {
        let coverage = Coverage::default();
        coverage.begin([&Scope::All]);
        coverage.refused(&Scope::All);
        assert!(coverage.is_tried() && !coverage.is_read() && !coverage.knows("a"));
        assert!(coverage.refused_namespaces().is_empty());
    }
}
