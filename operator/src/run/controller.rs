//! What wakes a reconcile: the watches, the probes and the upgrades, as one controller.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    ResourceExt,
    runtime::{
        PredicateConfig, WatchStreamExt,
        controller::{self, Controller},
        reflector::ObjectRef,
        watcher::Event,
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    context::{Admissions, Context, Defaults},
    controller::{reconcile, retry},
    names,
    probe::probe_loop,
    watching::{Writers, pods::WatchedPod, servers::WatchedServer, watches::Watches},
};

/// How long changes are gathered before a reconcile: making a server gives an event for each of its
/// objects.
const GATHER: Duration = Duration::from_millis(100);

/// Watches and reconciles until `stop`; then reconciles under way finish.
pub(super) async fn run(
    context: Arc<Context>,
    admissions: Admissions,
    writers: Writers,
    concurrency: u16,
    stop: CancellationToken,
) {
    let caches = &context.caches;
    let Defaults { namespaces, selector, .. } = &context.defaults;
    let watches = Watches { client: context.client.clone(), namespaces: namespaces.clone() };
    let gone = Arc::clone(&context);
    let (tell, news) = futures::channel::mpsc::unbounded();
    let probes = probe_loop(&context.verifications, &context.client, tell);
    let servers = watches
        .selected(selector, writers.servers)
        .inspect_ok({
            let caches = Arc::clone(caches);
            move |event| caches.references.follow(event)
        })
        .inspect_ok(move |event| {
            gone.follow_upgrades(event);
            if let Event::Delete(server) = event {
                gone.forget(&ObjectRef::from_obj(server));
            }
        })
        .touched_objects()
        .predicate_filter(
            |server: &WatchedServer| Some(server.version),
            PredicateConfig::default(),
        );
    let upgrading = Arc::clone(&context);
    let deployments = watches.managed(&caches.deployments.own).inspect(move |change| {
        upgrading.follow_upgrade(&ObjectRef::new(&change.name).within(&change.namespace));
    });
    let pods = watches
        .selected(&names::managed(), writers.pods)
        .inspect_ok({
            let caches = Arc::clone(caches);
            move |event| caches.pods_by_server.follow(event)
        })
        .touched_objects()
        .predicate_filter(|pod: &WatchedPod| Some(hash(&pod.seen)), PredicateConfig::default());
    let changes = stream::select_all([
        deployments.boxed(),
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
    let concerned = changes.flat_map({
        let caches = Arc::clone(caches);
        move |change| stream::iter(caches.concerned(&change))
    });
    let woken = stream::select_all([
        admissions.0.boxed(),
        concerned.boxed(),
        caches.http_routes.turns(caches.servers.clone()).boxed(),
        caches.service_monitors.turns(caches.servers.clone()).boxed(),
        news.boxed(),
    ]);
    let [of_server, of_pod, of_others, of_gone] = std::array::from_fn(|_| Arc::clone(&context));
    let servers =
        servers.inspect_ok(move |server| of_server.queue.woken(&ObjectRef::from_obj(server)));
    let owner = move |pod| owner(&pod).inspect(|server| of_pod.queue.woken(server));
    let woken = woken.inspect(move |server| of_others.queue.woken(server));
    let reconciles = Controller::for_stream(servers, caches.servers.clone())
        .watches_stream(pods, owner)
        .reconcile_on(woken)
        .with_config(controller::Config::default().concurrency(concurrency).debounce(GATHER))
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(reconcile, retry, Arc::clone(&context))
        .for_each(|ended| {
            match ended {
                Err(controller::Error::QueueError(error)) => {
                    tracing::warn!(%error, "failed to watch");
                }
                Err(controller::Error::ObjectNotFound(gone)) => {
                    let namespace = gone.namespace.unwrap_or_default();
                    of_gone.queue.taken(&ObjectRef::new(&gone.name).within(&namespace));
                }
                _ => {}
            }
            std::future::ready(())
        });
    tokio::select! {
        () = reconciles => {}
        () = probes => {}
    }
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
