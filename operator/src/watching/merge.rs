//! One watch made of several, for kube's own store: one watch a namespace.

use std::collections::{HashMap, HashSet};

use kube::{ResourceExt, runtime::watcher::Event};

use super::coverage::Scope;
use crate::apis::Kind;

/// The objects that the store has in a namespace, except those of these names.
pub(super) type Except<K> = Box<dyn Fn(&str, &HashSet<String>) -> Vec<K> + Send>;

/// Makes one watch of several. A list that begins anew in one namespace must not throw the objects
/// of the others out of the store.
pub(super) struct Merge<K> {
    /// The names that each list under way has shown.
    listing: HashMap<String, HashSet<String>>,
    except: Except<K>,
}

impl<K: Kind> Merge<K> {
    pub(super) fn new(except: Except<K>) -> Self {
        Self { listing: HashMap::new(), except }
    }

    /// What comes before all else: a store that is empty.
    pub(super) fn begin() -> [Event<K>; 2] {
        [Event::Init, Event::InitDone]
    }

    /// What an event of one watch is to the whole.
    pub(super) fn take(&mut self, scope: &Scope, event: Event<K>) -> Vec<Event<K>> {
        let Some(namespace) = scope.namespace() else { return vec![event] };
        match event {
            Event::Init => {
                self.listing.insert(namespace.to_owned(), HashSet::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                let shown = self.listing.entry(namespace.to_owned()).or_default();
                shown.insert(object.name_any());
                vec![Event::Apply(object)]
            }
            Event::InitDone => {
                let shown = self.listing.remove(namespace).unwrap_or_default();
                (self.except)(namespace, &shown).into_iter().map(Event::Delete).collect()
            }
            Event::Apply(_) | Event::Delete(_) => vec![event],
        }
    }

    /// What it is to the whole that nothing can be seen there any more.
    pub(super) fn refused(&self, scope: &Scope) -> Vec<Event<K>> {
        match scope.namespace() {
            None => Self::begin().into(),
            Some(namespace) => {
                (self.except)(namespace, &HashSet::new()).into_iter().map(Event::Delete).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::{
        api::ObjectMeta,
        runtime::reflector::{self, store::Writer},
    };

    use super::*;

    fn object(namespace: &str, name: &str) -> ConfigMap {
        let metadata = ObjectMeta {
            namespace: Some(namespace.into()),
            name: Some(name.into()),
            ..ObjectMeta::default()
        };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    struct Merged {
        merge: Merge<ConfigMap>,
        writer: Writer<ConfigMap>,
    }

    impl Merged {
        fn new() -> Self {
            let (store, mut writer) = reflector::store::<ConfigMap>();
            let except: Except<ConfigMap> = Box::new(move |namespace, names| {
                let is_other = |object: &ConfigMap| {
                    object.namespace().as_deref() == Some(namespace)
                        && !names.contains(&object.name_any())
                };
                store.state_filter(is_other).iter().map(|object| (**object).clone()).collect()
            });
            for event in Merge::begin() {
                writer.apply_watcher_event(&event);
            }
            Self { merge: Merge::new(except), writer }
        }

        fn take(&mut self, namespace: &str, events: impl IntoIterator<Item = Event<ConfigMap>>) {
            for event in events {
                for event in self.merge.take(&Scope::Namespace(namespace.into()), event) {
                    self.writer.apply_watcher_event(&event);
                }
            }
        }

        fn names(&self) -> Vec<String> {
            let state = self.writer.as_reader().state();
            let mut names: Vec<_> = state
                .iter()
                .map(|object| format!("{}/{}", object.namespace().unwrap(), object.name_any()))
                .collect();
            names.sort();
            names
        }
    }

    fn listed(namespace: &str, names: &[&str]) -> Vec<Event<ConfigMap>> {
        let objects = names.iter().map(|name| Event::InitApply(object(namespace, name)));
        std::iter::once(Event::Init).chain(objects).chain([Event::InitDone]).collect()
    }

    #[test]
    fn a_new_list_drops_what_is_gone_in_its_own_namespace_only() {
        let mut merged = Merged::new();
        merged.take("a", listed("a", &["1", "2"]));
        merged.take("b", listed("b", &["1"]));
        merged.take(
            "a",
            [Event::Init, Event::InitApply(object("a", "2")), Event::InitApply(object("a", "3"))],
        );
        assert_eq!(merged.names(), ["a/1", "a/2", "a/3", "b/1"]);
        merged.take("a", [Event::InitDone]);
        assert_eq!(merged.names(), ["a/2", "a/3", "b/1"]);
    }

    #[test]
    fn a_namespace_that_is_refused_is_empty_and_the_others_are_not() {
        let mut merged = Merged::new();
        merged.take("a", listed("a", &["1"]));
        merged.take("b", listed("b", &["1"]));
        for event in merged.merge.refused(&Scope::Namespace("a".into())) {
            merged.writer.apply_watcher_event(&event);
        }
        assert_eq!(merged.names(), ["b/1"]);
    }
}
