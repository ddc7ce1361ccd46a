//! The controller: what wakes a pass, and what a pass does.
//!
//! Whether what was made can be used is looked at beside the passes ([`verification`]); a pass takes what is known.
//!
//! Everything that a pass reads is watched, so a pass over a resource that nothing has happened to makes no request, and none is
//! made on a timer. What the author must mend waits for a change; what may pass by itself is tried again, later each time.

mod access;
mod apply;
mod asked;
mod back_off;
mod build;
mod cache;
mod caches;
mod dereference;
mod drift;
mod events;
#[cfg(test)]
mod fixtures;
mod fleet;
mod intruders;
pub mod offline;
mod optional;
mod packed;
mod pods;
mod quantity;
mod references;
mod report;
mod rollout;
mod servers;
mod status;
mod validate;
mod verification;
mod watch;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, TryStreamExt, channel::mpsc::UnboundedReceiver, stream};
use k8s_openapi::jiff::Timestamp;
use kube::{
    Client, ResourceExt,
    runtime::{
        PredicateConfig, WatchStreamExt,
        controller::{self, Action, Controller},
        events::{Recorder, Reporter},
        reflector::ObjectRef,
        watcher::Event,
    },
};
use lenses_mcp_crds::{LensesMcpServer, VerificationMode, conditions::Reason};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use pods::WatchedPod;
use servers::{WatchedServer, key};
use watch::Watches;

pub use caches::{Caches, Writers};
pub(crate) use verification::{Materials, Reader};

use crate::{
    metrics::{Gauges, Metrics, Outcome},
    verify::dial::DialPolicy,
};

/// How long one pass may take. No pass waits for anything but the API server.
const PASS: Duration = Duration::from_mins(1);
/// How long changes are gathered before a pass: making a server gives an event for each of its objects.
const GATHER: Duration = Duration::from_millis(100);

/// What a resource that says nothing gets, and where the operator looks.
pub struct Defaults {
    /// The image of the server.
    pub image: String,
    /// The domain of this cluster's DNS names.
    pub cluster_domain: String,
    /// The namespaces that are watched; none means all.
    pub namespaces: Vec<String>,
    /// Which resources are this operator's, as a label selector; empty means all.
    pub selector: String,
    /// How many servers at a time are given a new default image.
    pub upgrades_at_once: u16,
    /// The namespace that this operator runs in.
    pub operator_namespace: String,
    /// Whether a pod template may give pods power over their node.
    pub allow_host_access: bool,
    /// How verification works.
    pub verification: VerificationDefaults,
}

/// How verification works if a resource does not say, and what no resource can change.
#[derive(Clone, Debug)]
pub struct VerificationDefaults {
    /// What is examined.
    pub mode: VerificationMode,
    /// Whether a Secret is used only if its label says that the operator may read it.
    pub secrets_require_label: bool,
    /// Where connections may lead.
    pub dial: DialPolicy,
}

impl Default for VerificationDefaults {
    fn default() -> Self {
        Self {
            mode: VerificationMode::default(),
            secrets_require_label: true,
            dial: DialPolicy::default(),
        }
    }
}

/// What every pass can use.
pub struct Context {
    client: Client,
    caches: Arc<Caches>,
    metrics: Arc<Metrics>,
    defaults: Defaults,
    recorder: Recorder,
    failures: back_off::Failures,
    fleet: fleet::Fleet,
}

impl Context {
    /// A context whose caches are filled once [`run`] runs.
    #[must_use]
    pub fn new(
        client: Client,
        caches: Arc<Caches>,
        metrics: Arc<Metrics>,
        defaults: Defaults,
        identity: String,
    ) -> (Self, Turns) {
        let reporter = Reporter { controller: crate::MANAGER.to_owned(), instance: Some(identity) };
        let recorder = Recorder::new(client.clone(), reporter);
        let (fleet, turns) = fleet::Fleet::new(defaults.image.clone(), defaults.upgrades_at_once);
        let failures = back_off::Failures::default();
        (Self { client, caches, metrics, defaults, recorder, failures, fleet }, Turns(turns))
    }
}

/// Whose turn it is to be given a new default image, as it comes.
pub struct Turns(UnboundedReceiver<ObjectRef<WatchedServer>>);

impl Context {
    /// Puts one server in its place on the way to the default image.
    fn place(&self, server: &ObjectRef<WatchedServer>) {
        // What has no Deployment yet has no place.
        let deployment = self
            .caches
            .deployments
            .own
            .get(server.namespace.as_deref().unwrap_or_default(), &server.name);
        let watched = self.caches.servers.get(server).filter(|_| deployment.is_some());
        let read = watched.and_then(|watched| watched.read().ok());
        self.fleet.follow(server, read.as_ref(), deployment.as_ref());
    }

    /// A server has changed; after a list, any may have.
    fn place_after(&self, event: &Event<WatchedServer>) {
        match event {
            Event::Init | Event::InitApply(_) => {}
            Event::InitDone => {
                // Those that went while the list was made are in their places still.
                let placed = self.fleet.placed();
                let listed = self.caches.servers.state();
                let listed = listed.iter().map(|server| ObjectRef::from_obj(&**server));
                placed.into_iter().chain(listed).for_each(|server| self.place(&server));
            }
            Event::Apply(server) | Event::Delete(server) => {
                self.place(&ObjectRef::from_obj(server));
            }
        }
    }

    /// The kinds that have not been read once.
    #[must_use]
    pub fn unread(&self) -> Vec<&'static str> {
        self.caches.unread()
    }

    /// What is so now, for the metrics.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let (waiting, under_way) = self.fleet.counts();
        Gauges {
            conditions: self.caches.conditions(),
            oldest_verification: self.caches.oldest_verification(),
            upgrades_waiting: waiting,
            upgrades_under_way: under_way,
        }
    }
}

/// Why a pass failed. Each may pass by itself, so each is tried again.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error("failed to read: {0}")]
    Dereference(#[from] dereference::DereferenceError),
    #[error("{0}")]
    Apply(#[from] apply::ApplyError),
    #[error("{0}")]
    Report(#[from] report::ReportError),
    #[error("the pass took longer than {} s", PASS.as_secs())]
    TimedOut,
    #[error("the caches were closed")]
    Closed,
}

impl PassError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Dereference(_) => "read",
            Self::Apply(_) => "apply",
            Self::Report(_) => "status",
            Self::TimedOut => "timeout",
            Self::Closed => "closed",
        }
    }
}

/// Watches and makes passes until `stop`; then passes under way finish.
pub async fn run(
    context: Arc<Context>,
    turns: Turns,
    writers: Writers,
    concurrency: u16,
    stop: CancellationToken,
) {
    let caches = &context.caches;
    let Defaults { namespaces, selector, .. } = &context.defaults;
    let watches = Watches { client: context.client.clone(), namespaces: namespaces.clone() };
    let gone = Arc::clone(&context);
    let (tell, news) = futures::channel::mpsc::unbounded();
    let rounds = verification::rounds(
        &caches.verifications,
        &context.client,
        &context.defaults.verification,
        tell,
    );
    let servers = watches
        .selected(selector, writers.servers)
        .inspect_ok({
            let caches = Arc::clone(caches);
            move |event| caches.references.follow(event)
        })
        .inspect_ok(move |event| {
            gone.place_after(event);
            if let Event::Delete(server) = event {
                gone.failures.forget(&ObjectRef::from_obj(server));
                gone.caches.verifications.forget(&ObjectRef::from_obj(server));
            }
        })
        .touched_objects()
        .predicate_filter(
            |server: &WatchedServer| Some(server.version),
            PredicateConfig::default(),
        );
    let placing = Arc::clone(&context);
    let deployments = watches.managed(&caches.deployments.own).inspect(move |change| {
        placing.place(&ObjectRef::new(&change.name).within(&change.namespace));
    });
    let pods = watches
        .selected(&watch::managed(), writers.pods)
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
    let woken = changes.flat_map({
        let caches = Arc::clone(caches);
        move |change| stream::iter(caches.concerned(&change))
    });
    let passes = Controller::for_stream(servers, caches.servers.clone())
        .reconcile_on(turns.0)
        .watches_stream(pods, owner)
        .reconcile_on(woken)
        .reconcile_on(caches.http_routes.turns(caches.servers.clone()))
        .reconcile_on(caches.service_monitors.turns(caches.servers.clone()))
        .reconcile_on(news)
        .with_config(controller::Config::default().concurrency(concurrency).debounce(GATHER))
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(reconcile, retry, Arc::clone(&context))
        .for_each(|ended| async move {
            if let Err(controller::Error::QueueError(error)) = ended {
                tracing::warn!(%error, "failed to watch");
            }
        });
    tokio::select! {
        () = passes => {}
        () = rounds => {}
    }
}

/// One pass over one resource: six steps, each with what it needs of the API server.
async fn steps(context: &Context, server: &LensesMcpServer) -> Result<Action, PassError> {
    let found = dereference::dereference(context, server).await?; // caches; the API server for a name not seen there
    let valid = validate::validate(server, &found, &context.defaults); // nothing
    let wanted = valid
        .as_ref()
        .ok()
        .filter(|_| !server.spec.paused)
        .map(|valid| (valid, build::build(valid))); // nothing
    let applied = match wanted {
        Some((valid, wanted)) => {
            Box::pin(apply::apply(context, valid, wanted, &found.children)).await
        } // the API server, for what differs
        None => Ok(apply::keep(&found.children)),
    };
    let deployment = applied
        .as_ref()
        .map_or_else(|_| found.children.deployment.own(), |applied| applied.deployment.as_ref());
    // What this operator wrote itself is no news when the watch shows it.
    context.place(&key(server));
    let known =
        context.caches.verifications.verify(server, valid.as_ref().ok(), deployment.map(|d| &**d)); // nothing; HTTP beside
    if let Some(wait) = context.caches.verifications.first_look(server)
        && server.status.is_none()
        && applied.is_ok()
    {
        // The first status says what HQ is like, too. It comes with the news of that, or without when that takes long.
        return Ok(Action::requeue(wait));
    }
    let status =
        status::status(server, valid.as_ref(), applied.as_ref(), &found, known, Timestamp::now()); // nothing
    report::report(context, server, status).await?; // the API server, if it differs

    applied?;
    match valid {
        // Who holds the name may not be among what is watched, so its going has to be looked for.
        Err(rejections) if rejections.reason() == Reason::NameTaken => {
            Ok(context.failures.next(&key(server)))
        }
        // Nor are events, and a warning may come after the state that it is about.
        _ if found.pods.unexplained => Ok(context.failures.next(&key(server))),
        _ => Ok(Action::await_change()),
    }
}

/// A pass, bounded and counted.
async fn reconcile(
    watched: Arc<WatchedServer>,
    context: Arc<Context>,
) -> Result<Action, PassError> {
    let begun = Instant::now();
    let ended = timeout(PASS, async {
        context.caches.read().await.map_err(|_| PassError::Closed)?;
        // Its objects go with it: they name it as their owner.
        if watched.is_going() {
            return Ok(Action::await_change());
        }
        match watched.read() {
            Ok(server) => Box::pin(steps(&context, &server)).await,
            Err(why) => Ok(Box::pin(report::unreadable(&context, &watched, &why)).await?),
        }
    })
    .await
    .unwrap_or(Err(PassError::TimedOut));
    let outcome = match &ended {
        Ok(action) if *action == Action::await_change() => {
            context.failures.forget(&ObjectRef::from_obj(&*watched));
            Outcome::Settled
        }
        Ok(_) => Outcome::Waiting,
        Err(_) => Outcome::Failed,
    };
    context.metrics.passed(outcome, begun.elapsed().as_secs_f64());
    ended
}

#[expect(clippy::needless_pass_by_value, reason = "the controller gives it so")]
fn retry(watched: Arc<WatchedServer>, error: &PassError, context: Arc<Context>) -> Action {
    context.metrics.failed(error.reason());
    tracing::warn!(namespace = watched.namespace(), name = watched.name_any(), %error, "pass failed, will try again");
    context.failures.next(&ObjectRef::from_obj(&*watched))
}

/// The server that a pod's change wakes.
#[expect(clippy::needless_pass_by_value, reason = "the controller gives it so")]
fn owner(pod: WatchedPod) -> Option<ObjectRef<WatchedServer>> {
    let namespace = pod.namespace()?;
    (!pod.seen.server.is_empty()).then(|| ObjectRef::new(&pod.seen.server).within(&namespace))
}

fn hash(seen: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    seen.hash(&mut hasher);
    hasher.finish()
}
