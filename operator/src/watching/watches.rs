//! The watches: of all namespaces, or of those that the operator is told to.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    Api, Client, ResourceExt,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        reflector::store::Writer,
        watcher::{self, Event, watcher},
    },
};

use super::{
    cache::Cache,
    change::{Changes, Events, changes},
    optional::{self, Optional},
    prune::{prune, prune_foreign},
};
use crate::{
    apis::{CachedKind, Kind, OptionalKind},
    names,
};

/// Where to watch.
#[derive(Clone)]
pub(crate) struct Watches {
    pub(crate) client: Client,
    /// None means all.
    pub(crate) namespaces: Vec<String>,
}

/// Which of a namespace's objects are kept and have none of these names.
type Except<K> = Box<dyn Fn(&str, &HashSet<String>) -> Vec<K> + Send>;

impl Watches {
    /// The objects of a kind that a label selector selects; an empty one selects all. For types that are small as they are.
    pub(crate) fn selected<K: Kind>(&self, selector: &str, writer: Writer<K>) -> Events<K> {
        let store = writer.as_reader();
        let except: Except<K> = Box::new(move |namespace, names| {
            let is_other = |object: &K| {
                object.namespace().as_deref() == Some(namespace)
                    && !names.contains(&object.name_any())
            };
            store.state_filter(is_other).iter().map(|object| (**object).clone()).collect()
        });
        self.events(&watcher::Config::default().labels(selector), prune, except)
            .reflect(writer)
            .boxed()
    }

    /// Every object of a kind.
    pub(crate) fn all<K: CachedKind>(&self, cache: &Arc<Cache<K>>) -> Changes {
        self.watch(&watcher::Config::default(), cache, prune_foreign)
    }

    /// This operator's own objects of a kind.
    pub(crate) fn managed<K: CachedKind>(&self, cache: &Arc<Cache<K>>) -> Changes {
        self.watch(&watcher::Config::default().labels(&names::managed()), cache, prune)
    }

    /// Every object of a kind that is not this operator's own: metadata alone.
    pub(crate) fn foreign<K>(&self, cache: &Arc<Cache<PartialObjectMeta<K>>>) -> Changes
    where
        PartialObjectMeta<K>: CachedKind,
    {
        self.watch(&watcher::Config::default().labels(&names::foreign()), cache, prune_foreign)
    }

    /// This operator's own objects of a kind that the cluster may lack, for as long as it has it.
    pub(crate) fn optional<K: OptionalKind>(&self, kind: &Arc<Optional<K>>) -> Changes {
        let (watches, kept) = (self.clone(), Arc::clone(kind));
        let config = watcher::Config::default().labels(&names::managed());
        optional::follow(self.client.clone(), Arc::clone(kind), move || {
            let kept = Arc::clone(&kept);
            let except: Except<K> =
                Box::new(move |namespace, names| kept.objects.except(namespace, names));
            watches.events(&config, prune, except)
        })
    }

    fn watch<K: CachedKind>(
        &self,
        config: &watcher::Config,
        cache: &Arc<Cache<K>>,
        prune: fn(&mut K),
    ) -> Changes {
        let (cache, kept) = (Arc::clone(cache), Arc::clone(cache));
        let except: Except<K> = Box::new(move |namespace, names| kept.except(namespace, names));
        changes::<K>(self.events(config, prune, except).map_ok(move |event| cache.follow(&event)))
    }

    /// The events of all watched namespaces as those of one watch, before they go into the cache.
    fn events<K: Kind>(
        &self,
        config: &watcher::Config,
        prune: fn(&mut K),
        except: Except<K>,
    ) -> Events<K> {
        let watch = |api| watcher(api, config.clone()).default_backoff().modify(prune);
        match &self.namespaces[..] {
            [] => watch(Api::all(self.client.clone())).boxed(),
            [one] => watch(Api::namespaced(self.client.clone(), one)).boxed(),
            several => {
                let mut merge = Merge::new(several, except);
                let events = several.iter().map(|namespace| {
                    let namespace = namespace.clone();
                    watch(Api::namespaced(self.client.clone(), &namespace))
                        .map(move |event| (namespace.clone(), event))
                        .boxed()
                });
                stream::select_all(events)
                    .flat_map(move |(namespace, event)| {
                        stream::iter(match event {
                            Ok(event) => {
                                merge.take(&namespace, event).into_iter().map(Ok).collect()
                            }
                            Err(error) => vec![Err(error)],
                        })
                    })
                    .boxed()
            }
        }
    }
}

/// Makes one watch of several, one a namespace. A list that begins anew in one namespace must not throw the others out of the
/// cache, and the cache is complete when each namespace has been listed once.
struct Merge<K: Kind> {
    /// The first lists, until all are complete.
    first: Option<HashMap<String, Listing<K>>>,
    /// Later lists under way: the names that each has shown.
    again: HashMap<String, HashSet<String>>,
    except: Except<K>,
}

struct Listing<K> {
    objects: HashMap<String, K>,
    complete: bool,
}

impl<K> Default for Listing<K> {
    fn default() -> Self {
        Self { objects: HashMap::new(), complete: false }
    }
}

impl<K: Kind> Merge<K> {
    fn new(namespaces: &[String], except: Except<K>) -> Self {
        let first =
            namespaces.iter().map(|namespace| (namespace.clone(), Listing::default())).collect();
        Self { first: Some(first), again: HashMap::new(), except }
    }

    /// What an event of one namespace's watch is to the whole.
    fn take(&mut self, namespace: &str, event: Event<K>) -> Vec<Event<K>> {
        let Some(first) = &mut self.first else { return self.later(namespace, event) };
        let listing = first.entry(namespace.to_owned()).or_default();
        match event {
            Event::Init => *listing = Listing::default(),
            Event::InitApply(object) | Event::Apply(object) => {
                drop(listing.objects.insert(object.name_any(), object));
            }
            Event::Delete(object) => drop(listing.objects.remove(&object.name_any())),
            Event::InitDone => listing.complete = true,
        }
        if !first.values().all(|listing| listing.complete) {
            return Vec::new();
        }
        let objects = self
            .first
            .take()
            .into_iter()
            .flat_map(HashMap::into_values)
            .flat_map(|l| l.objects.into_values());
        std::iter::once(Event::Init)
            .chain(objects.map(Event::InitApply))
            .chain([Event::InitDone])
            .collect()
    }

    fn later(&mut self, namespace: &str, event: Event<K>) -> Vec<Event<K>> {
        match event {
            Event::Init => {
                self.again.insert(namespace.to_owned(), HashSet::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                self.again.entry(namespace.to_owned()).or_default().insert(object.name_any());
                vec![Event::Apply(object)]
            }
            Event::InitDone => {
                let shown = self.again.remove(namespace).unwrap_or_default();
                (self.except)(namespace, &shown).into_iter().map(Event::Delete).collect()
            }
            Event::Apply(_) | Event::Delete(_) => vec![event],
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::ObjectMeta;

    use super::*;

    fn object(namespace: &str, name: &str) -> ConfigMap {
        let metadata = ObjectMeta {
            namespace: Some(namespace.into()),
            name: Some(name.into()),
            ..ObjectMeta::default()
        };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    struct Watched {
        merge: Merge<ConfigMap>,
        cache: Arc<Cache<ConfigMap>>,
    }

    impl Watched {
        fn new() -> Self {
            let cache = Arc::new(Cache::default());
            let kept = Arc::clone(&cache);
            let except: Except<ConfigMap> =
                Box::new(move |namespace, names| kept.except(namespace, names));
            Self { merge: Merge::new(&["a".into(), "b".into()], except), cache }
        }

        fn take(&mut self, namespace: &str, events: impl IntoIterator<Item = Event<ConfigMap>>) {
            for event in events {
                for event in self.merge.take(namespace, event) {
                    self.cache.follow(&event);
                }
            }
        }

        fn names(&self) -> Vec<String> {
            let all = ["a", "b"]
                .into_iter()
                .flat_map(|namespace| self.cache.except(namespace, &HashSet::new()));
            let mut names: Vec<_> = all
                .map(|object| format!("{}/{}", object.namespace().unwrap(), object.name_any()))
                .collect();
            names.sort();
            names
        }
    }

    #[test]
    fn the_cache_is_complete_when_each_namespace_has_been_listed() {
        let mut watched = Watched::new();
        watched.take("a", [Event::Init, Event::InitApply(object("a", "1")), Event::InitDone]);
        watched.take("a", [Event::Apply(object("a", "2")), Event::Delete(object("a", "1"))]);
        assert!(watched.names().is_empty());
        watched.take(
            "b",
            [
                Event::Init,
                Event::InitApply(object("b", "lost")),
                Event::Init,
                Event::InitApply(object("b", "1")),
            ],
        );
        assert!(watched.names().is_empty());
        watched.take("b", [Event::InitDone]);
        assert_eq!(watched.names(), ["a/2", "b/1"]);
    }

    #[test]
    fn a_list_that_begins_anew_drops_what_is_gone_in_its_own_namespace_only() {
        let mut watched = Watched::new();
        watched.take(
            "a",
            [
                Event::Init,
                Event::InitApply(object("a", "1")),
                Event::InitApply(object("a", "2")),
                Event::InitDone,
            ],
        );
        watched.take("b", [Event::Init, Event::InitApply(object("b", "1")), Event::InitDone]);
        watched.take(
            "a",
            [Event::Init, Event::InitApply(object("a", "2")), Event::InitApply(object("a", "3"))],
        );
        assert_eq!(watched.names(), ["a/1", "a/2", "a/3", "b/1"]);
        watched.take("a", [Event::InitDone]);
        assert_eq!(watched.names(), ["a/2", "a/3", "b/1"]);
    }
}
