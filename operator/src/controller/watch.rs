//! The watches: of all namespaces, or of those that the operator is told to.

use std::{
    collections::{HashMap, HashSet},
    fmt::Debug,
};

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use k8s_openapi::{NamespaceResourceScope, serde::de::DeserializeOwned};
use kube::{
    Api, Client, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        reflector::{Store, store::Writer},
        watcher::{self, Event, watcher},
    },
};

use super::{
    build::MANAGED_BY,
    optional::{self, OptionalKind, Source},
};
use crate::MANAGER;

/// A watch's events, after they went into the cache.
pub(super) type Events<K> = BoxStream<'static, Result<Event<K>, watcher::Error>>;

/// Where to watch.
#[derive(Clone)]
pub(super) struct Watches {
    pub(super) client: Client,
    /// None means all.
    pub(super) namespaces: Vec<String>,
}

/// What a kind must be to be watched.
pub(super) trait Kind:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug + Send + Sync + 'static
{
}

impl<K> Kind for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + Sync
        + 'static
{
}

impl Watches {
    /// Every object of a kind.
    pub(super) fn all<K: Kind>(&self, writer: Writer<K>, prune: fn(&mut K)) -> Events<K> {
        self.watch(&watcher::Config::default(), writer, prune)
    }

    /// The objects of a kind that a label selector selects; an empty one selects all.
    pub(super) fn selected<K: Kind>(&self, selector: &str, writer: Writer<K>) -> Events<K> {
        self.watch(&watcher::Config::default().labels(selector), writer, prune)
    }

    /// This operator's own objects of a kind.
    pub(super) fn managed<K: Kind>(&self, writer: Writer<K>) -> Events<K> {
        self.watch(&watcher::Config::default().labels(&format!("{MANAGED_BY}={MANAGER}")), writer, prune)
    }

    /// Every object of a kind that is not this operator's own.
    pub(super) fn foreign<K: Kind>(&self, writer: Writer<K>) -> Events<K> {
        self.watch(&watcher::Config::default().labels(&format!("{MANAGED_BY}!={MANAGER}")), writer, prune_foreign)
    }

    /// This operator's own objects of a kind that the cluster may lack, for as long as it has it.
    pub(super) fn optional<K: OptionalKind>(&self, source: Source<K>) -> Events<K> {
        let (watches, cache) = (self.clone(), source.objects.as_reader());
        let config = watcher::Config::default().labels(&format!("{MANAGED_BY}={MANAGER}"));
        optional::follow(self.client.clone(), source, move || watches.events(&config, cache.clone(), prune))
    }

    fn watch<K: Kind>(&self, config: &watcher::Config, writer: Writer<K>, prune: fn(&mut K)) -> Events<K> {
        self.events(config, writer.as_reader(), prune).reflect(writer).boxed()
    }

    /// The events of all watched namespaces as those of one watch, before they go into the cache.
    fn events<K: Kind>(&self, config: &watcher::Config, cache: Store<K>, prune: fn(&mut K)) -> Events<K> {
        let watch = |api| watcher(api, config.clone()).default_backoff().modify(prune);
        match &self.namespaces[..] {
            [] => watch(Api::all(self.client.clone())).boxed(),
            [one] => watch(Api::namespaced(self.client.clone(), one)).boxed(),
            several => {
                let mut merge = Merge::new(several, cache);
                let events = several.iter().map(|namespace| {
                    let namespace = namespace.clone();
                    watch(Api::namespaced(self.client.clone(), &namespace))
                        .map(move |event| (namespace.clone(), event))
                        .boxed()
                });
                stream::select_all(events)
                    .flat_map(move |(namespace, event)| {
                        stream::iter(match event {
                            Ok(event) => merge.take(&namespace, event).into_iter().map(Ok).collect(),
                            Err(error) => vec![Err(error)],
                        })
                    })
                    .boxed()
            }
        }
    }
}

/// What no pass looks at.
pub(super) fn prune<K: Resource>(object: &mut K) {
    object.meta_mut().managed_fields = None;
}

/// Of objects that are not this operator's, only what a reference needs.
pub(super) fn prune_foreign<K: Resource>(object: &mut K) {
    prune(object);
    if object.labels().get(MANAGED_BY).map(String::as_str) != Some(MANAGER) {
        object.meta_mut().labels = None;
        object.meta_mut().annotations = None;
    }
}

/// Makes one watch of several, one a namespace. A list that begins anew in one namespace must not throw the others out of the
/// cache, and the cache is complete when each namespace has been listed once.
struct Merge<K: Kind> {
    /// The first lists, until all are complete.
    first: Option<HashMap<String, Listing<K>>>,
    /// Later lists under way: the names that each has shown.
    again: HashMap<String, HashSet<String>>,
    cache: Store<K>,
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
    fn new(namespaces: &[String], cache: Store<K>) -> Self {
        let first = namespaces.iter().map(|namespace| (namespace.clone(), Listing::default())).collect();
        Self { first: Some(first), again: HashMap::new(), cache }
    }

    /// What an event of one namespace's watch is to the whole.
    fn take(&mut self, namespace: &str, event: Event<K>) -> Vec<Event<K>> {
        let Some(first) = &mut self.first else { return self.later(namespace, event) };
        let listing = first.entry(namespace.to_owned()).or_default();
        match event {
            Event::Init => *listing = Listing::default(),
            Event::InitApply(object) | Event::Apply(object) => drop(listing.objects.insert(object.name_any(), object)),
            Event::Delete(object) => drop(listing.objects.remove(&object.name_any())),
            Event::InitDone => listing.complete = true,
        }
        if !first.values().all(|listing| listing.complete) {
            return Vec::new();
        }
        let objects =
            self.first.take().into_iter().flat_map(HashMap::into_values).flat_map(|l| l.objects.into_values());
        std::iter::once(Event::Init).chain(objects.map(Event::InitApply)).chain([Event::InitDone]).collect()
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
                let cached = self.cache.state_filter(|object| object.namespace().as_deref() == Some(namespace));
                let gone = cached.into_iter().filter(|object| !shown.contains(&object.name_any()));
                gone.map(|object| Event::Delete((*object).clone())).collect()
            }
            Event::Apply(_) | Event::Delete(_) => vec![event],
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::{
        api::ObjectMeta,
        runtime::reflector::{self, ObjectRef},
    };

    use super::*;

    fn object(namespace: &str, name: &str) -> ConfigMap {
        let metadata =
            ObjectMeta { namespace: Some(namespace.into()), name: Some(name.into()), ..ObjectMeta::default() };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    struct Cache {
        merge: Merge<ConfigMap>,
        writer: Writer<ConfigMap>,
    }

    impl Cache {
        fn new() -> Self {
            let (reader, writer) = reflector::store();
            Self { merge: Merge::new(&["a".into(), "b".into()], reader), writer }
        }

        fn take(&mut self, namespace: &str, events: impl IntoIterator<Item = Event<ConfigMap>>) {
            for event in events {
                for event in self.merge.take(namespace, event) {
                    self.writer.apply_watcher_event(&event);
                }
            }
        }

        fn names(&self) -> Vec<String> {
            let all = self.writer.as_reader().state();
            let mut names: Vec<_> = all
                .iter()
                .map(|o| ObjectRef::from_obj(&**o))
                .map(|o| format!("{}/{}", o.namespace.unwrap(), o.name))
                .collect();
            names.sort();
            names
        }
    }

    #[test]
    fn the_cache_is_complete_when_each_namespace_has_been_listed() {
        let mut cache = Cache::new();
        cache.take("a", [Event::Init, Event::InitApply(object("a", "1")), Event::InitDone]);
        cache.take("a", [Event::Apply(object("a", "2")), Event::Delete(object("a", "1"))]);
        assert!(cache.names().is_empty());
        cache.take(
            "b",
            [Event::Init, Event::InitApply(object("b", "lost")), Event::Init, Event::InitApply(object("b", "1"))],
        );
        assert!(cache.names().is_empty());
        cache.take("b", [Event::InitDone]);
        assert_eq!(cache.names(), ["a/2", "b/1"]);
    }

    #[test]
    fn a_list_that_begins_anew_drops_what_is_gone_in_its_own_namespace_only() {
        let mut cache = Cache::new();
        cache.take(
            "a",
            [Event::Init, Event::InitApply(object("a", "1")), Event::InitApply(object("a", "2")), Event::InitDone],
        );
        cache.take("b", [Event::Init, Event::InitApply(object("b", "1")), Event::InitDone]);
        cache.take("a", [Event::Init, Event::InitApply(object("a", "2")), Event::InitApply(object("a", "3"))]);
        assert_eq!(cache.names(), ["a/1", "a/2", "a/3", "b/1"]);
        cache.take("a", [Event::InitDone]);
        assert_eq!(cache.names(), ["a/2", "a/3", "b/1"]);
    }
}
