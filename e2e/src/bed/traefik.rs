//! A real ingress controller and Gateway: Traefik, as a process on the node, behind a Service of
//! the test's namespace.
//!
//! The Service's DNS name is the public name of what it publishes: pods, the operator and the test
//! all reach it there, by TLS.

use std::{process::Stdio, time::Duration};

use kube::{
    Api,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{Authority, Bed, Trouble, cluster};
use crate::{client::client_trusting, cluster::NODE_ADDRESS};

/// The name of the Service, of the Secret with its certificate, of the `IngressClass`, of the
/// `GatewayClass` and of the Gateway.
const NAME: &str = "traefik";
/// How long Traefik may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// What Traefik looks for in the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishes {
    /// Ingresses of class `traefik`.
    Ingresses,
    /// `HTTPRoutes` of the Gateway `traefik`. The Gateway API must be installed.
    HttpRoutes,
}

/// A running Traefik. It ends when this is dropped.
#[derive(Debug)]
pub struct Traefik {
    host: String,
    http: reqwest::Client,
    _process: Child,
}

impl Bed {
    /// Starts Traefik for this namespace, with a certificate of `authority` in the Secret
    /// `traefik`, and waits until it listens; for [`Publishes::HttpRoutes`] also until its Gateway
    /// is programmed.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn traefik(
        &self,
        publishes: Publishes,
        authority: &Authority,
    ) -> Result<Traefik, Trouble> {
        let cluster = cluster()?;
        let program =
            cluster.file("traefik").ok_or("no Traefik: start the cluster with --test-programs")?;
        // Free a moment ago, in a network that only the tests and the node use.
        let port = TcpListener::bind((NODE_ADDRESS, 0)).await?.local_addr()?.port();
        self.apply(&authority.secret(NAME, &self.host(NAME))?).await?;
        self.apply(&class(publishes)).await?;
        let provider = match publishes {
            Publishes::Ingresses => "kubernetesingress",
            Publishes::HttpRoutes => "kubernetesgateway",
        };
        let address = match publishes {
            Publishes::Ingresses => {
                format!("--providers.{provider}.ingressendpoint.ip={NODE_ADDRESS}")
            }
            Publishes::HttpRoutes => {
                format!("--providers.{provider}.statusaddress.ip={NODE_ADDRESS}")
            }
        };
        let process = Command::new(program)
            .args(["--global.checknewversion=false", "--global.sendanonymoususage=false"])
            .arg(format!(
                "--log.filepath={}",
                cluster.logs().join(format!("traefik-{}.log", self.namespace)).display()
            ))
            .arg(format!("--entrypoints.websecure.address={NODE_ADDRESS}:{port}"))
            .arg("--entrypoints.websecure.http.tls=true")
            .arg("--providers.providersthrottleduration=100ms")
            .arg(format!("--providers.{provider}.namespaces={}", self.namespace))
            .arg(address)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let listens = async {
            while TcpStream::connect((NODE_ADDRESS, port)).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, listens)
            .await
            .map_err(|_| format!("Traefik does not listen {PATIENCE:?} after its start"))?;
        self.apply(&service(port)).await?;
        if publishes == Publishes::HttpRoutes {
            self.gateway(port).await?;
        }
        Ok(Traefik {
            host: self.host(NAME),
            http: client_trusting(&authority.pem())?,
            _process: process,
        })
    }

    async fn gateway(&self, port: u16) -> Result<(), Trouble> {
        self.apply(&json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway",
            "metadata": {"name": NAME},
            "spec": {
                "gatewayClassName": NAME,
                "listeners": [{
                    "name": "https", "protocol": "HTTPS", "port": port,
                    "tls": {"certificateRefs": [{"name": NAME}]},
                }],
            },
        }))
        .await?;
        self.kubectl(
            &["wait", "--for=condition=Programmed", "gateway/traefik", "--timeout=60s"],
            None,
        )
        .await
        .map(drop)
    }

    /// The `HTTPRoutes` of this namespace.
    #[must_use]
    pub fn http_routes(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute");
        Api::namespaced_with(
            self.client.clone(),
            &self.namespace,
            &ApiResource::from_gvk_with_plural(&kind, "httproutes"),
        )
    }
}

impl Traefik {
    /// The host name at which everyone in the cluster reaches what is published, by `https` on its
    /// own port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Waits until what answers at `url` is no longer Traefik itself, which says 404 to what leads
    /// nowhere and 503 to what leads to no pod.
    ///
    /// # Errors
    /// When that does not come in time.
    pub async fn until_it_leads_on(&self, url: &str) -> Result<(), Trouble> {
        let leads = async {
            loop {
                let status = self.http.get(url).send().await.map(|answer| answer.status());
                if status.is_ok_and(|status| {
                    status != StatusCode::NOT_FOUND && !status.is_server_error()
                }) {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(PATIENCE, leads)
            .await
            .map_err(|_| format!("Traefik does not lead on from {url}").into())
    }
}

fn class(publishes: Publishes) -> Value {
    match publishes {
        Publishes::Ingresses => json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
            "metadata": {"name": NAME},
            "spec": {"controller": "traefik.io/ingress-controller"},
        }),
        Publishes::HttpRoutes => json!({
            "apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass",
            "metadata": {"name": NAME},
            "spec": {"controllerName": "traefik.io/gateway-controller"},
        }),
    }
}

/// A Service that leads to the process on the node.
fn service(port: u16) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME},
            "spec": {"ports": [{"name": "https", "port": 443, "targetPort": port}]},
        },
        {
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {"name": NAME, "labels": {"kubernetes.io/service-name": NAME}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": true}}],
            "ports": [{"name": "https", "port": port}],
        },
    ]})
}
