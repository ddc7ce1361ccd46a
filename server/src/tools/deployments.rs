//! Where things can be deployed, and what they log there.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    arguments::{Environment, KubernetesName},
    call::Call,
    definition::{Effect, Tool},
    masking,
};
use crate::lenses::{Error, Name, RawObject, Tail};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "get_deployment_targets",
            "Get deployment targets",
            "Shows where an environment can deploy: Kubernetes clusters with namespaces, and \
             Kafka Connect clusters. Call it before create_sql_processor and \
             create_kafka_connector.",
            Effect::Read,
            get_deployment_targets,
        ),
        Tool::new(
            "get_pod_logs",
            "Get pod logs",
            "Gives the log of a pod of a SQL processor or connector; of a long log, the end. \
             get_sql_processor shows the pods. What looks like a secret is shown as ********.",
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
    /// See `get_deployment_targets`.
    cluster: Name,
    /// Its namespace.
    namespace: KubernetesName,
    /// Pod name.
    pod: KubernetesName,
}

async fn get_pod_logs(call: Call, arguments: GetPodLogs) -> Result<String, Error> {
    let GetPodLogs { environment, cluster, namespace, pod } = arguments;
    let limit = call.limits.bytes;
    let log = call.lenses.pod_logs(&environment, &cluster, &namespace, &pod, limit).await;
    let Tail { text, left_out } = log.map_err(masking::mask_error)?;
    let text = masking::mask_log(&text);
    if left_out == 0 {
        return Ok(text);
    }
    Ok(format!(
        "[cut: the first {left_out} bytes of this log are left out, because it is longer than \
         {limit}]\n{text}"
    ))
}
