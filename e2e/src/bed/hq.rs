//! A stand-in HQ in the test's namespace, with its control listener.

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Service};
use kube::{Api, api::PostParams};
use serde_json::{Value, json};

use super::{Bed, Trouble, waiting};
use crate::client::http_client;

/// The image that `make images` builds.
const IMAGE: &str = concat!("docker.io/lensesio/lenses-mcp-e2e-hq:", env!("CARGO_PKG_VERSION"));
/// The token of the stand-in's service account in every test.
pub const SERVICE_ACCOUNT_TOKEN: &str = "sa_for_the_test_bed";

/// A running stand-in.
#[derive(Debug, Clone)]
pub struct Hq {
    name: String,
    host: String,
    http: reqwest::Client,
}

impl Bed {
    /// Starts an HQ named `hq`, set up right, and waits until it answers.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn hq(&self) -> Result<Hq, Trouble> {
        let hq = Hq { name: "hq".to_owned(), host: self.host("hq"), http: http_client()? };
        let (deployment, service) = objects(&hq.name, &hq.issuer());
        let deployments: Api<Deployment> = self.api();
        deployments.create(&PostParams::default(), &serde_json::from_value(deployment)?).await?;
        self.api::<Service>()
            .create(&PostParams::default(), &serde_json::from_value(service)?)
            .await?;
        waiting::until(&deployments, &hq.name, "an HQ that answers", |deployment| {
            let status = deployment.and_then(|deployment| deployment.status.as_ref());
            status.and_then(|status| status.available_replicas) == Some(1)
        })
        .await?;
        Ok(hq)
    }
}

impl Hq {
    /// The name of its Deployment and Service. The Service's port is named `http`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its image, which the nodes have.
    #[must_use]
    pub fn image(&self) -> &'static str {
        IMAGE
    }

    /// Its issuer identifier, which is also the URL at which everyone in the cluster reaches it.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("http://{}:9991", self.host)
    }

    /// Another stand-in, which listens on the same ports at this address.
    #[must_use]
    pub fn another(&self, address: &str) -> Self {
        Self { host: address.to_owned(), ..self.clone() }
    }

    /// Sets exactly these faults; `{}` sets none.
    ///
    /// # Errors
    /// When they are refused.
    pub async fn set_faults(&self, faults: &Value) -> Result<(), Trouble> {
        self.http.put(self.control("faults")).json(faults).send().await?.error_for_status()?;
        Ok(())
    }

    /// How many requests HQ has seen at a path that begins so, since it was started.
    ///
    /// # Errors
    /// When HQ does not tell.
    pub async fn requests(&self, path: &str) -> Result<usize, Trouble> {
        let seen: Vec<Value> = self
            .http
            .get(self.control("requests"))
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        Ok(seen
            .iter()
            .filter(|request| request["target"].as_str().is_some_and(|at| at.starts_with(path)))
            .count())
    }

    /// The connected applications of the user whose token this is.
    ///
    /// # Errors
    /// When HQ refuses.
    pub async fn applications(&self, token: &str) -> Result<Value, Trouble> {
        let request = self.http.get(self.applications_url()).bearer_auth(token);
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    /// Revokes the application `id`, as a person does under "Connected Applications".
    ///
    /// # Errors
    /// When HQ refuses.
    pub async fn revoke_application(&self, token: &str, id: &str) -> Result<(), Trouble> {
        let url = format!("{}/{id}", self.applications_url());
        self.http.delete(url).bearer_auth(token).send().await?.error_for_status()?;
        Ok(())
    }

    fn applications_url(&self) -> String {
        format!("{}/api/v0/users/me/oauth2/authorizations", self.issuer())
    }

    fn control(&self, path: &str) -> String {
        format!("http://{}:9992/{path}", self.host)
    }
}

/// The Deployment and the Service of an HQ. Its state is in its memory, so there is one pod and
/// never two.
#[must_use]
pub fn objects(name: &str, issuer: &str) -> (Value, Value) {
    let labels = json!({"app.kubernetes.io/name": name});
    let arguments = [
        "--listen=0.0.0.0:9991".to_owned(),
        "--control=0.0.0.0:9992".to_owned(),
        format!("--issuer-url={issuer}"),
        format!("--service-account-token={SERVICE_ACCOUNT_TOKEN}"),
    ];
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "strategy": {"type": "Recreate"},
            // Until kube-proxy has heard of the pod, the Service refuses connections.
            "minReadySeconds": 2,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "automountServiceAccountToken": false,
                    "terminationGracePeriodSeconds": 5,
                    "securityContext": {
                        "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [{
                        "name": "hq",
                        "image": IMAGE,
                        "args": arguments,
                        "ports": [
                            {"name": "http", "containerPort": 9991},
                            {"name": "control", "containerPort": 9992}
                        ],
                        "readinessProbe": {
                            "httpGet": {"path": "/faults", "port": "control"}, "periodSeconds": 1
                        },
                        "securityContext": {
                            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }],
                },
            },
        },
    });
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": labels,
            "ports": [
                {"name": "http", "port": 9991, "targetPort": "http"},
                {"name": "control", "port": 9992, "targetPort": "control"}
            ],
        },
    });
    (deployment, service)
}
