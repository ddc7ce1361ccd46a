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

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

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
    change::{Changes, Events, changes},
    servers::WatchedServer,
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

/// What changes among the objects, for as long as the CRD is there; when it goes, all of them are gone.
pub(crate) fn follow<K: OptionalKind>(
    client: Client,
    kind: Arc<Optional<K>>,
    objects: impl Fn() -> Events<K> + Send + 'static,
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

/// The API is there when its objects could be listed: a CRD alone may not be served yet, or not in the version that is wanted.
fn follow_turns<K: OptionalKind>(
    turns: BoxStream<'static, bool>,
    kind: Arc<Optional<K>>,
    objects: impl Fn() -> Events<K> + Send + 'static,
) -> impl Stream<Item = watcher::Result<Vec<Touched>>> + Send {
    let defined = Arc::new(AtomicBool::new(false));
    let shown = Arc::clone(&defined);
    let state = (turns, None::<Events<K>>);
    let batches = stream::unfold((state, objects), move |((mut turns, mut running), objects)| {
        let defined = Arc::clone(&defined);
        async move {
            let next = async {
                match &mut running {
                    Some(running) => running.next().await,
                    None => std::future::pending().await,
                }
            };
            let events = tokio::select! {
                biased;
                turn = turns.next() => {
                    let turn = turn?;
                    defined.store(turn, Ordering::Relaxed);
                    running = turn.then(&objects);
                    if turn { vec![] } else { vec![Ok(Event::Init), Ok(Event::InitDone)] }
                }
                event = next => if let Some(event) = event {
                    vec![event]
                } else {
                    running = None;
                    vec![]
                },
            };
            Some((events, ((turns, running), objects)))
        }
    });
    batches.flat_map(stream::iter).map(move |event| {
        let now = match &event {
            Ok(Event::InitDone) => Some(shown.load(Ordering::Relaxed)),
            // What cannot be read is not there, as long as nothing else is known.
            Err(_) if !kind.is_known() => Some(false),
            _ => None,
        };
        let touched = event.map(|event| kind.objects.follow(&event));
        kind.served
            .send_if_modified(|served| now.is_some_and(|now| served.replace(now) != Some(now)));
        touched
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

    #[tokio::test]
    async fn objects_are_watched_only_while_the_api_is_there_and_are_gone_with_it() {
        let (turns, receiver) = mpsc::unbounded();
        let kind = Arc::new(Optional::default());
        let objects = || -> Events<HTTPRoute> {
            let route = HTTPRoute::new("mcp", HttpRouteSpec::default());
            stream::iter([Ok(Event::Init), Ok(Event::InitApply(route)), Ok(Event::InitDone)])
                .chain(stream::pending())
                .boxed()
        };
        let mut events = follow_turns(receiver.boxed(), Arc::clone(&kind), objects).boxed();
        let mut next = async |count| events.by_ref().take(count).collect::<Vec<_>>().await.len();
        turns.unbounded_send(false).unwrap();
        let known = || (kind.objects.get("", "mcp").is_some(), *kind.served.borrow());
        assert_eq!((next(2).await, known()), (2, (false, Some(false))));
        turns.unbounded_send(true).unwrap();
        assert_eq!((next(3).await, known()), (3, (true, Some(true))));
        turns.unbounded_send(false).unwrap();
        assert_eq!((next(2).await, known()), (2, (false, Some(false))));
    }

    #[tokio::test]
    async fn an_api_that_is_defined_and_cannot_be_listed_is_not_there() {
        let (turns, receiver) = mpsc::unbounded();
        let kind = Arc::new(Optional::default());
        let objects = || -> Events<HTTPRoute> {
            stream::iter([Err(Error::NoResourceVersion)]).chain(stream::pending()).boxed()
        };
        let mut events = follow_turns(receiver.boxed(), Arc::clone(&kind), objects).boxed();
        turns.unbounded_send(true).unwrap();
        assert!(events.next().await.unwrap().is_err());
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
