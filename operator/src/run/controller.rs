//! What wakes a reconcile: the watches, the probes and the upgrades, as one controller.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use kube::{
    ResourceExt,
    runtime::{
        PredicateConfig, WatchStreamExt,
        controller::{self, Controller},
        reflector::ObjectRef,
        watcher::{self, Event},
    },
};
use tokio_util::sync::CancellationToken;

use super::gather::gather;
use crate::{
    context::{Admissions, Context, Defaults},
    controller::{reconcile, retry},
    names,
    probe::probe_loop,
    watching::{
        Writers, pods::WatchedPod, resync::resync, servers::WatchedServer, watches::Watches,
    },
};

/// How much is done, and how often.
#[derive(Clone, Copy)]
pub(super) struct Tempo {
    /// How many reconciles run at the same time.
    pub(super) concurrency: u16,
    /// The mean time between two checks of a cache.
    pub(super) resync: Duration,
}

/// Watches and reconciles until `stop`; then reconciles under way finish.
pub(super) async fn run(
    context: Arc<Context>,
    admissions: Admissions,
    writers: Writers,
    tempo: Tempo,
    stop: CancellationToken,
) {
    let caches = &context.caches;
    let Defaults { namespaces, selector, .. } = &context.defaults;
    let watches = Watches::new(context.client.clone(), namespaces);
    let gone = Arc::clone(&context);
    let (tell, news) = futures::channel::mpsc::unbounded();
    let probes = probe_loop(
        &context.verifications,
        &context.client,
        &context.defaults.verification.probes,
        tell,
    );
    let servers = watches
        .selected(selector, writers.servers, &caches.servers_coverage)
        .inspect_ok({
            let caches = Arc::clone(caches);
            move |event| caches.references.follow(event)
        })
        .inspect_ok(move |event| match event {
            Event::Delete(server) => gone.forget(&ObjectRef::from_obj(server)),
            // Some may have gone while nothing was watched.
            Event::InitDone => gone.listed(),
            _ => {}
        })
        .touched_objects()
        .predicate_filter(
            |server: &WatchedServer| Some(server.version),
            PredicateConfig::default(),
        );
    let pods = watches
        .selected(&names::managed(), writers.pods, &caches.pods_coverage)
        .inspect_ok({
            let caches = Arc::clone(caches);
            move |event| caches.pods_by_server.follow(event)
        })
        .touched_objects()
        .predicate_filter(|pod: &WatchedPod| Some(hash(&pod.seen)), PredicateConfig::default());
    let changes = stream::select_all([
        watches.managed(&caches.deployments.own),
        watches.foreign(&caches.deployments.others),
        watches.managed(&caches.service_accounts.own),
        watches.foreign(&caches.service_accounts.others),
        watches.managed(&caches.config_maps.own),
        watches.foreign(&caches.config_maps.others),
        watches.managed(&caches.network_policies.own),
        watches.foreign(&caches.network_policies.others),
        watches.all(&caches.secrets),
        watches.all(&caches.services),
        watches.managed(&caches.ingresses),
        watches.managed(&caches.horizontal_pod_autoscalers),
        watches.managed(&caches.pod_disruption_budgets),
        watches.optional(&caches.http_routes),
        watches.optional(&caches.service_monitors),
    ]);
    let woken = changes.flat_map({
        let caches = Arc::clone(caches);
        move |change| stream::iter(caches.concerned(&change))
    });
    let wakes = gather(stream::select_all([
        seen(servers).map(|server| ObjectRef::from_obj(&server)).boxed(),
        seen(pods).filter_map(|pod| std::future::ready(owner(&pod))).boxed(),
        admissions.0.boxed(),
        woken.boxed(),
        caches.http_routes.turns(caches.servers.clone()).boxed(),
        caches.service_monitors.turns(caches.servers.clone()).boxed(),
        news.boxed(),
    ]));
    let [waking, gone] = [Arc::clone(&context), Arc::clone(&context)];
    let wakes = wakes.inspect(move |server| waking.queue.woken(server));
    // All that wakes is gathered, so that it comes by the side door.
    let reconciles = Controller::for_stream(stream::pending(), caches.servers.clone())
        .reconcile_on(wakes)
        .with_config(controller::Config::default().concurrency(tempo.concurrency))
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(reconcile, retry, Arc::clone(&context))
        .for_each(|ended| {
            match ended {
                Err(controller::Error::QueueError(error)) => {
                    tracing::warn!(%error, "failed to watch");
                }
                Err(controller::Error::ObjectNotFound(server)) => {
                    let namespace = server.namespace.unwrap_or_default();
                    gone.queue.taken(&ObjectRef::new(&server.name).within(&namespace));
                }
                _ => {}
            }
            std::future::ready(())
        });
    tokio::select! {
        () = reconciles => {}
        () = probes => {}
        () = resync(watches.take_checks(), tempo.resync, &context.metrics) => {}
    }
}

/// What was seen. A watch that fails says so by itself.
fn seen<K: Send>(
    watch: impl Stream<Item = Result<K, watcher::Error>> + Send,
) -> impl Stream<Item = K> + Send {
    watch.filter_map(|seen| std::future::ready(seen.ok()))
}

/// The server that a pod's change wakes.
fn owner(pod: &WatchedPod) -> Option<ObjectRef<WatchedServer>> {
    let namespace = pod.namespace()?;
    (!pod.seen.server.is_empty()).then(|| ObjectRef::new(&pod.seen.server).within(&namespace))
}

fn hash(seen: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    seen.hash(&mut hasher);
    hasher.finish()
}
