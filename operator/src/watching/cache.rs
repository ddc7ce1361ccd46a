//! The objects of one kind as they were last seen.

use std::{
    collections::{HashMap, HashSet},
    marker::PhantomData,
    mem,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use kube::{Resource, ResourceExt, runtime::watcher::Event};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync;

use super::{
    compression::{Codec, Compressed},
    prune::prune,
};

/// The objects of one kind, compressed; a reader gets one by its name.
///
/// What this operator writes is in it at once ([`Cache::wrote`]), so that the next reconcile does not write it again, and is no news when
/// the watch shows it.
pub(crate) struct Cache<K> {
    objects: RwLock<Objects>,
    codec: Codec,
    /// Whether the kind has been listed once.
    listed: sync::watch::Sender<bool>,
    kind: PhantomData<fn() -> K>,
}

/// Namespace and name of an object that is not as it was.
pub(crate) type Touched = (String, String);

#[derive(Default)]
struct Objects {
    now: Table,
    /// What a list that is under way has shown so far; it takes the place of `now` when it is complete.
    listing: Table,
}

/// By namespace.
type Table = HashMap<Box<str>, Namespace>;

#[derive(Default)]
struct Namespace {
    /// The latest version that the watch has shown of any of its objects.
    shown: Version,
    /// By name.
    objects: HashMap<Box<str>, Entry>,
}

struct Entry {
    version: Version,
    object: Compressed,
}

/// Who tells of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// The watch, which shows everything in the order of its versions.
    Watch,
    /// The answer to one of this operator's own writes, of which several are under way.
    Us,
}

/// A `resourceVersion`, which grows with each write to the kind (KEP-5504); 0 where it is no number, and nothing follows from it.
type Version = u64;

impl<K> Default for Cache<K> {
    fn default() -> Self {
        Self {
            objects: RwLock::default(),
            codec: Codec::new(),
            listed: sync::watch::Sender::new(false),
            kind: PhantomData,
        }
    }
}

impl<K: Resource<DynamicType = ()> + Serialize + DeserializeOwned> Cache<K> {
    /// Takes an event of the watch in, and tells what is not as it was.
    pub(crate) fn follow(&self, event: &Event<K>) -> Vec<Touched> {
        match event {
            Event::Init => {
                self.write().listing = Table::default();
                Vec::new()
            }
            Event::InitApply(object) => {
                self.put(object, By::Watch, |objects| &mut objects.listing);
                Vec::new()
            }
            Event::InitDone => {
                let mut objects = self.write();
                let before = mem::take(&mut objects.now);
                objects.now = mem::take(&mut objects.listing);
                self.listed.send_replace(true);
                differences(&before, &objects.now)
            }
            Event::Apply(object) => self
                .put(object, By::Watch, |objects| &mut objects.now)
                .then(|| key(object))
                .into_iter()
                .collect(),
            Event::Delete(object) => self.remove(object).then(|| key(object)).into_iter().collect(),
        }
    }

    /// Takes in what this operator wrote, as the API server answered it, unless the watch has shown it already: then what it has
    /// shown since is newer.
    pub(crate) fn wrote(&self, object: &mut K) {
        prune(object);
        let (namespace, version) = (object.namespace().unwrap_or_default(), version(object));
        let shown = self.read().now.get(namespace.as_str()).map_or(0, |namespace| namespace.shown);
        if version > shown {
            self.put(object, By::Us, |objects| &mut objects.now);
        }
    }

    /// The object of this name.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<K> {
        let objects = self.read();
        match self.codec.decode(&objects.now.get(namespace)?.objects.get(name)?.object) {
            Ok(object) => Some(object),
            Err(error) => {
                tracing::error!(kind = %K::kind(&()), namespace, name, %error, "lost an object that was seen");
                None
            }
        }
    }

    /// A namespace's objects, except those of these names.
    pub(crate) fn except(&self, namespace: &str, names: &HashSet<String>) -> Vec<K> {
        let kept: Vec<_> = self
            .read()
            .now
            .get(namespace)
            .into_iter()
            .flat_map(|kept| kept.objects.keys())
            .cloned()
            .collect();
        kept.iter()
            .filter(|name| !names.contains(&***name))
            .filter_map(|name| self.get(namespace, name))
            .collect()
    }

    /// Waits until the kind has been listed once: before that, what is not there cannot be told from what is not yet read.
    pub(crate) async fn listed(&self) {
        // The sender is this cache's own, so that the channel is not closed.
        let _ = self.listed.subscribe().wait_for(|listed| *listed).await;
    }

    /// Whether the kind has been listed once.
    pub(crate) fn is_listed(&self) -> bool {
        *self.listed.borrow()
    }

    /// Whether that is news.
    fn put(&self, object: &K, by: By, table: fn(&mut Objects) -> &mut Table) -> bool {
        let (key, version) = (key(object), version(object));
        let object = match self.codec.encode(object) {
            Ok(object) => object,
            Err(error) => {
                tracing::error!(kind = %K::kind(&()), namespace = key.0, name = key.1, %error, "cannot keep an object");
                return false;
            }
        };
        let mut objects = self.write();
        let namespace = table(&mut objects).entry(key.0.into()).or_default();
        if by == By::Watch {
            namespace.shown = namespace.shown.max(version);
        }
        match namespace.objects.get_mut(key.1.as_str()) {
            Some(kept) if is_old(version, kept) => false,
            Some(kept) => {
                *kept = Entry { version, object };
                true
            }
            None => {
                namespace.objects.insert(key.1.into(), Entry { version, object });
                true
            }
        }
    }

    /// Whether that is news.
    fn remove(&self, object: &K) -> bool {
        let (key, version) = (key(object), version(object));
        let mut objects = self.write();
        let Some(namespace) = objects.now.get_mut(key.0.as_str()) else { return false };
        namespace.shown = namespace.shown.max(version);
        let is_gone =
            namespace.objects.get(key.1.as_str()).is_some_and(|kept| !is_old(version, kept));
        if is_gone {
            namespace.objects.remove(key.1.as_str());
        }
        if namespace.objects.is_empty() {
            objects.now.remove(key.0.as_str());
        }
        is_gone
    }

    /// A panic elsewhere leaves tables that are whole: each change is one insertion or removal.
    fn read(&self) -> RwLockReadGuard<'_, Objects> {
        self.objects.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Objects> {
        self.objects.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key<K: ResourceExt>(object: &K) -> Touched {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn version<K: ResourceExt>(object: &K) -> Version {
    object.resource_version().and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// Whether what is kept is this very version or a later one.
fn is_old(version: Version, kept: &Entry) -> bool {
    version != 0 && version <= kept.version
}

/// What is in one and not in the other, or in another version.
fn differences(before: &Table, now: &Table) -> Vec<Touched> {
    let missing = |these: &Table, those: &Table, also_changed: bool| {
        let mut missing = Vec::new();
        for (namespace, kept) in these {
            let others = those.get(namespace).map(|namespace| &namespace.objects);
            for (name, object) in &kept.objects {
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

    fn touched(names: &[&str]) -> Vec<Touched> {
        names.iter().map(|name| ("a".to_owned(), (*name).to_owned())).collect()
    }

    #[test]
    fn an_object_is_as_it_was_last_seen_until_it_is_gone() {
        let cache = Cache::default();
        assert_eq!(cache.follow(&Event::Apply(object("a", "x", 1))), touched(&["x"]));
        cache.follow(&Event::Apply(object("b", "x", 2)));
        assert_eq!(cache.follow(&Event::Apply(object("a", "x", 3))), touched(&["x"]));
        assert_eq!(cache.get("a", "x"), Some(object("a", "x", 3)));
        assert_eq!(cache.get("b", "x"), Some(object("b", "x", 2)));
        assert_eq!((cache.get("a", "y"), cache.get("c", "x")), (None, None));
        assert_eq!(cache.follow(&Event::Delete(object("a", "x", 4))), touched(&["x"]));
        assert_eq!((cache.get("a", "x"), cache.get("b", "x")), (None, Some(object("b", "x", 2))));
        assert!(cache.follow(&Event::Delete(object("a", "x", 4))).is_empty());
    }

    #[test]
    fn what_was_written_is_there_at_once_and_no_news_when_the_watch_shows_it() {
        let cache = Cache::default();
        cache.follow(&Event::Apply(object("a", "x", 1)));
        cache.wrote(&mut object("a", "x", 2));
        cache.wrote(&mut object("a", "y", 3));
        assert_eq!(
            (cache.get("a", "x"), cache.get("a", "y")),
            (Some(object("a", "x", 2)), Some(object("a", "y", 3)))
        );
        assert!(cache.follow(&Event::Apply(object("a", "x", 2))).is_empty());
        assert!(cache.follow(&Event::Apply(object("a", "y", 3))).is_empty());
        assert_eq!(cache.follow(&Event::Apply(object("a", "y", 4))), touched(&["y"]));
    }

    #[test]
    fn answers_to_several_writes_may_come_in_any_order() {
        let cache = Cache::default();
        cache.wrote(&mut object("a", "y", 2));
        cache.wrote(&mut object("a", "x", 1));
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
            cache.follow(&event);
        }
        cache.wrote(&mut object("a", "y", 2));
        assert_eq!(cache.get("a", "y"), None);
    }

    #[test]
    fn what_the_watch_shows_late_does_not_undo_what_was_written() {
        let cache = Cache::default();
        cache.follow(&Event::Apply(object("a", "x", 1)));
        cache.wrote(&mut object("a", "x", 4));
        assert!(cache.follow(&Event::Apply(object("a", "x", 2))).is_empty());
        assert!(cache.follow(&Event::Delete(object("a", "x", 3))).is_empty());
        assert_eq!(cache.get("a", "x"), Some(object("a", "x", 4)));
    }

    #[test]
    fn an_object_without_a_number_as_its_version_is_always_news() {
        let cache = Cache::default();
        let mut other = object("a", "x", 1);
        other.metadata.resource_version = Some("opaque".into());
        for _ in 0..2 {
            assert_eq!(cache.follow(&Event::Apply(other.clone())), touched(&["x"]));
        }
        cache.wrote(&mut other);
        assert_eq!(cache.follow(&Event::Delete(other)), touched(&["x"]));
    }

    #[test]
    fn what_a_list_did_not_show_can_be_told() {
        let cache = Cache::default();
        for (namespace, name) in [("a", "x"), ("a", "y"), ("b", "z")] {
            cache.follow(&Event::Apply(object(namespace, name, 1)));
        }
        assert_eq!(cache.except("a", &["y".to_owned()].into()), [object("a", "x", 1)]);
    }

    #[tokio::test]
    async fn a_new_list_takes_the_place_of_what_was_known_once_it_is_complete() {
        let cache = Cache::default();
        assert!(!cache.is_listed());
        cache.follow(&Event::Init);
        cache.follow(&Event::InitApply(object("a", "lost", 1)));
        cache.follow(&Event::Init);
        assert!(cache.follow(&Event::InitApply(object("a", "x", 1))).is_empty());
        assert_eq!(cache.get("a", "x"), None);
        assert_eq!(cache.follow(&Event::InitDone), touched(&["x"]));
        cache.listed().await;
        assert_eq!(
            (cache.get("a", "x"), cache.get("a", "lost")),
            (Some(object("a", "x", 1)), None)
        );
    }

    #[test]
    fn a_new_list_is_news_of_what_came_changed_or_went_while_nothing_was_watched() {
        let cache = Cache::default();
        for (name, version) in [("same", 1), ("changed", 2), ("gone", 3)] {
            cache.follow(&Event::Apply(object("a", name, version)));
        }
        cache.follow(&Event::Init);
        for (name, version) in [("same", 1), ("changed", 4), ("new", 5)] {
            cache.follow(&Event::InitApply(object("a", name, version)));
        }
        let mut news = cache.follow(&Event::InitDone);
        news.sort();
        assert_eq!(news, touched(&["changed", "gone", "new"]));
    }
}
