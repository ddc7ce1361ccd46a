//! Reading what a bundle holds, with the caller's rights. What cannot be read is a gap.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Event, Pod, Secret},
};
use kube::{
    Api, Client, ResourceExt,
    api::{ListParams, LogParams},
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use lenses_mcp_crds::SERVER_CONTAINER;

use super::bundle::Bundle;
use crate::{MANAGER, api_error, commands::version};

/// The longest log that is taken of a container.
const LOG_BYTES_MAX: i64 = 1 << 20;
/// Of how many pods of a server logs are taken.
const PODS_MAX: usize = 20;
/// How many events of a namespace are read.
const EVENTS_MAX: u32 = 2000;

/// The kinds of a server's objects, beside Secrets and pods.
const KINDS: [(&str, &str, &str, &str); 13] = [
    ("apps", "v1", "Deployment", "deployments"),
    ("apps", "v1", "ReplicaSet", "replicasets"),
    ("", "v1", "ConfigMap", "configmaps"),
    ("", "v1", "Service", "services"),
    ("", "v1", "ServiceAccount", "serviceaccounts"),
    ("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    ("networking.k8s.io", "v1", "Ingress", "ingresses"),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
    ("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    ("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors"),
    ("", "v1", "Pod", "pods"),
];

/// Reads everything about these servers and about the operator.
pub(super) async fn collect(client: &Client, servers: &[DynamicObject], lines: u32) -> Bundle {
    let mut collector = Collector { client, lines, bundle: Bundle::default() };
    match version::of_cluster(client).await {
        Ok(versions) => collector.bundle.add_object("versions.yaml".to_owned(), &versions),
        Err(error) => collector.bundle.add_gap("versions", error),
    }
    collector.operators().await;
    for server in servers {
        collector.server(server).await;
    }
    collector.bundle
}

struct Collector<'a> {
    client: &'a Client,
    lines: u32,
    bundle: Bundle,
}

impl Collector<'_> {
    async fn server(&mut self, server: &DynamicObject) {
        let (namespace, name) = (server.namespace().unwrap_or_default(), server.name_any());
        let directory = format!("servers/{namespace}/{name}");
        self.bundle.add_object(format!("{directory}/lensesmcpserver.yaml"), server);
        let selected = ListParams::default().labels(&format!(
            "app.kubernetes.io/name=lenses-mcp-server,app.kubernetes.io/instance={name}"
        ));
        for (group, version, kind, plural) in KINDS {
            let kind = GroupVersionKind::gvk(group, version, kind);
            let kind = ApiResource::from_gvk_with_plural(&kind, plural);
            let api = Api::<DynamicObject>::namespaced_with(self.client.clone(), &namespace, &kind);
            match api.list(&selected).await {
                Ok(list) if list.items.is_empty() => {}
                Ok(list) => {
                    self.bundle.add_object(format!("{directory}/{plural}.yaml"), &list.items);
                }
                Err(error) => self.gap(&format!("{plural} of {namespace}/{name}"), &error),
            }
        }
        // Their data is not even asked for.
        let secrets = Api::<Secret>::namespaced(self.client.clone(), &namespace);
        match secrets.list_metadata(&selected).await {
            Ok(list) => self.bundle.add_object(format!("{directory}/secrets.yaml"), &list.items),
            Err(error) => self.gap(&format!("secrets of {namespace}/{name}"), &error),
        }
        self.events(&namespace, &name, &directory).await;
        self.logs(&namespace, &selected, SERVER_CONTAINER, &directory).await;
    }

    /// The events of the resource and of its objects, whose names begin with its own.
    async fn events(&mut self, namespace: &str, name: &str, directory: &str) {
        let api = Api::<Event>::namespaced(self.client.clone(), namespace);
        let list = match api.list(&ListParams::default().limit(EVENTS_MAX)).await {
            Ok(list) => list,
            Err(error) => return self.gap(&format!("events of {namespace}"), &error),
        };
        let is_about = |event: &&Event| {
            let about = event.involved_object.name.as_deref().unwrap_or_default();
            about.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let events: Vec<_> = list.iter().filter(is_about).collect();
        self.bundle.add_object(format!("{directory}/events.yaml"), &events);
    }

    async fn operators(&mut self) {
        let selected = ListParams::default().labels(&format!("app.kubernetes.io/name={MANAGER}"));
        let list = match Api::<Deployment>::all(self.client.clone()).list(&selected).await {
            Ok(list) => list.items,
            Err(error) => return self.gap("deployments of the operator", &error),
        };
        for operator in list {
            let (namespace, name) = (operator.namespace().unwrap_or_default(), operator.name_any());
            let directory = format!("operators/{namespace}/{name}");
            self.bundle.add_object(format!("{directory}/deployment.yaml"), &operator);
            let instance = operator.labels().get("app.kubernetes.io/instance").cloned();
            let instance = instance.unwrap_or_default();
            let pods = ListParams::default().labels(&format!(
                "app.kubernetes.io/name={MANAGER},app.kubernetes.io/instance={instance}"
            ));
            match Api::<Pod>::namespaced(self.client.clone(), &namespace).list(&pods).await {
                Ok(list) => {
                    self.bundle.add_object(format!("{directory}/pods.yaml"), &list.items);
                }
                Err(error) => self.gap(&format!("pods of {namespace}/{name}"), &error),
            }
            self.logs(&namespace, &pods, "", &directory).await;
        }
    }

    /// The logs of the container of this name in each pod, or of its first container. Those of
    /// other containers are not taken: what they write is not known here.
    async fn logs(
        &mut self,
        namespace: &str,
        selected: &ListParams,
        container: &str,
        directory: &str,
    ) {
        let api = Api::<Pod>::namespaced(self.client.clone(), namespace);
        let pods = match api.list(selected).await {
            Ok(pods) => pods.items,
            Err(error) => return self.gap(&format!("pods in {namespace}"), &error),
        };
        if pods.len() > PODS_MAX {
            let why = format!("only {PODS_MAX} of {} pods", pods.len());
            self.bundle.add_gap(format_args!("logs in {directory}"), why);
        }
        for pod in pods.iter().take(PODS_MAX) {
            let containers =
                pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
            let mut containers = containers.into_iter().flatten();
            let Some(status) =
                containers.find(|status| container.is_empty() || status.name == container)
            else {
                continue;
            };
            let previous =
                [false, true].into_iter().take(if status.restart_count > 0 { 2 } else { 1 });
            for previous in previous {
                let parameters = LogParams {
                    container: Some(status.name.clone()),
                    limit_bytes: Some(LOG_BYTES_MAX),
                    tail_lines: Some(self.lines.into()),
                    previous,
                    ..LogParams::default()
                };
                let pod = pod.name_any();
                let suffix = if previous { "-previous" } else { "" };
                match api.logs(&pod, &parameters).await {
                    Ok(log) => {
                        let path = format!("{directory}/logs/{pod}{suffix}.log");
                        self.bundle.add_log(path, &log);
                    }
                    Err(error) => self.gap(&format!("log of {namespace}/{pod}{suffix}"), &error),
                }
            }
        }
    }

    /// An API that the cluster does not have is none.
    fn gap(&mut self, what: &str, error: &kube::Error) {
        match error {
            kube::Error::Api(status) if status.code == 404 => {}
            error => self.bundle.add_gap(what, api_error::message(error)),
        }
    }
}
