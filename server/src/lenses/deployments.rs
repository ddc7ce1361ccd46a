//! Where SQL processors and connectors can be deployed, and what their pods log: the agent's API,
//! through HQ's proxy.

use super::{CallerClient, Error, Name, RawObject, Tail, reply::Reply};

impl CallerClient {
    /// The Kubernetes and Kafka Connect clusters to deploy to: `GET api/v1/deployment/targets`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn deployment_targets(&self, environment: &Name) -> Result<RawObject, Error> {
        self.get(
            "get_deployment_targets",
            self.agent(environment, "api/v1/deployment/targets"),
            Reply::object,
        )
        .await
    }

    /// The last `bytes` of a pod's log: `GET api/v1/k8s/logs/{cluster}/{namespace}/{pod}/download`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub async fn pod_logs(
        &self,
        environment: &Name,
        cluster: &Name,
        namespace: &Name,
        pod: &Name,
        bytes: usize,
    ) -> Result<Tail, Error> {
        let endpoint =
            self.agent(environment, "api/v1/k8s/logs").name(cluster).name(namespace).name(pod);
        self.tail("get_pod_logs", endpoint.path("download"), bytes).await
    }
}
