//! APIs that a cluster may lack, to be installed and removed while the operator runs.
//!
//! They are the whole cluster's: a test that needs one to be absent must be the only test of its
//! file.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    runtime::{conditions::is_crd_established, wait::Condition},
};
use tokio::process::Command;

use super::{Trouble, cluster, until};

/// An API that a cluster may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionalApi {
    /// The Gateway API, standard channel.
    Gateway,
    /// `ServiceMonitor` of the Prometheus operator.
    ServiceMonitor,
}

impl OptionalApi {
    /// Installs it and waits until it is served.
    ///
    /// # Errors
    /// What kubectl says.
    pub async fn install(self) -> Result<(), Trouble> {
        kubectl(&["apply", "--server-side"], &self.files()?).await?;
        // "kubectl wait" fails at a definition that has no conditions yet.
        let definitions: Api<CustomResourceDefinition> = Api::all(Client::try_default().await?);
        for file in self.names() {
            let (group, plural) =
                file.trim_end_matches(".yaml").split_once('_').ok_or("no GROUP_PLURAL.yaml")?;
            let name = format!("{plural}.{group}");
            until(&definitions, &name, "an API that is served", |definition| {
                is_crd_established().matches_object(definition)
            })
            .await?;
            // The first list makes its storage, and is tried again until that is there. Without it
            // the definition could not be removed for a minute or more: the API server lists what
            // is to go with it, and backs off.
            kubectl(&["get", "--all-namespaces", &name], &[]).await?;
        }
        Ok(())
    }

    /// Removes it, with all objects of its kinds.
    ///
    /// # Errors
    /// What kubectl says.
    pub async fn remove(self) -> Result<(), Trouble> {
        kubectl(&["delete", "--ignore-not-found", "--wait", "--timeout=60s"], &self.files()?).await
    }

    /// The files of its definitions.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Gateway => &[
                "gateway.networking.k8s.io_gatewayclasses.yaml",
                "gateway.networking.k8s.io_gateways.yaml",
                "gateway.networking.k8s.io_grpcroutes.yaml",
                "gateway.networking.k8s.io_httproutes.yaml",
                "gateway.networking.k8s.io_referencegrants.yaml",
            ],
            Self::ServiceMonitor => &["monitoring.coreos.com_servicemonitors.yaml"],
        }
    }

    fn files(self) -> Result<Vec<String>, Trouble> {
        let cluster = cluster()?;
        let file = |name: &&str| {
            let path = cluster
                .file(name)
                .ok_or_else(|| format!("no {name}: start the cluster with --test-programs"))?;
            Ok(format!("--filename={}", path.display()))
        };
        self.names().iter().map(file).collect()
    }
}

async fn kubectl(arguments: &[&str], files: &[String]) -> Result<(), Trouble> {
    let output = Command::new("kubectl").args(arguments).args(files).output().await?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into())
    }
}
