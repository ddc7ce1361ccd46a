//! How far a Deployment is, from its status and its pods. Pure.

use std::{sync::Arc, time::Duration};

use k8s_openapi::{
    api::apps::v1::{Deployment, DeploymentCondition},
    apimachinery::pkg::util::intstr::IntOrString,
    jiff::{SignedDuration, Timestamp},
};
use kube::Resource;
use lenses_mcp_crds::{DisruptionBudget, conditions::Reason};

use crate::{
    controller::observed::Pods,
    names::NARROWED,
    watching::{
        deployment::{complete, image, is_stalled, template_digest},
        pods::{PodState, Trouble, WatchedPod},
    },
};

/// What is said while there is nothing worse to say.
pub(in crate::controller) const WAITING: &str = "waiting for the pods to become ready";
/// What is said when nobody tells why.
const LOOK: &str = "kubectl describe pods tells why";

/// How far a Deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::controller) enum Rollout {
    /// There is none.
    Absent,
    /// Pods are being made or replaced.
    InProgress(String),
    /// Pods are not up, and it is known why.
    Failing {
        /// Why, in a word.
        reason: Reason,
        /// Why, for people.
        message: String,
        /// Whether the Deployment's deadline has passed.
        stalled: bool,
    },
    /// All pods are the wanted ones, and enough of them serve while others come or come back.
    Enough(String),
    /// All pods are the wanted ones and serve.
    Complete { pods: i32 },
}

/// Of a server that was ready: how many pods served, and how many may be missing.
pub(in crate::controller) struct Before<'a> {
    pub(in crate::controller) ready: i32,
    pub(in crate::controller) budget: &'a DisruptionBudget,
}

/// Judges a Deployment by its status and by its pods. `before`: `None` if it was not ready.
pub(in crate::controller) fn rollout(
    deployment: Option<&Deployment>,
    pods: &Pods,
    before: Option<&Before<'_>>,
) -> Rollout {
    let Some(deployment) = deployment else { return Rollout::Absent };
    if let Some(pods) = complete(deployment) {
        return Rollout::Complete { pods };
    }
    match (incomplete(deployment, pods), before) {
        (
            Rollout::InProgress(message) | Rollout::Failing { message, stalled: false, .. },
            Some(before),
        ) if serves_enough(deployment, before) => Rollout::Enough(message),
        (rollout, _) => rollout,
    }
}

/// Whether only wanted pods are there, and either as many serve as the budget asks for, or no
/// fewer than before, as while the server is scaled up.
fn serves_enough(deployment: &Deployment, before: &Before<'_>) -> bool {
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let Some(status) = &deployment.status else { return false };
    let updated = status.updated_replicas.unwrap_or(0);
    let only_wanted = status.observed_generation >= deployment.metadata.generation
        && status.replicas.unwrap_or(0) <= updated;
    let least = least(before.budget, wanted).min(before.ready).max(1);
    only_wanted && status.ready_replicas.unwrap_or(0) >= least
}

/// How many of so many pods the budget leaves.
fn least(budget: &DisruptionBudget, pods: i32) -> i32 {
    // As the disruption controller does, percentages are rounded up.
    let count = |number: &IntOrString| match number {
        IntOrString::Int(number) => *number,
        IntOrString::String(percent) => {
            let percent: i32 = percent.trim_end_matches('%').parse().unwrap_or(0);
            (pods.saturating_mul(percent).saturating_add(99)) / 100
        }
    };
    match (&budget.min_available, &budget.max_unavailable) {
        (Some(least), _) => count(least),
        (None, Some(most)) => pods.saturating_sub(count(most)),
        (None, None) => pods.saturating_sub(1),
    }
}

fn incomplete(deployment: &Deployment, pods: &Pods) -> Rollout {
    let Some(status) = &deployment.status else { return in_progress(deployment, &[]) };
    let conditions = status.conditions.as_deref().unwrap_or_default();
    if status.observed_generation < deployment.metadata.generation {
        return in_progress(deployment, &[]);
    }
    let stalled = is_stalled(deployment);
    let (new, old) = by_template(deployment, &pods.seen);
    let known = trouble(&new).map(|trouble| (trouble.reason(), trouble.message())).or_else(|| {
        let warned = pods.warning.clone().unwrap_or_else(|| LOOK.to_owned());
        let unready = new.iter().any(|pod| pod.seen.state == PodState::Unready);
        let runs = unready
            .then(|| (Reason::ProbeFailing, format!("the pods run and are not ready: {warned}")));
        runs.or_else(|| {
            let why = why(conditions).map_or(warned, |why| format!("pods cannot be made: {why}"));
            stalled.then_some((Reason::RolloutStalled, why))
        })
    });
    let Some((reason, told)) = known else {
        return match (in_progress(deployment, conditions), &pods.warning) {
            (Rollout::InProgress(message), Some(warning)) => {
                Rollout::InProgress(format!("{message}: {warning}"))
            }
            (rollout, _) => rollout,
        };
    };
    let subject = image(deployment).unwrap_or_default();
    match serving(&old) {
        Some(serves) if serves != subject => Rollout::Failing {
            reason: if stalled { Reason::RolloutStalled } else { reason },
            message: format!("{subject} does not become ready: {told}; {serves} serves on"),
            stalled,
        },
        Some(_) => Rollout::Failing {
            reason: if stalled { Reason::RolloutStalled } else { reason },
            message: format!("the new pods do not become ready: {told}; the old ones serve on"),
            stalled,
        },
        None if reason == Reason::RolloutStalled => Rollout::Failing {
            reason,
            message: format!("the pods did not become ready in time: {told}"),
            stalled,
        },
        None => {
            let message = [Some(told), narrowed(deployment)]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("; ");
            Rollout::Failing { reason, message, stalled }
        }
    }
}

/// How long a pod may take to start before it is asked what keeps it.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// A pod that does not come up while its own status does not tell why.
pub(in crate::controller) fn silent<'a>(
    deployment: Option<&Deployment>,
    pods: &'a [Arc<WatchedPod>],
    now: Timestamp,
) -> Option<&'a WatchedPod> {
    let deployment = deployment?;
    let stalled = is_stalled(deployment);
    let (new, _) = by_template(deployment, pods);
    if trouble(&new).is_some() {
        return None;
    }
    new.into_iter().find(|pod| match pod.seen.state {
        PodState::Unready => true,
        PodState::Starting => stalled || age(pod, now).is_some_and(|age| age >= PATIENCE),
        PodState::Ready | PodState::Failing(_) => false,
    })
}

/// How long until a pod that starts has taken too long.
pub(in crate::controller) fn patience(
    pods: &[Arc<WatchedPod>],
    now: Timestamp,
) -> Option<Duration> {
    let starting = pods.iter().filter(|pod| pod.seen.state == PodState::Starting);
    let left = starting.filter_map(|pod| PATIENCE.checked_sub(age(pod, now)?));
    left.filter_map(|left| Duration::try_from(left).ok()).filter(|left| !left.is_zero()).min()
}

fn age(pod: &WatchedPod, now: Timestamp) -> Option<SignedDuration> {
    Some(now.duration_since(pod.meta().creation_timestamp.as_ref()?.0))
}

/// What the image of the pods that serve was resolved to. More than one, separated by commas, where
/// a tag has moved.
pub(in crate::controller) fn image_digest(deployment: &Deployment, pods: &Pods) -> Option<String> {
    let (new, _) = by_template(deployment, &pods.seen);
    let ready = new.into_iter().filter(|pod| pod.seen.state == PodState::Ready);
    let mut digests: Vec<_> = ready.filter_map(|pod| pod.seen.image_digest.clone()).collect();
    digests.sort_unstable();
    digests.dedup();
    (!digests.is_empty()).then(|| digests.join(","))
}

/// The pods of the template that the Deployment has now, and the others. Those that go are neither.
fn by_template<'a>(
    deployment: &Deployment,
    pods: &'a [Arc<WatchedPod>],
) -> (Vec<&'a WatchedPod>, Vec<&'a WatchedPod>) {
    let template = template_digest(deployment);
    pods.iter()
        .map(|pod| &**pod)
        .filter(|pod| !pod.seen.leaving)
        .partition(|pod| pod.seen.template.as_ref() == template)
}

/// The first trouble in the order of [`Trouble`], so that it does not depend on the names of the
/// pods.
fn trouble<'a>(pods: &[&'a WatchedPod]) -> Option<&'a Trouble> {
    let troubles = pods.iter().filter_map(|pod| match &pod.seen.state {
        PodState::Failing(trouble) => Some(trouble),
        PodState::Ready | PodState::Starting | PodState::Unready => None,
    });
    troubles.min()
}

/// The image of those that serve.
fn serving(pods: &[&WatchedPod]) -> Option<String> {
    pods.iter()
        .filter(|pod| pod.seen.state == PodState::Ready)
        .map(|pod| pod.seen.image.clone())
        .min()
}

/// Without counts: a message that changes with each pod would be an event with each pod.
fn in_progress(deployment: &Deployment, conditions: &[DeploymentCondition]) -> Rollout {
    let waits = match why(conditions) {
        Some(why) => format!("pods cannot be made: {why}"),
        None => WAITING.to_owned(),
    };
    let message =
        [Some(waits), narrowed(deployment)].into_iter().flatten().collect::<Vec<_>>().join("; ");
    Rollout::InProgress(message)
}

/// Why no old pod serves while the new ones come up, if that was decided.
fn narrowed(deployment: &Deployment) -> Option<String> {
    let narrowed = deployment.metadata.annotations.as_ref()?.get(NARROWED)?;
    Some(format!("the old pods are taken down first, since {narrowed}"))
}

/// What keeps the Deployment from making pods at all: a quota, an admission policy.
fn why(conditions: &[DeploymentCondition]) -> Option<&str> {
    find(conditions, "ReplicaFailure")
        .filter(|condition| condition.status == "True")?
        .message
        .as_deref()
}

fn find<'a>(conditions: &'a [DeploymentCondition], kind: &str) -> Option<&'a DeploymentCondition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::names::TEMPLATE;

    fn deployment(replicas: i32, status: &Value) -> Deployment {
        let metadata = json!({ "annotations": { TEMPLATE: "new" } });
        let containers = json!([{ "name": "lenses-mcp-server", "image": "x:2" }]);
        serde_json::from_value(json!({
            "metadata": { "name": "x", "generation": 4 },
            "spec": {
                "replicas": replicas, "selector": {},
                "template": { "metadata": metadata, "spec": { "containers": containers } }
            },
            "status": status,
        }))
        .unwrap()
    }

    fn pod(template: &str, image: &str, status: &Value) -> Value {
        json!({
            "metadata": { "name": "p", "annotations": { TEMPLATE: template } },
            "spec": { "containers": [{ "name": "lenses-mcp-server", "image": image }] },
            "status": status,
        })
    }

    fn pods(seen: &[Value], warning: Option<&str>) -> Pods {
        let seen =
            seen.iter().map(|pod| Arc::new(serde_json::from_value(pod.clone()).unwrap())).collect();
        Pods { seen, warning: warning.map(str::to_owned), ..Pods::default() }
    }

    fn now() -> Timestamp {
        "2026-01-01T00:01:00Z".parse().unwrap()
    }

    fn ready() -> Value {
        let container = json!({
            "name": "lenses-mcp-server", "image": "", "imageID": "r/x@sha256:d", "ready": true,
            "restartCount": 0
        });
        json!({
            "conditions": [{ "type": "Ready", "status": "True" }], "containerStatuses": [container]
        })
    }

    fn crashing() -> Value {
        let ended = json!({ "terminated": { "exitCode": 1, "message": "no" } });
        let container = json!({
            "name": "lenses-mcp-server", "image": "x:2", "imageID": "", "ready": false,
            "restartCount": 9, "state": ended
        });
        json!({ "containerStatuses": [container] })
    }

    fn late() -> Value {
        json!({
            "observedGeneration": 4, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 1,
            "conditions": [
                { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" },
            ]
        })
    }

    fn under_way() -> Value {
        json!({
            "observedGeneration": 4, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 1
        })
    }

    fn failing(status: &Value, seen: &[Value], warning: Option<&str>) -> (Reason, String, bool) {
        match rollout(Some(&deployment(1, status)), &pods(seen, warning), None) {
            Rollout::Failing { reason, message, stalled } => (reason, message, stalled),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_rollout_is_complete_when_every_pod_is_new_and_available() {
        let none = Pods::default();
        let complete = json!({
            "observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2
        });
        assert_eq!(
            rollout(Some(&deployment(2, &complete)), &none, None),
            Rollout::Complete { pods: 2 }
        );
        let nothing = json!({ "observedGeneration": 4 });
        assert_eq!(
            rollout(Some(&deployment(0, &nothing)), &none, None),
            Rollout::Complete { pods: 0 }
        );
        for status in [
            json!({}),
            json!({
                "observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2
            }),
            json!({
                "observedGeneration": 4, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 2
            }),
            json!({
                "observedGeneration": 4, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3
            }),
            json!({
                "observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1
            }),
        ] {
            assert!(
                matches!(
                    rollout(Some(&deployment(2, &status)), &none, None),
                    Rollout::InProgress(_)
                ),
                "{status}"
            );
        }
        assert_eq!(rollout(None, &none, None), Rollout::Absent);
    }

    #[test]
    fn what_keeps_pods_from_being_made_is_said() {
        let refused =
            json!({ "type": "ReplicaFailure", "status": "True", "message": "exceeded quota" });
        let late = json!({
            "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"
        });
        let status =
            |conditions: Value| json!({ "observedGeneration": 4, "conditions": conditions });
        assert_eq!(
            rollout(Some(&deployment(1, &status(json!([refused])))), &Pods::default(), None),
            Rollout::InProgress("pods cannot be made: exceeded quota".into())
        );
        assert_eq!(
            failing(&status(json!([late, refused])), &[], None),
            (
                Reason::RolloutStalled,
                "the pods did not become ready in time: pods cannot be made: exceeded quota".into(),
                true
            )
        );
    }

    #[test]
    fn an_unready_image_and_the_one_still_serving_are_both_named() {
        let seen = [pod("old", "x:1", &ready()), pod("new", "x:2", &crashing())];
        let said = "x:2 does not become ready: the container lenses-mcp-server ends with exit \
                    status 1 at each start: no; x:1 serves on";
        assert_eq!(failing(&under_way(), &seen, None), (Reason::CrashLooping, said.into(), false));
        assert_eq!(failing(&late(), &seen, None), (Reason::RolloutStalled, said.into(), true));
        let seen = [pod("old", "x:2", &ready()), pod("new", "x:2", &json!({}))];
        assert_eq!(
            failing(&late(), &seen, Some("no volume")),
            (
                Reason::RolloutStalled,
                "the new pods do not become ready: no volume; the old ones serve on".into(),
                true
            )
        );
    }

    #[test]
    fn where_nothing_serves_the_trouble_is_the_reason() {
        let alone = [pod("new", "x:2", &crashing())];
        let said = "the container lenses-mcp-server ends with exit status 1 at each start: no";
        assert_eq!(failing(&under_way(), &alone, None), (Reason::CrashLooping, said.into(), false));
        assert_eq!(failing(&late(), &alone, None), (Reason::CrashLooping, said.into(), true));
        let starting = [pod("new", "x:2", &json!({}))];
        assert_eq!(
            failing(&late(), &starting, Some("no volume")),
            (
                Reason::RolloutStalled,
                "the pods did not become ready in time: no volume".into(),
                true
            )
        );
        assert_eq!(
            rollout(Some(&deployment(1, &under_way())), &pods(&starting, None), None),
            Rollout::InProgress(WAITING.into())
        );
    }

    #[test]
    fn a_pod_no_longer_ready_gives_the_message_of_its_probe() {
        let container = json!({
            "name": "lenses-mcp-server", "image": "x:2", "imageID": "", "ready": false,
            "restartCount": 0,
            "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } },
        });
        let turned = json!({
            "type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:09Z"
        });
        let unready =
            pod("new", "x:2", &json!({ "conditions": [turned], "containerStatuses": [container] }));
        let seen = pods(std::slice::from_ref(&unready), None);
        assert!(silent(Some(&deployment(1, &under_way())), &seen.seen, now()).is_some());
        assert_eq!(
            failing(&under_way(), &[unready], Some("Readiness probe failed: statuscode: 503")),
            (
                Reason::ProbeFailing,
                "the pods run and are not ready: Readiness probe failed: statuscode: 503".into(),
                false
            )
        );
    }

    #[test]
    fn events_are_asked_for_only_where_a_pod_does_not_tell() {
        let asked = |status: &Value, seen: &[Value]| {
            silent(Some(&deployment(1, status)), &pods(seen, None).seen, now()).is_some()
        };
        assert!(asked(&late(), &[pod("new", "x:2", &json!({}))]));
        assert!(!asked(&under_way(), &[pod("new", "x:2", &json!({}))]));
        assert!(!asked(&late(), &[pod("new", "x:2", &crashing())]));
        assert!(!asked(&late(), &[pod("new", "x:2", &ready()), pod("old", "x:1", &json!({}))]));
    }

    #[test]
    fn the_digest_is_that_of_the_new_pods_that_serve() {
        let digest = |seen: &[Value]| image_digest(&deployment(1, &under_way()), &pods(seen, None));
        assert_eq!(
            digest(&[pod("new", "x:2", &ready()), pod("new", "x:2", &ready())]).as_deref(),
            Some("sha256:d")
        );
        assert_eq!(digest(&[pod("old", "x:1", &ready()), pod("new", "x:2", &crashing())]), None);
    }

    #[test]
    fn enough_pods_serve_during_scale_up_or_replacement_of_a_lost_pod() {
        let budget = |json: Value| serde_json::from_value::<DisruptionBudget>(json).unwrap();
        let (none, half) = (budget(json!({})), budget(json!({ "minAvailable": "50%" })));
        for (replicas, ready, before, budget, enough) in [
            // Scaled up from 2.
            (10, 2, 2, &none, true),
            (10, 3, 2, &none, true),
            // Lost one, lost more.
            (3, 2, 3, &none, true),
            (3, 1, 3, &none, false),
            (10, 5, 10, &half, true),
            (10, 4, 10, &half, false),
            (1, 0, 1, &none, false),
        ] {
            let status = json!({
                "observedGeneration": 4, "replicas": replicas, "updatedReplicas": replicas,
                "readyReplicas": ready, "availableReplicas": ready,
            });
            let before = Before { ready: before, budget };
            let now =
                rollout(Some(&deployment(replicas, &status)), &Pods::default(), Some(&before));
            assert_eq!(matches!(now, Rollout::Enough(_)), enough, "{ready} of {replicas}: {now:?}");
        }
        // An old pod is there.
        let status = json!({
            "observedGeneration": 4, "replicas": 3, "updatedReplicas": 2, "readyReplicas": 3,
        });
        let before = Before { ready: 3, budget: &none };
        let now = rollout(Some(&deployment(3, &status)), &Pods::default(), Some(&before));
        assert!(matches!(now, Rollout::InProgress(_)), "{now:?}");
    }

    #[test]
    fn a_pod_slow_to_start_gives_the_kubelets_warning() {
        let started = |at: &str| {
            let mut pod = pod("new", "x:2", &json!({}));
            pod["metadata"]["creationTimestamp"] = json!(at);
            pods(&[pod], Some("references non-existent secret key: k"))
        };
        let (long, short) = (started("2026-01-01T00:00:50Z"), started("2026-01-01T00:00:53Z"));
        let deployment = deployment(1, &under_way());
        assert!(silent(Some(&deployment), &long.seen, now()).is_some());
        assert!(silent(Some(&deployment), &short.seen, now()).is_none());
        assert_eq!(patience(&long.seen, now()), None);
        assert_eq!(patience(&short.seen, now()), Some(Duration::from_secs(3)));
        assert_eq!(
            rollout(Some(&deployment), &long, None),
            Rollout::InProgress(format!("{WAITING}: references non-existent secret key: k"))
        );
    }
}
