//! The objects of one kind as they were last seen.

#[cfg(test)]
mod model;

use std::{
    collections::{BTreeMap, HashMap},
    marker::PhantomData,
    mem,
    ops::Bound,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use kube::{Resource, ResourceExt, runtime::watcher::Event};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    compression::{Codec, Compressed},
    coverage::{Coverage, Scope},
    prune::prune,
};

/// The objects of one kind, compressed; a reader gets one by its name.
///
/// What this operator writes is in it at once ([`Cache::wrote`]), so that the next reconcile does
/// not write it again, and is no news when the watch shows it.
pub(crate) struct Cache<K> {
    objects: RwLock<Objects>,
    codec: Codec,
    coverage: Coverage,
    kind: PhantomData<fn() -> K>,
}

/// Namespace and name of an object that is not as it was.
pub(crate) type Touched = (String, String);

/// What was known when a write was sent. Its answer says nothing that is newer than a list that
/// was completed since.
pub(crate) struct Written {
    lists: u64,
}

#[derive(Default)]
struct Objects {
    now: Table,
    watches: HashMap<Scope, Watch>,
    /// How many lists have been completed, of any watch.
    lists: u64,
}

/// One watch of the kind.
#[derive(Default)]
struct Watch {
    /// The latest version that it has shown. It shows everything in the order of the versions.
    shown: Version,
    /// What a list that is under way has shown so far. It replaces what is known when it is
    /// complete.
    listing: Table,
}

/// By namespace and name.
type Table = HashMap<Box<str>, BTreeMap<Box<str>, Entry>>;

struct Entry {
    version: Version,
    object: Compressed,
}

/// A `resourceVersion`, which grows with each write to the kind (KEP-5504); 0 if it is no number,
/// and nothing follows from it.
pub(crate) type Version = u64;

impl<K> Default for Cache<K> {
    fn default() -> Self {
        Self {
            objects: RwLock::default(),
            codec: Codec::new(),
            coverage: Coverage::default(),
            kind: PhantomData,
        }
    }
}

impl<K: Resource<DynamicType = ()> + Serialize + DeserializeOwned> Cache<K> {
    /// Takes in an event of the watch that looks in `scope`, and tells what is not as it was.
    pub(crate) fn follow(&self, scope: &Scope, event: &Event<K>) -> Vec<Touched> {
        match event {
            Event::Init => {
                self.coverage.begin([scope]);
                self.write().watch(scope).listing = Table::default();
                Vec::new()
            }
            Event::InitApply(object) => {
                let Some(entry) = self.entry(object) else { return Vec::new() };
                let (namespace, name) = key(object);
                let mut objects = self.write();
                let listing = &mut objects.watch(scope).listing;
                listing.entry(namespace.into()).or_default().insert(name.into(), entry);
                Vec::new()
            }
            Event::InitDone => {
                let touched = self.write().replace(scope);
                self.coverage.listed(scope);
                touched
            }
            Event::Apply(object) => {
                let Some(entry) = self.entry(object) else { return Vec::new() };
                let mut objects = self.write();
                objects.show(scope, entry.version);
                let is_news = objects.put(&key(object), entry);
                is_news.then(|| key(object)).into_iter().collect()
            }
            Event::Delete(object) => {
                let version = version(object);
                let mut objects = self.write();
                objects.show(scope, version);
                objects.remove(&key(object), version).then(|| key(object)).into_iter().collect()
            }
        }
    }

    /// To be called before a write is sent. Its answer goes to [`Self::wrote`] with what this
    /// gives.
    pub(crate) fn before_write(&self) -> Written {
        Written { lists: self.read().lists }
    }

    /// Takes in what this operator wrote, as the API server answered it, unless a watch may have
    /// shown it already: then what it has shown since is newer.
    pub(crate) fn wrote(&self, before: &Written, object: &mut K) {
        prune(object);
        let (key, Some(entry)) = (key(object), self.entry(object)) else { return };
        let mut objects = self.write();
        if objects.lists == before.lists && entry.version > objects.shown(&key.0) {
            objects.put(&key, entry);
        }
    }

    /// The API is gone, and with it all objects.
    pub(crate) fn clear(&self) -> Vec<Touched> {
        let mut objects = self.write();
        objects.lists = objects.lists.wrapping_add(1);
        objects.watches.clear();
        let gone = mem::take(&mut objects.now);
        self.coverage.clear();
        differences(&gone, &objects.now)
    }

    /// The object of this name.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<K> {
        let objects = self.read();
        match self.codec.decode(&objects.now.get(namespace)?.get(name)?.object) {
            Ok(object) => Some(object),
            Err(error) => {
                let kind = K::kind(&());
                tracing::error!(%kind, namespace, name, %error, "lost an object that was seen");
                None
            }
        }
    }

    /// The objects whose names begin so.
    pub(crate) fn with_prefix(&self, namespace: &str, prefix: &str) -> Vec<K> {
        let names: Vec<_> = self.read().now.get(namespace).map_or_else(Vec::new, |objects| {
            let from = (Bound::Included(prefix), Bound::Unbounded);
            let names = objects.range::<str, _>(from).map(|(name, _)| name.to_string());
            names.take_while(|name| name.starts_with(prefix)).collect()
        });
        names.iter().filter_map(|name| self.get(namespace, name)).collect()
    }

    /// The version of each object in `scope`.
    pub(crate) fn versions(&self, scope: &Scope) -> HashMap<Touched, Version> {
        let objects = self.read();
        let seen = objects.now.iter().filter(|(namespace, _)| scope.covers(namespace));
        seen.flat_map(|(namespace, objects)| {
            objects
                .iter()
                .map(|(name, entry)| ((namespace.to_string(), name.to_string()), entry.version))
        })
        .collect()
    }

    /// How far the watches have got.
    pub(crate) fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    fn entry(&self, object: &K) -> Option<Entry> {
        match self.codec.encode(object) {
            Ok(compressed) => Some(Entry { version: version(object), object: compressed }),
            Err(error) => {
                let (namespace, name) = key(object);
                let kind = K::kind(&());
                tracing::error!(%kind, namespace, name, %error, "cannot keep an object");
                None
            }
        }
    }

    /// A panic elsewhere leaves tables that are whole: each change is one insertion or removal.
    fn read(&self) -> RwLockReadGuard<'_, Objects> {
        self.objects.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Objects> {
        self.objects.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Objects {
    fn watch(&mut self, scope: &Scope) -> &mut Watch {
        self.watches.entry(scope.clone()).or_default()
    }

    fn show(&mut self, scope: &Scope, version: Version) {
        let watch = self.watch(scope);
        watch.shown = watch.shown.max(version);
    }

    /// The latest version that the watch of this namespace has shown.
    fn shown(&self, namespace: &str) -> Version {
        let watch = self
            .watches
            .get(&Scope::All)
            .or_else(|| self.watches.get(&Scope::Namespace(namespace.into())));
        watch.map_or(0, |watch| watch.shown)
    }

    /// A list is complete: it is all that there is in its scope. Versions start anew with it, since
    /// those of an API server that was restored from a backup are lower.
    fn replace(&mut self, scope: &Scope) -> Vec<Touched> {
        self.lists = self.lists.wrapping_add(1);
        let watch = self.watch(scope);
        let listed = mem::take(&mut watch.listing);
        let versions = listed.values().flat_map(BTreeMap::values).map(|entry| entry.version);
        watch.shown = versions.max().unwrap_or_default();
        let before: Table = match scope {
            Scope::All => mem::take(&mut self.now),
            Scope::Namespace(own) => self.now.remove_entry(own).into_iter().collect(),
        };
        let touched = differences(&before, &listed);
        self.now.extend(listed);
        touched
    }

    /// Whether that is news.
    fn put(&mut self, (namespace, name): &Touched, entry: Entry) -> bool {
        let objects = self.now.entry(namespace.as_str().into()).or_default();
        let is_old = |kept: &Entry| entry.version != 0 && entry.version <= kept.version;
        if objects.get(name.as_str()).is_some_and(is_old) {
            return false;
        }
        objects.insert(name.as_str().into(), entry);
        true
    }

    /// Whether that is news. One that was made again since is kept.
    fn remove(&mut self, (namespace, name): &Touched, version: Version) -> bool {
        let Some(objects) = self.now.get_mut(namespace.as_str()) else { return false };
        let is_old = |kept: &Entry| version != 0 && version < kept.version;
        if objects.get(name.as_str()).is_none_or(is_old) {
            return false;
        }
        objects.remove(name.as_str());
        if objects.is_empty() {
            self.now.remove(namespace.as_str());
        }
        true
    }
}

fn key<K: ResourceExt>(object: &K) -> Touched {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// An object's version.
pub(super) fn version<K: ResourceExt>(object: &K) -> Version {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// What is in one and not in the other, or in another version.
fn differences(before: &Table, now: &Table) -> Vec<Touched> {
    let missing = |these: &Table, those: &Table, also_changed: bool| {
        let mut missing = Vec::new();
        for (namespace, objects) in these {
            let others = those.get(namespace);
            for (name, object) in objects {
                let other = others.and_then(|others| others.get(name));
                if other.is_none_or(|other| {
                    also_changed && (object.version == 0 || object.version != other.version)
                }) {
                    missing.push((namespace.to_string(), name.to_string()));
                }
            }
        }
        missing
    };
    let mut touched = missing(now, before, true);
    touched.extend(missing(before, now, false));
    touched
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::ObjectMeta;

    use super::*;

    fn object(namespace: &str, name: &str, version: u32) -> ConfigMap {
        let metadata = ObjectMeta {
            namespace: Some(namespace.into()),
            name: Some(name.into()),
            resource_version: Some(version.to_string()),
            ..ObjectMeta::default()
        };
        ConfigMap { metadata, ..ConfigMap::default() }
    }

    /// An answer that arrives before anything else happens.
    fn wrote(cache: &Cache<ConfigMap>, object: &mut ConfigMap) {
        cache.wrote(&cache.before_write(), object);
    }

    fn touched(names: &[&str]) -> Vec<Touched> {
        names.iter().map(|name| ("a".to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn an_object_is_as_it_was_last_seen_until_it_is_gone() {
        let cache = Cache::default();
        assert_eq!(cache.follow(&Scope::All, &Event::Apply(object("a", "x", 1))), touched(&["x"]));
        cache.follow(&Scope::All, &Event::Apply(object("b", "x", 2)));
        assert_eq!(cache.follow(&Scope::All, &Event::Apply(object("a", "x", 3))), touched(&["x"]));
        assert_eq!(cache.get("a", "x"), Some(object("a", "x", 3)));
        assert_eq!(cache.get("b", "x"), Some(object("b", "x", 2)));
        assert_eq!((cache.get("a", "y"), cache.get("c", "x")), (None, None));
        assert_eq!(cache.follow(&Scope::All, &Event::Delete(object("a", "x", 4))), touched(&["x"]));
        assert_eq!((cache.get("a", "x"), cache.get("b", "x")), (None, Some(object("b", "x", 2))));
        assert!(cache.follow(&Scope::All, &Event::Delete(object("a", "x", 4))).is_empty());
    }

    #[test]
    fn what_was_written_is_there_at_once_and_no_news_when_the_watch_shows_it() {
        let cache = Cache::default();
        cache.follow(&Scope::All, &Event::Apply(object("a", "x", 1)));
        wrote(&cache, &mut object("a", "x", 2));
        wrote(&cache, &mut object("a", "y", 3));
        assert_eq!(
            (cache.get("a", "x"), cache.get("a", "y")),
            (Some(object("a", "x", 2)), Some(object("a", "y", 3)))
        );
        assert!(cache.follow(&Scope::All, &Event::Apply(object("a", "x", 2))).is_empty());
        assert!(cache.follow(&Scope::All, &Event::Apply(object("a", "y", 3))).is_empty());
        assert_eq!(cache.follow(&Scope::All, &Event::Apply(object("a", "y", 4))), touched(&["y"]));
    }

    #[test]
    fn answers_to_several_writes_may_come_in_any_order() {
        let cache = Cache::default();
        wrote(&cache, &mut object("a", "y", 2));
        wrote(&cache, &mut object("a", "x", 1));
        assert_eq!(
            (cache.get("a", "x"), cache.get("a", "y")),
            (Some(object("a", "x", 1)), Some(object("a", "y", 2)))
        );
    }

    #[test]
    fn what_the_watch_has_shown_already_is_not_undone_by_an_answer_that_comes_late() {
        let cache = Cache::default();
        for event in [
            Event::Apply(object("a", "x", 1)),
            Event::Apply(object("a", "y", 2)),
            Event::Delete(object("a", "y", 3)),
        ] {
            cache.follow(&Scope::All, &event);
        }
        wrote(&cache, &mut object("a", "y", 2));
        assert_eq!(cache.get("a", "y"), None);
    }

    #[test]
    fn what_the_watch_shows_late_does_not_undo_what_was_written() {
        let cache = Cache::default();
        cache.follow(&Scope::All, &Event::Apply(object("a", "x", 1)));
        wrote(&cache, &mut object("a", "x", 4));
        assert!(cache.follow(&Scope::All, &Event::Apply(object("a", "x", 2))).is_empty());
        assert!(cache.follow(&Scope::All, &Event::Delete(object("a", "x", 3))).is_empty());
        assert_eq!(cache.get("a", "x"), Some(object("a", "x", 4)));
    }

    #[test]
    fn an_object_without_a_number_as_its_version_is_always_news() {
        let cache = Cache::default();
        let mut other = object("a", "x", 1);
        other.metadata.resource_version = Some("opaque".into());
        for _ in 0..2 {
            assert_eq!(cache.follow(&Scope::All, &Event::Apply(other.clone())), touched(&["x"]));
        }
        wrote(&cache, &mut other);
        assert_eq!(cache.follow(&Scope::All, &Event::Delete(other)), touched(&["x"]));
    }

    #[tokio::test]
    async fn a_new_list_takes_the_place_of_what_was_known_once_it_is_complete() {
        let cache = Cache::default();
        assert!(!cache.coverage().is_read());
        cache.follow(&Scope::All, &Event::Init);
        cache.follow(&Scope::All, &Event::InitApply(object("a", "lost", 1)));
        cache.follow(&Scope::All, &Event::Init);
        assert!(cache.follow(&Scope::All, &Event::InitApply(object("a", "x", 1))).is_empty());
        assert_eq!(cache.get("a", "x"), None);
        assert_eq!(cache.follow(&Scope::All, &Event::InitDone), touched(&["x"]));
        cache.coverage().read().await;
        assert_eq!(
            (cache.get("a", "x"), cache.get("a", "lost")),
            (Some(object("a", "x", 1)), None)
        );
    }

    #[test]
    fn a_new_list_is_news_of_what_came_changed_or_went_while_nothing_was_watched() {
        let cache = Cache::default();
        for (name, version) in [("same", 1), ("changed", 2), ("gone", 3)] {
            cache.follow(&Scope::All, &Event::Apply(object("a", name, version)));
        }
        cache.follow(&Scope::All, &Event::Init);
        for (name, version) in [("same", 1), ("changed", 4), ("new", 5)] {
            cache.follow(&Scope::All, &Event::InitApply(object("a", name, version)));
        }
        let mut news = cache.follow(&Scope::All, &Event::InitDone);
        news.sort();
        assert_eq!(news, touched(&["changed", "gone", "new"]));
    }
}
