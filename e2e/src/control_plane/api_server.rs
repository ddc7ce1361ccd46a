//! The API server, with the operator's chart installed.

use std::{
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use kube::Client;
use serde_json::{Value, json};

use super::process;
use crate::{
    bed::{CHART, OPERATOR_NAMESPACE, OPERATOR_RELEASE},
    cluster::{Cluster, ClusterName},
};

/// An API server of this run's own. Dropped, it goes.
pub struct ApiServer {
    /// Where it runs.
    pub cluster: Cluster,
}

impl ApiServer {
    /// Nothing acts on its objects. `purpose` begins the cluster's name.
    #[must_use]
    pub fn start(purpose: &str) -> Self {
        Self { cluster: Cluster::up_api_server(&name(purpose), &say).unwrap() }
    }

    /// Its controllers make pods of Deployments. What is killed of it is started again.
    #[must_use]
    pub fn with_controllers(purpose: &str) -> Self {
        Self { cluster: Cluster::up_control_plane(&name(purpose), &say).unwrap() }
    }

    /// The processor time of the API server so far.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        process::cpu_time(self.component("kube-apiserver").unwrap())
    }

    /// The process of a component, such as `kube-apiserver` or `etcd`, if it runs now.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<u32> {
        let program = self.cluster.kubeconfig().with_file_name("kubernetes");
        let begins = format!("{}\0{name}\0", program.display());
        let is_it = |pid: &u32| {
            let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            arguments.starts_with(begins.as_bytes())
        };
        let processes = std::fs::read_dir("/proc").ok()?;
        let mut ids =
            processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
        ids.find(is_it)
    }

    /// Installs the chart. Its Deployment is an object like any other here; its rights are what the
    /// operator works with.
    pub fn install(&self) {
        let install =
            ["upgrade", "--install", OPERATOR_RELEASE, CHART, "--namespace", OPERATOR_NAMESPACE];
        self.run("helm", &[&install[..], &["--create-namespace"]].concat());
        self.run(
            "kubectl",
            &["wait", "--for=condition=Established", "crd/lensesmcpservers.mcp.lenses.io"],
        );
    }

    /// A client with an administrator's rights.
    pub async fn client(&self) -> Client {
        client(self.kubeconfig()).await
    }

    /// A client with the operator's rights, and so with no more of the API server's attention than
    /// the operator gets.
    pub async fn operators_client(&self) -> Client {
        client(self.as_operator()).await
    }

    /// A kubeconfig with the operator's own rights.
    #[must_use]
    pub fn operators_kubeconfig(&self) -> PathBuf {
        // In memory, and for root alone, as the directory is.
        let path = self.cluster.kubeconfig().with_file_name("operator.kubeconfig");
        std::fs::write(&path, self.as_operator().to_string()).unwrap();
        path
    }

    fn as_operator(&self) -> Value {
        let create = [
            "create",
            "token",
            OPERATOR_RELEASE,
            "--namespace",
            OPERATOR_NAMESPACE,
            "--duration=6h",
        ];
        let token = String::from_utf8(self.run("kubectl", &create).stdout).unwrap();
        let mut kubeconfig = self.kubeconfig();
        kubeconfig["users"][0]["user"] = json!({ "token": token.trim() });
        kubeconfig
    }

    /// It is written as JSON.
    fn kubeconfig(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.cluster.kubeconfig()).unwrap()).unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command: Command = self.cluster.command(program);
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }
}

impl Drop for ApiServer {
    fn drop(&mut self) {
        if let Err(error) = Cluster::down(self.cluster.name(), &say) {
            eprintln!("{error}");
        }
    }
}

fn name(purpose: &str) -> ClusterName {
    format!("{purpose}-{}", std::process::id()).parse().unwrap()
}

async fn client(kubeconfig: Value) -> Client {
    // Only the first call sets it.
    let _set_before = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = serde_json::from_value(kubeconfig).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
    config.proxy_url = None;
    Client::try_from(config).unwrap()
}

fn say(line: &str) {
    eprintln!("{line}");
}
