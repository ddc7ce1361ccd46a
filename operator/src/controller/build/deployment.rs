//! The Deployment: pods that hold the `restricted` Pod Security Standard, mount their settings and secrets as files, and are
//! replaced without losing a request.
//!
//! The pod template names the `ConfigMap` of the settings by their digest, and carries a digest of what stands for the content of
//! Secrets and of others' `ConfigMaps`, so that a change of either rolls the pods; the server reads these at its start only. Content
//! is stood for by its `resourceVersion`, since the operator never reads it: editing labels rolls the pods too, which costs little
//! and misses nothing. The certificate of the endpoint is the exception: the server watches its files.

mod pod;

use std::collections::BTreeMap;

use k8s_openapi::{
    DeepMerge,
    api::{
        apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment},
        core::v1::PodTemplateSpec,
    },
    apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta},
};

use super::{digest, metadata};
use crate::{
    controller::{
        observed::ContentVersion,
        validate::{Replicas, ValidServer},
    },
    names::{ACCESS, NARROWED, SCALED_BY, SECRETS_DIGEST, TEMPLATE, labels, selector},
};

/// How long a pod waits before SIGTERM, until no Service leads to it any more.
const LEAVE_SECONDS: i64 = 5;
/// How long a pod must have been ready before it counts: until every node's kube-proxy, which gathers changes for a second, leads
/// the Service to it. Before that a client may be refused, and an old pod must not go.
const MIN_READY_SECONDS: i32 = 2;
pub(super) fn build(server: &ValidServer, sealing_key: &str) -> Deployment {
    let replicas = match &server.pods.replicas {
        Replicas::Fixed(number) => Some(*number),
        Replicas::Autoscaled(_) => None,
    };
    Deployment {
        metadata: ObjectMeta { annotations: Some(decisions(server)), ..metadata(server) },
        spec: Some(DeploymentSpec {
            replicas,
            // Nobody else's to decide: a Deployment that is paused follows no change.
            paused: Some(false),
            min_ready_seconds: Some(MIN_READY_SECONDS),
            // Nothing goes back to an old template but by this operator, which makes it anew; and the
            // settings of old pods are deleted with their ReplicaSet.
            revision_history_limit: Some(0),
            progress_deadline_seconds: Some(server.pods.progress_deadline_seconds),
            selector: LabelSelector {
                match_labels: Some(selector(&server.name)),
                ..LabelSelector::default()
            },
            strategy: Some(strategy(server)),
            template: marked(template(server, sealing_key)),
        }),
        ..Deployment::default()
    }
}

/// The old pods serve until the new ones do, unless they give what is no longer to be given.
fn strategy(server: &ValidServer) -> DeploymentStrategy {
    if server.narrowed.is_some() {
        return DeploymentStrategy { type_: Some("Recreate".to_owned()), rolling_update: None };
    }
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(server.pods.max_surge.clone()),
            max_unavailable: Some(server.pods.max_unavailable.clone()),
        }),
    }
}

/// What later reconciles decide by: what the pods let their callers do, what has been changed about that, and who says how many
/// pods there are.
fn decisions(server: &ValidServer) -> BTreeMap<String, String> {
    let narrowed = server.narrowed.clone().map(|narrowed| (NARROWED.to_owned(), narrowed));
    let scaled_by = matches!(server.pods.replicas, Replicas::Autoscaled(_))
        .then(|| (SCALED_BY.to_owned(), "HorizontalPodAutoscaler".to_owned()));
    let access = (ACCESS.to_owned(), server.access.annotation());
    [access].into_iter().chain(narrowed).chain(scaled_by).collect()
}

/// The pod template, with what the spec adds to it merged in as Kubernetes merges: lists of named things item by item. The schema has
/// refused what must not be changed.
fn template(server: &ValidServer, sealing_key: &str) -> PodTemplateSpec {
    let mut template = PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels(&server.name)),
            annotations: Some(digests(server, sealing_key)),
            ..ObjectMeta::default()
        }),
        spec: Some(pod::build(server)),
    };
    if let Some(more) = &server.pods.template {
        template.merge_from((**more).clone());
    }
    template
}

/// The template with its own digest.
fn marked(mut template: PodTemplateSpec) -> PodTemplateSpec {
    // Every key of a template is text, so there is nothing in it that JSON cannot hold.
    let json = serde_json::to_vec(&template).unwrap_or_default();
    let annotations = template.metadata.get_or_insert_default().annotations.get_or_insert_default();
    annotations.insert(TEMPLATE.to_owned(), digest([json]));
    template
}

fn digests(server: &ValidServer, sealing_key: &str) -> BTreeMap<String, String> {
    let contents = server.contents.secrets.iter().chain(&server.contents.config_maps);
    let secrets = contents.flat_map(|(name, version)| {
        let ContentVersion { uid, resource_version } = version;
        [name.as_str(), uid, resource_version]
    });
    // The sealing key is immutable: it changes only with its Secret.
    let secrets = digest(secrets.chain([sealing_key]));
    BTreeMap::from([(SECRETS_DIGEST.to_owned(), secrets)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::{
        build::config_map,
        fixtures::{api_key_server, metadata_json, oauth_server, valid},
    };

    fn of(server: &ValidServer) -> serde_json::Value {
        serde_json::to_value(build(server, server.contents.sealing_key.as_ref().unwrap())).unwrap()
    }

    #[test]
    fn the_whole_object() {
        let server = valid(&oauth_server());
        let mut object = of(&server);
        assert_eq!(
            object["metadata"].as_object_mut().unwrap().remove("annotations").unwrap(),
            json!({ ACCESS: server.access.annotation() })
        );
        let annotations = object["spec"]["template"]["metadata"]["annotations"].take();
        for name in [SECRETS_DIGEST, TEMPLATE] {
            assert_eq!(annotations[name].as_str().unwrap().len(), 43, "{name}");
        }
        let labels = metadata_json()["labels"].clone();
        let selector = json!({ "app.kubernetes.io/name": "lenses-mcp-server", "app.kubernetes.io/instance": "team-mcp" });
        let wanted = json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata_json(),
            "spec": {
                "replicas": 3,
                "paused": false,
                "minReadySeconds": 2,
                "revisionHistoryLimit": 0,
                "progressDeadlineSeconds": 300,
                "selector": { "matchLabels": selector },
                "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } },
                "template": {
                    "metadata": { "labels": labels, "annotations": null },
                    "spec": {
                        "serviceAccountName": "team-mcp",
                        "automountServiceAccountToken": false,
                        "enableServiceLinks": false,
                        "terminationGracePeriodSeconds": 35,
                        "securityContext": {
                            "runAsNonRoot": true,
                            "seccompProfile": { "type": "RuntimeDefault" },
                        },
                        "topologySpreadConstraints": [{
                            "maxSkew": 1,
                            "topologyKey": "kubernetes.io/hostname",
                            "whenUnsatisfiable": "ScheduleAnyway",
                            "labelSelector": { "matchLabels": selector },
                        }],
                        "containers": [{
                            "name": "lenses-mcp-server",
                            "image": "registry.example/default:1",
                            "imagePullPolicy": "IfNotPresent",
                            "env": [
                                { "name": "MCP_SETTINGS_FILE", "value": "/etc/lenses-mcp/settings.env" },
                                { "name": "MCP_REPLICA_HOST", "valueFrom": { "fieldRef": { "fieldPath": "status.podIP" } } },
                            ],
                            "ports": [
                                { "name": "mcp", "containerPort": 8000, "protocol": "TCP" },
                                { "name": "admin", "containerPort": 9090, "protocol": "TCP" },
                            ],
                            "livenessProbe": { "httpGet": { "path": "/livez", "port": "admin" }, "periodSeconds": 10, "timeoutSeconds": 3 },
                            "readinessProbe": { "httpGet": { "path": "/readyz", "port": "admin" }, "periodSeconds": 2, "timeoutSeconds": 3 },
                            "terminationMessagePolicy": "FallbackToLogsOnError",
                            "lifecycle": { "preStop": { "sleep": { "seconds": 5 } } },
                            "resources": { "requests": { "cpu": "50m", "memory": "64Mi" }, "limits": { "memory": "256Mi" } },
                            "securityContext": {
                                "allowPrivilegeEscalation": false,
                                "readOnlyRootFilesystem": true,
                                "capabilities": { "drop": ["ALL"] },
                            },
                            "volumeMounts": [
                                { "name": "settings", "mountPath": "/etc/lenses-mcp", "readOnly": true },
                                { "name": "secrets", "mountPath": "/var/run/lenses-mcp", "readOnly": true },
                            ],
                        }],
                        "volumes": [
                            { "name": "settings", "configMap": { "name": config_map::name(&server) } },
                            { "name": "secrets", "projected": { "defaultMode": 292, "sources": [
                                { "secret": { "name": "team-mcp", "items": [{ "key": "sealing-key", "path": "sealing-key" }] } },
                                { "secret": { "name": "hq-client", "items": [
                                    { "key": "client_id", "path": "introspection-client-id" },
                                    { "key": "client_secret", "path": "introspection-client-secret" },
                                ] } },
                            ] } },
                        ],
                    },
                },
            },
        });
        assert_eq!(object, wanted);
    }

    #[test]
    fn what_was_narrowed_takes_the_old_pods_down_first() {
        let mut server = valid(&oauth_server());
        server.narrowed = Some("less".into());
        let object = of(&server);
        assert_eq!(object["spec"]["strategy"], json!({ "type": "Recreate" }));
        assert_eq!(object["metadata"]["annotations"][NARROWED], "less");
    }

    #[test]
    fn an_autoscaled_deployment_leaves_the_number_of_pods_alone_and_says_so() {
        let mut server = oauth_server();
        server.spec.autoscaling =
            Some(serde_json::from_value(json!({ "maxReplicas": 5 })).unwrap());
        let object = of(&valid(&server));
        assert_eq!(object["spec"].get("replicas"), None);
        assert_eq!(object["metadata"]["annotations"][SCALED_BY], json!("HorizontalPodAutoscaler"));
    }

    #[test]
    fn api_key_mode_mounts_the_key_and_the_callers_token_under_the_servers_names() {
        let object = of(&valid(&api_key_server()));
        let sources = &object["spec"]["template"]["spec"]["volumes"][1]["projected"]["sources"];
        assert_eq!(
            *sources,
            json!([
                { "secret": { "name": "team-mcp", "items": [{ "key": "sealing-key", "path": "sealing-key" }] } },
                { "secret": { "name": "hq-account", "items": [{ "key": "hq-token", "path": "lenses-api-key" }] } },
                { "secret": { "name": "our-callers", "items": [{ "key": "bearer", "path": "caller-token" }] } },
            ])
        );
    }

    #[test]
    fn certificates_are_mounted_beside_the_secrets() {
        let mut server = api_key_server();
        server.spec.lenses.ca_bundle = serde_json::from_value(
            json!({ "configMapKeyRef": { "name": "authorities", "key": "ca.pem" } }),
        )
        .unwrap();
        server.spec.lenses.client_certificate =
            serde_json::from_value(json!({ "secretName": "mtls" })).unwrap();
        server.spec.endpoint.tls =
            serde_json::from_value(json!({ "secretName": "certificate" })).unwrap();
        let pair = |name: &str, [certificate, key]: [&str; 2]| {
            let items = json!([{ "key": "tls.crt", "path": certificate }, { "key": "tls.key", "path": key }]);
            json!({ "secret": { "name": name, "items": items } })
        };
        let object = of(&valid(&server));
        let sources = &object["spec"]["template"]["spec"]["volumes"][1]["projected"]["sources"];
        assert_eq!(
            sources.as_array().unwrap()[3..],
            [
                json!({ "configMap": { "name": "authorities", "items": [{ "key": "ca.pem", "path": "lenses-ca.crt" }] } }),
                pair("mtls", ["lenses-client.crt", "lenses-client.key"]),
                pair("certificate", ["tls.crt", "tls.key"]),
            ]
        );
        server.spec.lenses.ca_bundle =
            serde_json::from_value(json!({ "secretKeyRef": { "name": "mtls", "key": "ca.crt" } }))
                .unwrap();
        let object = of(&valid(&server));
        assert_eq!(
            object["spec"]["template"]["spec"]["volumes"][1]["projected"]["sources"][3],
            json!({ "secret": { "name": "mtls", "items": [{ "key": "ca.crt", "path": "lenses-ca.crt" }] } })
        );
    }

    #[test]
    fn a_new_certificate_of_the_endpoint_does_not_roll_the_pods() {
        let mut server = api_key_server();
        server.spec.endpoint.tls =
            serde_json::from_value(json!({ "secretName": "certificate" })).unwrap();
        assert!(!valid(&server).contents.secrets.contains_key("certificate"));
    }

    #[test]
    fn a_pod_template_is_merged_by_name_and_lists_without_names_are_replaced() {
        let base = of(&valid(&oauth_server()))["spec"]["template"].clone();
        // What is written, where it shows, and what is there then.
        for (written, pointer, there) in [
            (
                json!({ "metadata": { "labels": { "team": "a" } } }),
                "/metadata/labels/team",
                json!("a"),
            ),
            (
                json!({ "metadata": { "labels": { "team": "a" } } }),
                "/metadata/labels/app.kubernetes.io~1name",
                json!("lenses-mcp-server"),
            ),
            (
                json!({ "metadata": { "annotations": { "x/y": "z" } } }),
                "/metadata/annotations/x~1y",
                json!("z"),
            ),
            (
                json!({ "spec": { "nodeSelector": { "pool": "a" } } }),
                "/spec/nodeSelector",
                json!({ "pool": "a" }),
            ),
            (
                json!({ "spec": { "tolerations": [{ "key": "a" }] } }),
                "/spec/tolerations",
                json!([{ "key": "a" }]),
            ),
            (
                json!({ "spec": { "priorityClassName": "high" } }),
                "/spec/priorityClassName",
                json!("high"),
            ),
            (
                json!({ "spec": { "affinity": { "nodeAffinity": {} } } }),
                "/spec/affinity",
                json!({ "nodeAffinity": {} }),
            ),
            (
                json!({ "spec": { "topologySpreadConstraints": [{ "maxSkew": 2, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule" }] } }),
                "/spec/topologySpreadConstraints/0/whenUnsatisfiable",
                json!("DoNotSchedule"),
            ),
            (
                json!({ "spec": { "topologySpreadConstraints": [{ "maxSkew": 2, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule" }] } }),
                "/spec/topologySpreadConstraints/1/topologyKey",
                json!("zone"),
            ),
            (
                json!({ "spec": { "containers": [{ "name": "proxy", "image": "envoy:1" }] } }),
                "/spec/containers/1",
                json!({ "name": "proxy", "image": "envoy:1" }),
            ),
            (
                json!({ "spec": { "initContainers": [{ "name": "wait", "image": "w:1" }] } }),
                "/spec/initContainers",
                json!([{ "name": "wait", "image": "w:1" }]),
            ),
            (
                json!({ "spec": { "containers": [{ "name": "lenses-mcp-server", "env": [{ "name": "TZ", "value": "UTC" }] }] } }),
                "/spec/containers/0/env",
                json!([
                    { "name": "MCP_SETTINGS_FILE", "value": "/etc/lenses-mcp/settings.env" },
                    { "name": "MCP_REPLICA_HOST", "valueFrom": { "fieldRef": { "fieldPath": "status.podIP" } } },
                    { "name": "TZ", "value": "UTC" },
                ]),
            ),
            (
                json!({ "spec": { "containers": [{ "name": "lenses-mcp-server", "volumeMounts": [{ "name": "cache", "mountPath": "/cache" }] }] } }),
                "/spec/containers/0/volumeMounts/2",
                json!({ "name": "cache", "mountPath": "/cache" }),
            ),
            (
                json!({ "spec": { "volumes": [{ "name": "cache", "emptyDir": {} }] } }),
                "/spec/volumes/2",
                json!({ "name": "cache", "emptyDir": {} }),
            ),
            (
                json!({ "spec": { "containers": [{ "name": "lenses-mcp-server", "readinessProbe": { "periodSeconds": 7 } }] } }),
                "/spec/containers/0/readinessProbe",
                json!({ "httpGet": { "path": "/readyz", "port": "admin" }, "periodSeconds": 7, "timeoutSeconds": 3 }),
            ),
            (
                json!({ "spec": { "securityContext": { "fsGroup": 1000 } } }),
                "/spec/securityContext/fsGroup",
                json!(1000),
            ),
            (
                json!({ "spec": { "securityContext": { "fsGroup": 1000 } } }),
                "/spec/securityContext/runAsNonRoot",
                json!(true),
            ),
        ] {
            let mut server = oauth_server();
            server.spec.pod_template = Some(serde_json::from_value(written.clone()).unwrap());
            let template = of(&valid(&server))["spec"]["template"].clone();
            assert_eq!(template.pointer(pointer), Some(&there), "{written}");
            assert_eq!(
                template["spec"]["containers"][0]["image"], base["spec"]["containers"][0]["image"],
                "{written}"
            );
        }
    }

    #[test]
    fn the_pods_roll_when_a_secret_or_a_setting_changes_and_only_then() {
        let template = |change: &dyn Fn(&mut ValidServer)| {
            let mut server = valid(&oauth_server());
            change(&mut server);
            of(&server)["spec"]["template"].to_string()
        };
        let before = template(&|_| {});
        assert_eq!(before, template(&|server| server.pods.replicas = Replicas::Fixed(9)));
        assert_ne!(
            before,
            template(&|server| server.endpoint.advertised_url = "https://other.example.com".into())
        );
        assert_ne!(
            before,
            template(&|server| server
                .contents
                .secrets
                .get_mut("hq-client")
                .unwrap()
                .resource_version = "8".into())
        );
        assert_ne!(
            before,
            template(&|server| server.contents.secrets.get_mut("hq-client").unwrap().uid =
                "remade".into())
        );
        assert_ne!(before, template(&|server| server.contents.sealing_key = Some("remade".into())));
        let version = ContentVersion { uid: "u".into(), resource_version: "1".into() };
        assert_ne!(
            before,
            template(&|server| drop(
                server.contents.config_maps.insert("authorities".into(), version.clone())
            ))
        );
    }
}
