//! Kinds whose API a cluster may lack, such as the Gateway API's `HTTPRoute`.
//!
//! Such an API comes as a CRD, which may be installed later and removed again. So the CRD is watched (by name, metadata alone),
//! and the kind's own watch runs only while its CRD is there. When a CRD comes or goes, the resources that want an object of the
//! kind are woken, and only these.
//!
//! To add a kind:
//! 1. Write its type with the fields that this operator sets, as [`crate::apis::HTTPRoute`] is written, and implement
//!    [`OptionalKind`] for it: the CRD's name, and which resources want one.
//! 2. Add an [`Optional`] of it to `Caches`, and let `controller::run` watch it: its changes (`Watches::optional`) wake as those of any kind do, and [`Optional::turns`] goes to `reconcile_on`.
//! 3. Add its `Ownership` to `Observed`, read by `dereference::optional`, and its object to `Children`, written by
//!    `apply::ensure_or_remove`. Where the API is missing, the `Ownership` is `NoApi`, nothing is written, and `validate` puts it
//!    among `ValidServer::missing_apis`, which the condition `Accepted` tells.
//! 4. Name the CRD in the chart's rules (`rbac.yaml`), where watching it is allowed by name.

use std::sync::Arc;

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt,
        reflector::{ObjectRef, Store},
        watcher::{self, Event, watcher},
    },
};
use tokio::sync::watch;

use super::{
    cache::{Cache, Touched},
    change::{Changes, changes},
    coverage::Scope,
    servers::WatchedServer,
    watch::{ScopedEvents, failed},
};
use crate::apis::OptionalKind;

/// Whether the cluster has the API; `None` before that is known.
type Served = Option<bool>;

/// The objects of a kind, if the cluster has it.
pub(crate) struct Optional<K: OptionalKind> {
    pub(crate) objects: Cache<K>,
    served: watch::Sender<Served>,
}

impl<K: OptionalKind> Default for Optional<K> {
    fn default() -> Self {
        Self { objects: Cache::default(), served: watch::Sender::new(None) }
    }
}

impl<K: OptionalKind> Optional<K> {
    /// Whether the cluster has the API.
    pub(crate) fn is_served(&self) -> bool {
        *self.served.borrow() == Some(true)
    }

    /// Waits until that is known, and with it the objects.
    pub(crate) async fn known(&self) {
        // The sender is this one's own, so that the channel is not closed.
        let _ = self.served.subscribe().wait_for(Option::is_some).await;
    }

    /// Whether that is known.
    pub(crate) fn is_known(&self) -> bool {
        self.served.borrow().is_some()
    }

    /// The cluster does not have the API, or no longer.
    fn gone(&self) -> Vec<Touched> {
        self.set_served(false);
        self.objects.clear()
    }

    fn follow(&self, scope: &Scope, event: watcher::Result<Event<K>>) -> Vec<Touched> {
        let coverage = self.objects.coverage();
        let touched = match event {
            Ok(event) => self.objects.follow(scope, &event),
            Err(error) => {
                if !failed::<K>(coverage, scope, &error) && !self.is_served() {
                    // What cannot be read is not there, as long as nothing else is known.
                    coverage.refused(scope);
                }
                Vec::new()
            }
        };
        if coverage.is_tried() {
            self.set_served(coverage.is_read());
        }
        touched
    }

    fn set_served(&self, now: bool) {
        self.served.send_if_modified(|served| served.replace(now) != Some(now));
    }

    /// The resources to wake whenever the API comes or goes: those that want an object of the kind.
    pub(crate) fn turns(
        &self,
        servers: Store<WatchedServer>,
    ) -> impl Stream<Item = ObjectRef<WatchedServer>> + Send + 'static {
        let turns = stream::unfold(self.served.subscribe(), |mut served| async move {
            served.changed().await.ok()?;
            Some(((), served))
        });
        turns.flat_map(move |()| {
            let wanting = servers
                .state_filter(|watched| watched.read().is_ok_and(|server| K::is_wanted(&server)));
            stream::iter(wanting.into_iter().map(|watched| ObjectRef::from_obj(&*watched)))
        })
    }
}

/// What changes among the objects, for as long as the CRD is there; when it goes, all of them are
/// gone.
pub(super) fn follow<K: OptionalKind>(
    client: Client,
    kind: Arc<Optional<K>>,
    objects: impl Fn() -> ScopedEvents<K> + Send + 'static,
) -> Changes {
    let definitions = Api::<PartialObjectMeta<CustomResourceDefinition>>::all(client);
    let config = watcher::Config::default().fields(&format!("metadata.name={}", K::CRD));
    changes::<K>(follow_turns(
        presence(watcher(definitions, config).default_backoff()),
        kind,
        objects,
    ))
}

/// Whether the one object of a watch is there, each time that this turns. What cannot be read is not there.
fn presence<T>(
    watch: impl Stream<Item = watcher::Result<Event<T>>> + Send + 'static,
) -> BoxStream<'static, bool>
where
    T: Send + 'static,
{
    watch
        .scan((None, false), |(last, listed), event| {
            let now = match event {
                Ok(Event::Init) => {
                    *listed = false;
                    None
                }
                Ok(Event::InitApply(_)) => {
                    *listed = true;
                    None
                }
                Ok(Event::InitDone) => Some(*listed),
                Ok(Event::Apply(_)) => Some(true),
                Ok(Event::Delete(_)) => Some(false),
                Err(error) => {
                    tracing::debug!(%error, "failed to watch a CRD");
                    last.is_none().then_some(false)
                }
            };
            let turn = now.filter(|_| now != *last);
            *last = now.or(*last);
            std::future::ready(Some(turn))
        })
        .filter_map(std::future::ready)
        .boxed()
}

/// The API is there when its objects could be listed: a CRD alone may not be served yet, or not in
/// the version that is wanted.
fn follow_turns<K: OptionalKind>(
    turns: BoxStream<'static, bool>,
    kind: Arc<Optional<K>>,
    objects: impl Fn() -> ScopedEvents<K> + Send + 'static,
) -> impl Stream<Item = Vec<Touched>> + Send {
    let state = (turns, None::<ScopedEvents<K>>);
    stream::unfold((state, objects), move |((mut turns, mut running), objects)| {
        let kind = Arc::clone(&kind);
        async move {
            let next = async {
                match &mut running {
                    Some(running) => running.next().await,
                    None => std::future::pending().await,
                }
            };
            let touched = tokio::select! {
                biased;
                turn = turns.next() => {
                    let turn = turn?;
                    running = turn.then(&objects);
                    if turn { Vec::new() } else { kind.gone() }
                }
                event = next => if let Some((scope, event)) = event {
                    kind.follow(&scope, event)
                } else {
                    running = None;
                    Vec::new()
                },
            };
            Some((touched, ((turns, running), objects)))
        }
    })
}

#[cfg(test)]
mod tests {
    use futures::channel::mpsc;
    use kube::runtime::watcher::Error;

    use super::*;
    use crate::apis::{HTTPRoute, http_route::HttpRouteSpec};

    #[tokio::test]
    async fn an_api_comes_and_goes_with_its_crd_and_what_cannot_be_read_is_not_there() {
        let said = async |events: Vec<watcher::Result<Event<u8>>>| {
            presence(stream::iter(events)).collect::<Vec<bool>>().await
        };
        let absent = || vec![Ok(Event::Init), Ok(Event::InitDone)];
        let there = || vec![Ok(Event::Init), Ok(Event::InitApply(0)), Ok(Event::InitDone)];
        assert_eq!(said(absent()).await, [false]);
        assert_eq!(said(there()).await, [true]);
        assert_eq!(
            said(
                [absent(), vec![Ok(Event::Apply(0)), Ok(Event::Apply(0)), Ok(Event::Delete(0))]]
                    .concat_all()
            )
            .await,
            [false, true, false]
        );
        // The watch begins anew, and in the meantime the CRD has gone.
        assert_eq!(said([there(), there(), absent()].concat_all()).await, [true, false]);
        let refused = || vec![Err(Error::NoResourceVersion)];
        assert_eq!(said([refused(), refused(), there()].concat_all()).await, [false, true]);
        assert_eq!(said([there(), refused(), there()].concat_all()).await, [true]);
    }

    fn seen(events: Vec<watcher::Result<Event<HTTPRoute>>>) -> ScopedEvents<HTTPRoute> {
        let events = events.into_iter().map(|event| (Scope::All, event));
        stream::iter(events.collect::<Vec<_>>()).chain(stream::pending()).boxed()
    }

    #[tokio::test]
    async fn objects_are_watched_only_while_the_api_is_there_and_are_gone_with_it() {
        let (turns, receiver) = mpsc::unbounded();
        let kind = Arc::new(Optional::default());
        let objects = || {
            let route = HTTPRoute::new("mcp", HttpRouteSpec::default());
            seen(vec![Ok(Event::Init), Ok(Event::InitApply(route)), Ok(Event::InitDone)])
        };
        let mut news = follow_turns(receiver.boxed(), Arc::clone(&kind), objects).boxed();
        turns.unbounded_send(false).unwrap();
        let known = || (kind.objects.get("", "mcp").is_some(), *kind.served.borrow());
        let mut next = async |count| news.by_ref().take(count).concat().await.len();
        assert_eq!((next(1).await, known()), (0, (false, Some(false))));
        turns.unbounded_send(true).unwrap();
        assert_eq!((next(4).await, known()), (1, (true, Some(true))));
        turns.unbounded_send(false).unwrap();
        assert_eq!((next(1).await, known()), (1, (false, Some(false))));
    }

    #[tokio::test]
    async fn an_api_that_is_defined_and_cannot_be_listed_is_not_there() {
        let (turns, receiver) = mpsc::unbounded();
        let kind = Arc::new(Optional::default());
        let objects = || seen(vec![Ok(Event::Init), Err(Error::NoResourceVersion)]);
        let mut news = follow_turns(receiver.boxed(), Arc::clone(&kind), objects).boxed();
        turns.unbounded_send(true).unwrap();
        assert_eq!(news.by_ref().take(3).concat().await, Vec::<Touched>::new());
        assert_eq!(*kind.served.borrow(), Some(false));
    }

    /// Lists of events one after the other; an event cannot be cloned, so `concat` cannot be used.
    trait ConcatAll<T> {
        fn concat_all(self) -> Vec<T>;
    }

    impl<T, const N: usize> ConcatAll<T> for [Vec<T>; N] {
        fn concat_all(self) -> Vec<T> {
            self.into_iter().flatten().collect()
        }
    }
}
