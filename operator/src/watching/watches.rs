//! The watches: of all namespaces, or of those that the operator is told to.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, stream};
use kube::{
    Api, Client, ResourceExt,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        reflector::store::Writer,
        watcher::{self, Event},
    },
};
use tokio::sync::Notify;

use super::{
    cache::{Cache, version},
    change::{Changes, changes},
    coverage::{Coverage, Scope},
    merge::{Except, Merge},
    optional::{self, Optional},
    prune::{prune, prune_foreign},
    resync::{Check, Versions},
    watch::{Events, ScopedEvents, failed, watch},
};
use crate::{
    apis::{CachedKind, Kind, OptionalKind},
    names,
};

/// Where to watch.
#[derive(Clone)]
pub(crate) struct Watches {
    client: Client,
    scopes: Arc<[Scope]>,
    checks: Arc<Mutex<Vec<Check>>>,
}

impl Watches {
    /// Watches of these namespaces; none means all.
    pub(crate) fn new(client: Client, namespaces: &[String]) -> Self {
        let scopes = match namespaces {
            [] => Arc::from([Scope::All]),
            some => some.iter().map(|name| Scope::Namespace(name.as_str().into())).collect(),
        };
        Self { client, scopes, checks: Arc::default() }
    }

    /// How what all of these watches have shown is checked.
    pub(crate) fn take_checks(&self) -> Vec<Check> {
        std::mem::take(&mut self.checks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The objects of a kind that a label selector selects; an empty one selects all. For types
    /// that are small as they are.
    pub(crate) fn selected<K: Kind>(
        &self,
        selector: &str,
        writer: Writer<K>,
        coverage: &Arc<Coverage>,
    ) -> Events<K> {
        coverage.begin(&*self.scopes);
        let (store, reader) = (writer.as_reader(), writer.as_reader());
        let config = watcher::Config::default().labels(selector);
        let events = self.events(&config, prune, move |scope: &Scope| {
            let seen = reader.state_filter(|object: &K| {
                scope.covers(object.namespace().as_deref().unwrap_or_default())
            });
            seen.iter()
                .map(|object| {
                    let key = (object.namespace().unwrap_or_default(), object.name_any());
                    (key, version(&**object))
                })
                .collect()
        });
        let except: Except<K> = Box::new(move |namespace, names| {
            let is_other = |object: &K| {
                object.namespace().as_deref() == Some(namespace)
                    && !names.contains(&object.name_any())
            };
            store.state_filter(is_other).iter().map(|object| (**object).clone()).collect()
        });
        let begin = if *self.scopes == [Scope::All] { vec![] } else { Merge::begin().into() };
        let (mut merge, coverage) = (Merge::new(except), Arc::clone(coverage));
        let merged = events.flat_map(move |(scope, event)| {
            stream::iter(match event {
                Ok(event) => {
                    let is_listed = matches!(event, Event::InitDone);
                    let events = merge.take(&scope, event);
                    if is_listed {
                        coverage.listed(&scope);
                    }
                    events.into_iter().map(Ok).collect()
                }
                Err(error) if failed::<K>(&coverage, &scope, &error) => {
                    merge.refused(&scope).into_iter().map(Ok).collect()
                }
                Err(_) => Vec::new(),
            })
        });
        stream::iter(begin.into_iter().map(Ok)).chain(merged).reflect(writer).boxed()
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
        let config = watcher::Config::default().labels(&names::managed());
        let kept = Arc::clone(kind);
        let restarts = self.checked::<K>(&config, move |scope| kept.objects.versions(scope));
        let (watches, begun) = (self.clone(), Arc::clone(kind));
        optional::follow(self.client.clone(), Arc::clone(kind), move || {
            begun.objects.coverage().begin(&*watches.scopes);
            watches.begin(&config, prune, &restarts)
        })
    }

    fn watch<K: CachedKind>(
        &self,
        config: &watcher::Config,
        cache: &Arc<Cache<K>>,
        prune: fn(&mut K),
    ) -> Changes {
        cache.coverage().begin(&*self.scopes);
        let (cache, kept) = (Arc::clone(cache), Arc::clone(cache));
        let events = self.events(config, prune, move |scope: &Scope| kept.versions(scope));
        changes::<K>(events.map(move |(scope, event)| match event {
            Ok(event) => cache.follow(&scope, &event),
            Err(error) => {
                failed::<K>(cache.coverage(), &scope, &error);
                Vec::new()
            }
        }))
    }

    /// The events of a kind in all that is watched, checked now and then.
    fn events<K: Kind>(
        &self,
        config: &watcher::Config,
        prune: fn(&mut K),
        versions: impl Fn(&Scope) -> Versions + Send + Sync + 'static,
    ) -> ScopedEvents<K> {
        let restarts = self.checked::<K>(config, versions);
        self.begin(config, prune, &restarts)
    }

    /// Sees to it that each watch of a kind is checked; gives what makes each begin anew.
    fn checked<K: Kind>(
        &self,
        config: &watcher::Config,
        versions: impl Fn(&Scope) -> Versions + Send + Sync + 'static,
    ) -> Arc<[Arc<Notify>]> {
        let versions: Arc<dyn Fn(&Scope) -> Versions + Send + Sync> = Arc::new(versions);
        let checks = self.scopes.iter().map(|scope| {
            let selector = config.label_selector.as_deref().unwrap_or_default();
            Check::new(self.api::<K>(scope), selector, scope.clone(), Arc::clone(&versions))
        });
        let checks: Vec<_> = checks.collect();
        let restarts = checks.iter().map(Check::restart).collect();
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).extend(checks);
        restarts
    }

    fn begin<K: Kind>(
        &self,
        config: &watcher::Config,
        prune: fn(&mut K),
        restarts: &[Arc<Notify>],
    ) -> ScopedEvents<K> {
        let watches = self.scopes.iter().zip(restarts).map(|(scope, restart)| {
            let events = watch(self.api(scope), config.clone(), prune, Arc::clone(restart));
            let scope = scope.clone();
            events.map(move |event| (scope.clone(), event)).boxed()
        });
        stream::select_all(watches).boxed()
    }

    fn api<K: Kind>(&self, scope: &Scope) -> Api<K> {
        match scope.namespace() {
            None => Api::all(self.client.clone()),
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
        }
    }
}

#[cfg(test)]
mod tests;
