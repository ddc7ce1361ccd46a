//! Where things can be deployed, and what they log there.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    arguments::{Environment, KubernetesName},
    definition::{Call, Effect, Tool},
};
use crate::lenses::{Error, Name, RawObject, Tail};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "get_deployment_targets",
            "Get deployment targets",
            "Shows where an environment can deploy: Kubernetes clusters with their namespaces for SQL processors, and Kafka \
             Connect clusters for connectors. Call it before create_sql_processor and create_kafka_connector.",
            Effect::Read,
            get_deployment_targets,
        ),
        Tool::new(
            "get_pod_logs",
            "Get pod logs",
            "Gives what a pod of a SQL processor or connector wrote to its log. Of a long log it gives the end, and says \
             so. get_sql_processor shows the pods.",
            Effect::Read,
            get_pod_logs,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetTargets {
    environment: Environment,
}

async fn get_deployment_targets(
    call: Call,
    GetTargets { environment }: GetTargets,
) -> Result<RawObject, Error> {
    call.lenses.deployment_targets(&environment).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetPodLogs {
    environment: Environment,
    /// Name of the Kubernetes cluster, as `get_deployment_targets` shows it.
    cluster: Name,
    /// Kubernetes namespace of the pod.
    namespace: KubernetesName,
    /// Name of the pod.
    pod: KubernetesName,
}

async fn get_pod_logs(call: Call, arguments: GetPodLogs) -> Result<String, Error> {
    let GetPodLogs { environment, cluster, namespace, pod } = arguments;
    let limit = call.limits.bytes;
    let Tail { text, left_out } =
        call.lenses.pod_logs(&environment, &cluster, &namespace, &pod, limit).await?;
    if left_out == 0 {
        return Ok(text);
    }
    Ok(format!(
        "[cut: the first {left_out} bytes of this log are left out, because it is longer than {limit}]\n{text}"
    ))
}
