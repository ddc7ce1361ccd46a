//! An API server with the operator's chart installed, without nodes: the operator runs as a process
//! beside it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use kube::{Client, Config, config::KubeConfigOptions};
use serde_json::{Value, json};

use crate::{
    bed::{CHART, OPERATOR_NAMESPACE, OPERATOR_RELEASE, Trouble},
    cluster::{Cluster, ClusterName, Programs, Say},
};

/// An API server of one process's own. Dropped, it goes.
pub struct ApiServer {
    /// The cluster that it is all of.
    pub cluster: Cluster,
}

impl ApiServer {
    /// Starts one whose objects nothing acts on. Its name begins with `role`.
    ///
    /// # Errors
    /// When it does not start; nothing of it runs then.
    pub fn start(role: &str, programs: Programs) -> Result<Self, Trouble> {
        Ok(Self { cluster: Cluster::up_api_server(&name(role)?, programs, SAY)? })
    }

    /// The same, with controllers, which make pods of Deployments.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn with_controllers(role: &str) -> Result<Self, Trouble> {
        Ok(Self { cluster: Cluster::up_control_plane(&name(role)?, SAY)? })
    }

    /// Installs the chart. Its Deployment is an object like any other here; its rights are what the
    /// operator works with. To be called inside the cluster.
    ///
    /// # Errors
    /// What Helm or kubectl says.
    pub fn install(&self) -> Result<(), Trouble> {
        let install =
            ["upgrade", "--install", OPERATOR_RELEASE, CHART, "--namespace", OPERATOR_NAMESPACE];
        self.run("helm", &[&install[..], &["--create-namespace"]].concat())?;
        let wait = ["wait", "--for=condition=Established", "crd/lensesmcpservers.mcp.lenses.io"];
        self.run("kubectl", &wait).map(drop)
    }

    /// Starts `program` as the operator, with the operator's own rights, its log in the file `log`.
    /// To be called inside the cluster.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn operator(
        &self,
        program: &Path,
        settings: &[(&str, &str)],
        log: &Path,
    ) -> Result<Child, Trouble> {
        let operator = Command::new(program)
            .arg("run")
            .env_clear()
            .env("KUBECONFIG", self.operators_kubeconfig()?)
            .env("POD_NAMESPACE", OPERATOR_NAMESPACE)
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(log)?)
            .spawn()?;
        Ok(operator)
    }

    /// A client with an administrator's rights.
    ///
    /// # Errors
    /// When the kubeconfig can't be used.
    pub async fn client(&self) -> Result<Client, Trouble> {
        client(self.kubeconfig()?).await
    }

    /// A client with the operator's rights, and so with no more of the API server's attention than
    /// the operator gets.
    ///
    /// # Errors
    /// When the API server gives no token.
    pub async fn operators_client(&self) -> Result<Client, Trouble> {
        client(self.as_operator()?).await
    }

    /// It is written as JSON.
    fn kubeconfig(&self) -> Result<Value, Trouble> {
        Ok(serde_json::from_slice(&std::fs::read(self.cluster.kubeconfig())?)?)
    }

    /// A kubeconfig with the operator's own rights.
    fn as_operator(&self) -> Result<Value, Trouble> {
        let token = ["create", "token", OPERATOR_RELEASE, "--namespace", OPERATOR_NAMESPACE];
        let token = self.run("kubectl", &[&token[..], &["--duration=6h"]].concat())?;
        let mut kubeconfig = self.kubeconfig()?;
        let token = String::from_utf8(token.stdout)?;
        kubeconfig["users"][0]["user"] = json!({"token": token.trim()});
        Ok(kubeconfig)
    }

    /// Runs a program with the environment of the cluster. To be called inside it.
    ///
    /// # Errors
    /// What the program writes to its standard error when it fails.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<Output, Trouble> {
        let output = self.cluster.command(program).args(arguments).output()?;
        if output.status.success() {
            Ok(output)
        } else {
            Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr)).into())
        }
    }

    fn operators_kubeconfig(&self) -> Result<PathBuf, Trouble> {
        // In memory, and for root alone, as the directory is.
        let path = self.cluster.kubeconfig().with_file_name("operator.kubeconfig");
        std::fs::write(&path, self.as_operator()?.to_string())?;
        Ok(path)
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        if let Err(error) = Cluster::down(self.cluster.name(), SAY) {
            eprintln!("{error}");
        }
    }
}

async fn client(kubeconfig: Value) -> Result<Client, Trouble> {
    // Only the first call sets it.
    let _set_before = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = serde_json::from_value(kubeconfig)?;
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    config.proxy_url = None;
    Ok(Client::try_from(config)?)
}

fn name(role: &str) -> Result<ClusterName, Trouble> {
    Ok(format!("{role}-{}", std::process::id()).parse()?)
}

const SAY: Say<'static> = &|line| eprintln!("{line}");
