//! How far a Deployment is, from its status. Pure.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition};

/// What is said while there is nothing worse to say.
pub(super) const WAITING: &str = "waiting for the pods to become ready";

/// How far a Deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rollout {
    /// There is none.
    Absent,
    /// Pods are being made or replaced.
    InProgress(String),
    /// That has not succeeded within the Deployment's deadline.
    Stalled(String),
    /// All pods are the wanted ones and serve.
    Complete { pods: i32 },
}

/// Judges a Deployment by its status.
pub(super) fn rollout(deployment: Option<&Deployment>) -> Rollout {
    let Some(deployment) = deployment else { return Rollout::Absent };
    let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let Some(status) = &deployment.status else { return in_progress(&[]) };
    let conditions = status.conditions.as_deref().unwrap_or_default();
    if status.observed_generation < deployment.metadata.generation {
        return in_progress(&[]);
    }
    if let Some(deadline) = find(conditions, "Progressing")
        && deadline.reason.as_deref() == Some("ProgressDeadlineExceeded")
    {
        return Rollout::Stalled(format!(
            "the new pods did not become ready in time: {}",
            why(conditions).unwrap_or("kubectl describe pods tells why")
        ));
    }
    let count = |pods: Option<i32>| pods.unwrap_or(0);
    let updated = count(status.updated_replicas);
    if updated < wanted || count(status.replicas) > updated || count(status.available_replicas) < wanted {
        return in_progress(conditions);
    }
    Rollout::Complete { pods: wanted }
}

/// The image that the server's container runs.
pub(super) fn image(deployment: &Deployment) -> Option<String> {
    deployment.spec.as_ref()?.template.spec.as_ref()?.containers.first()?.image.clone()
}

/// Without counts: a message that changes with each pod would be an event with each pod.
fn in_progress(conditions: &[DeploymentCondition]) -> Rollout {
    Rollout::InProgress(match why(conditions) {
        Some(why) => format!("pods cannot be made: {why}"),
        None => WAITING.to_owned(),
    })
}

/// What keeps the Deployment from making pods at all: a quota, an admission policy.
fn why(conditions: &[DeploymentCondition]) -> Option<&str> {
    find(conditions, "ReplicaFailure").filter(|condition| condition.status == "True")?.message.as_deref()
}

fn find<'a>(conditions: &'a [DeploymentCondition], kind: &str) -> Option<&'a DeploymentCondition> {
    conditions.iter().find(|condition| condition.type_ == kind)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn deployment(replicas: i32, status: &Value) -> Deployment {
        serde_json::from_value(json!({
            "metadata": { "name": "x", "generation": 4 },
            "spec": { "replicas": replicas, "selector": {}, "template": {} },
            "status": status,
        }))
        .unwrap()
    }

    #[test]
    fn a_rollout_is_complete_when_every_pod_is_new_and_available() {
        let complete = json!({ "observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2 });
        assert_eq!(rollout(Some(&deployment(2, &complete))), Rollout::Complete { pods: 2 });
        assert_eq!(rollout(Some(&deployment(0, &json!({ "observedGeneration": 4 })))), Rollout::Complete { pods: 0 });
        for status in [
            json!({}),
            json!({ "observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2 }),
            json!({ "observedGeneration": 4, "replicas": 2, "updatedReplicas": 1, "availableReplicas": 2 }),
            json!({ "observedGeneration": 4, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3 }),
            json!({ "observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1 }),
        ] {
            assert!(matches!(rollout(Some(&deployment(2, &status))), Rollout::InProgress(_)), "{status}");
        }
        assert_eq!(rollout(None), Rollout::Absent);
    }

    #[test]
    fn what_keeps_pods_from_being_made_is_said() {
        let refused = json!({ "type": "ReplicaFailure", "status": "True", "message": "exceeded quota" });
        let late = json!({ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" });
        let status = |conditions: Value| json!({ "observedGeneration": 4, "conditions": conditions });
        assert_eq!(
            rollout(Some(&deployment(1, &status(json!([refused]))))),
            Rollout::InProgress("pods cannot be made: exceeded quota".into())
        );
        assert_eq!(
            rollout(Some(&deployment(1, &status(json!([late, refused]))))),
            Rollout::Stalled("the new pods did not become ready in time: exceeded quota".into())
        );
    }
}
