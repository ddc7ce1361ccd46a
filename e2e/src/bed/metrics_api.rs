//! `metrics.k8s.io` with hand-set figures: what an autoscaler asks, without what measures.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::get,
    serve::Listener,
};
use k8s_openapi::{
    api::core::v1::Pod, jiff::Timestamp,
    kube_aggregator::pkg::apis::apiregistration::v1::APIService,
};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{Bed, Trouble, until};
use crate::cluster::NODE_ADDRESS;

/// The name of its `APIService`, which one test at a time can have.
const API_SERVICE: &str = "v1beta1.metrics.k8s.io";
const SERVICE: &str = "metrics";
/// The label that says whose the `APIService` is.
const NAMESPACE: &str = "e2e/namespace";

/// The API while it is served.
#[derive(Debug)]
pub struct MetricsApi {
    millicores: Arc<AtomicU32>,
    served: JoinHandle<()>,
}

impl MetricsApi {
    /// What each pod uses from now on.
    pub fn set_cpu(&self, millicores: u32) {
        self.millicores.store(millicores, Relaxed);
    }
}

impl Drop for MetricsApi {
    fn drop(&mut self) {
        self.served.abort();
    }
}

#[derive(Clone)]
struct Figures {
    client: Client,
    millicores: Arc<AtomicU32>,
}

impl Bed {
    /// Serves `metrics.k8s.io` for the whole cluster: every pod uses the CPU that
    /// [`MetricsApi::set_cpu`] says, at first none.
    ///
    /// # Errors
    /// When it does not become available.
    pub async fn metrics_api(&self) -> Result<MetricsApi, Trouble> {
        let listener =
            TlsListener { tcp: TcpListener::bind((NODE_ADDRESS, 0)).await?, tls: acceptor()? };
        let port = listener.local_addr()?.port();
        let millicores = Arc::new(AtomicU32::new(0));
        let routes = Router::new()
            .route("/apis/metrics.k8s.io/v1beta1", get(async || Json(resources())))
            .route("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods", get(pods))
            .with_state(Figures {
                client: self.client.clone(),
                millicores: Arc::clone(&millicores),
            });
        let served = tokio::spawn(async move { drop(axum::serve(listener, routes).await) });
        self.apply(&objects(&self.namespace, port)).await?;
        let services: Api<APIService> = Api::all(self.client.clone());
        until(&services, API_SERVICE, "an available API", |service| {
            let conditions =
                service.and_then(|service| service.status.as_ref()?.conditions.as_ref());
            conditions
                .is_some_and(|all| all.iter().any(|c| c.type_ == "Available" && c.status == "True"))
        })
        .await?;
        Ok(MetricsApi { millicores, served })
    }

    /// Removes the `APIService`, if it is this namespace's: while one is registered that does not
    /// answer, no namespace can go.
    pub(super) async fn remove_metrics_api(&self) -> Result<(), kube::Error> {
        let services: Api<APIService> = Api::all(self.client.clone());
        let own = ListParams::default().labels(&format!("{NAMESPACE}={}", self.namespace));
        services.delete_collection(&DeleteParams::default(), &own).await.map(drop)
    }
}

fn resources() -> Value {
    json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "metrics.k8s.io/v1beta1",
        "resources": [
            {
                "name": "pods", "singularName": "", "namespaced": true, "kind": "PodMetrics",
                "verbs": ["get", "list"]
            },
        ],
    })
}

#[derive(Deserialize)]
struct Selection {
    #[serde(default, rename = "labelSelector")]
    label_selector: String,
}

async fn pods(
    State(figures): State<Figures>,
    Path(namespace): Path<String>,
    Query(selection): Query<Selection>,
) -> Result<Json<Value>, StatusCode> {
    let pods: Api<Pod> = Api::namespaced(figures.client, &namespace);
    let selected = pods.list(&ListParams::default().labels(&selection.label_selector)).await;
    let now = Timestamp::now().to_string();
    let cpu = format!("{}m", figures.millicores.load(Relaxed));
    let metrics = |pod: Pod| {
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let usage = json!({"cpu": cpu, "memory": "16Mi"});
        let containers: Vec<_> =
            containers.map(|c| json!({"name": c.name, "usage": usage})).collect();
        json!({
            "metadata": {"name": pod.name_any(), "namespace": namespace, "labels": pod.labels()},
            "timestamp": now, "window": "1s", "containers": containers,
        })
    };
    let items: Vec<_> =
        selected.map_err(|_| StatusCode::BAD_GATEWAY)?.into_iter().map(metrics).collect();
    Ok(Json(json!({
        "kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {},
        "items": items
    })))
}

fn objects(namespace: &str, port: u16) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": SERVICE, "namespace": namespace},
            "spec": {"ports": [{"name": "https", "port": 443, "targetPort": port}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {
                "name": SERVICE, "namespace": namespace,
                "labels": {"kubernetes.io/service-name": SERVICE}
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": port}],
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": {"name": API_SERVICE, "labels": {NAMESPACE: namespace}},
            "spec": {
                "group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": true,
                "service": {"name": SERVICE, "namespace": namespace, "port": 443},
            },
        },
    ]})
}

/// The API server calls over TLS and is told not to look at the certificate.
fn acceptor() -> Result<TlsAcceptor, Trouble> {
    let certified = rcgen::generate_simple_self_signed([SERVICE.to_owned()])?;
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

struct TlsListener {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // A caller that goes away before it is let in is not this server's fault.
            if let Ok((stream, address)) = self.tcp.accept().await
                && let Ok(stream) = self.tls.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
