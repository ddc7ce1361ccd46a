//! Every pod of the fleet that there is while it is upgraded, as a watch shows it.

use std::collections::{BTreeMap, btree_map::Entry};

use futures::TryStreamExt;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Pod},
};
use kube::{
    ResourceExt,
    api::ListParams,
    runtime::{WatchStreamExt, watcher},
};
use lenses_mcp_e2e::bed::{Bed, Trouble};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The tags of the images of the two releases.
pub(crate) const THIS: &str = env!("CARGO_PKG_VERSION");
pub(crate) const PREVIOUS: &str = concat!(env!("CARGO_PKG_VERSION"), "-previous");
/// The name of a setting in each release, which no other release knows.
const SETTING_OF_THIS: &str = "MCP_CONNECTIONS_PER_ADDRESS=";
const SETTING_OF_PREVIOUS: &str = "MCP_CONNECTIONS_PER_CALLERS=";

/// A watch of the pods, which fails as soon as it shows what must not be.
pub(crate) struct PodWatch {
    stop: CancellationToken,
    watch: JoinHandle<Result<usize, Trouble>>,
}

impl PodWatch {
    pub(crate) async fn start(bed: &Bed) -> Result<Self, Trouble> {
        let (bed, stop) = (bed.clone(), CancellationToken::new());
        let mut seen = Seen { bed: bed.clone(), pods: BTreeMap::new() };
        for pod in bed.api::<Pod>().list(&of_servers()).await? {
            seen.see(&pod).await?;
        }
        let stopped = stop.clone();
        let watch = tokio::spawn(async move {
            let config = watcher::Config::default().labels(SELECTOR);
            let pods = watcher(bed.api::<Pod>(), config).default_backoff().applied_objects();
            let mut pods = std::pin::pin!(pods);
            while let Some(pod) = stopped.run_until_cancelled(pods.try_next()).await {
                match pod? {
                    Some(pod) => seen.see(&pod).await?,
                    None => return Err("the watch of pods ended".into()),
                }
            }
            Ok(seen.pods.len())
        });
        Ok(Self { stop, watch })
    }

    /// Ends the watch, and gives the number of pods.
    pub(crate) async fn end(self) -> Result<usize, Trouble> {
        self.stop.cancel();
        self.watch.await?
    }
}

const SELECTOR: &str = "app.kubernetes.io/name=lenses-mcp-server";

fn of_servers() -> ListParams {
    ListParams::default().labels(SELECTOR)
}

struct Seen {
    bed: Bed,
    /// The release that each pod's image is of.
    pods: BTreeMap<String, &'static str>,
}

impl Seen {
    async fn see(&mut self, pod: &Pod) -> Result<(), Trouble> {
        let name = pod.name_any();
        let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
        for status in statuses.into_iter().flatten() {
            let state = status.state.as_ref().and_then(|state| state.terminated.as_ref());
            if let Some(ended) = state.filter(|ended| ended.exit_code != 0) {
                return Err(format!("pod {name} ended: {ended:?}").into());
            }
            if status.restart_count > 0 {
                return Err(format!("pod {name} was restarted: {status:?}").into());
            }
        }
        let Entry::Vacant(unseen) = self.pods.entry(name) else { return Ok(()) };
        let spec = pod.spec.as_ref().ok_or("a pod without a spec")?;
        let image = spec.containers.first().and_then(|container| container.image.as_deref());
        let image = image.unwrap_or_default();
        let release = if image.ends_with(PREVIOUS) { PREVIOUS } else { THIS };
        let mounted = spec.volumes.iter().flatten().find_map(|volume| volume.config_map.as_ref());
        let mounted = &mounted.ok_or("a pod without settings")?.name;
        let settings = self.bed.api::<ConfigMap>().get(mounted).await?.data.unwrap_or_default();
        let has = |name: &str| settings.values().any(|file| file.contains(name));
        let are_its = (has(SETTING_OF_THIS), has(SETTING_OF_PREVIOUS))
            == (release == THIS, release == PREVIOUS);
        if !are_its {
            return Err(format!(
                "pod {} of {image} has these settings: {settings:?}",
                unseen.key()
            )
            .into());
        }
        unseen.insert(release);
        self.one_at_a_time(pod).await
    }

    /// When a server gets new pods, those of all others are complete.
    async fn one_at_a_time(&self, pod: &Pod) -> Result<(), Trouble> {
        let of = pod.labels().get("app.kubernetes.io/instance").cloned().unwrap_or_default();
        for other in self.bed.api::<Deployment>().list(&of_servers()).await? {
            let status = other.status.clone().unwrap_or_default();
            let pods = [status.replicas, status.updated_replicas, status.available_replicas];
            if other.name_any() != of && pods != [Some(1); 3] {
                let (other, new) = (other.name_any(), pod.name_any());
                return Err(format!("{new} came while {other} had these pods: {pods:?}").into());
            }
        }
        Ok(())
    }
}
