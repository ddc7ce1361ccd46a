//! The conditions that a starting node waits for, each seen as a client sees it.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, ServiceAccount};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::runtime::wait::await_condition;
use kube::{Api, Client, Config};

use super::settings::{ETCD_PORT, NODE_NAME};

/// How often a thing that cannot be watched is tried.
const INTERVAL: Duration = Duration::from_millis(50);
/// How long one try may take.
const TRY: Duration = Duration::from_secs(2);

/// A client that signs in as the administrator. Call it in the cluster's network.
pub(super) async fn client(kubeconfig: &Path) -> Result<Client, String> {
    // Only the first call sets it; a program that chose a provider of its own keeps it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = Kubeconfig::read_from(kubeconfig).map_err(|error| error.to_string())?;
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|error| error.to_string())?;
    // A proxy of the person's environment is not reachable from here.
    config.proxy_url = None;
    config.connect_timeout = Some(TRY);
    Client::try_from(config).map_err(|error| error.to_string())
}

pub(super) async fn etcd() {
    until(|| TcpStream::connect(("127.0.0.1", ETCD_PORT)).is_ok()).await;
}

pub(super) async fn containerd(socket: &Path) {
    until(|| UnixStream::connect(socket).is_ok()).await;
}

pub(super) async fn api_server(client: &Client) {
    loop {
        let request = http::Request::get("/readyz").body(Vec::new());
        if let Ok(request) = request
            && matches!(
                tokio::time::timeout(TRY, client.request_text(request)).await,
                Ok(Ok(text)) if text == "ok"
            )
        {
            return;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

pub(super) async fn node(client: &Client) -> Result<(), String> {
    let is_ready = |node: Option<&Node>| {
        let conditions = node
            .and_then(|node| node.status.as_ref())
            .and_then(|status| status.conditions.as_ref());
        conditions.is_some_and(|conditions| {
            conditions
                .iter()
                .any(|condition| condition.type_ == "Ready" && condition.status == "True")
        })
    };
    await_condition(Api::<Node>::all(client.clone()), NODE_NAME, is_ready)
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

pub(super) async fn default_service_account(client: &Client) -> Result<(), String> {
    let is_there = |account: Option<&ServiceAccount>| account.is_some();
    await_condition(Api::<ServiceAccount>::default_namespaced(client.clone()), "default", is_there)
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

/// By the system's resolver, as the programs of `cluster exec` do.
pub(super) async fn dns() {
    while tokio::net::lookup_host(("kubernetes.default.svc.cluster.local", 443)).await.is_err() {
        tokio::time::sleep(INTERVAL).await;
    }
}

async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(INTERVAL).await;
    }
}
