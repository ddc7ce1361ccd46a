//! The pod.

use k8s_openapi::{
    api::core::v1::{
        Capabilities, ConfigMapProjection, ConfigMapVolumeSource, Container, ContainerPort, EnvVar,
        EnvVarSource, HTTPGetAction, KeyToPath, Lifecycle, LifecycleHandler, ObjectFieldSelector,
        PodSecurityContext, PodSpec, Probe, ProjectedVolumeSource, ResourceRequirements,
        SeccompProfile, SecretProjection, SecurityContext, SleepAction, TopologySpreadConstraint,
        Volume, VolumeMount, VolumeProjection,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use lenses_mcp_crds::SERVER_CONTAINER;

use super::LEAVE_SECONDS;
use crate::{
    controller::{
        build::{
            config_map,
            pod_layout::{
                ADMIN_PORT, ADMIN_PORT_NAME, LENSES_CA, LENSES_CLIENT, MCP_PORT, MCP_PORT_NAME,
                PROXY_CREDENTIALS, SECRETS_DIRECTORY, SETTINGS_DIRECTORY, SETTINGS_FILE,
                SHUTDOWN_GRACE_SECONDS, TLS,
            },
            sealing_key::SEALING_KEY,
        },
        validate::{Callers, SignIn, ValidServer},
    },
    names::{SETTINGS_VOLUME, selector},
};

/// Readable by any user. The files belong to root, and the pod names no user and no group, because
/// an `OpenShift` cluster assigns them. Only the server's container mounts the files.
const SECRET_MODE: i32 = 0o444;

pub(super) fn build(server: &ValidServer) -> PodSpec {
    PodSpec {
        service_account_name: Some(server.name.clone()),
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        // Leaving, ending, and some time to spare.
        termination_grace_period_seconds: Some(LEAVE_SECONDS + SHUTDOWN_GRACE_SECONDS + 5),
        image_pull_secrets: (!server.image.pull_secrets.is_empty())
            .then(|| server.image.pull_secrets.clone()),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        topology_spread_constraints: Some(vec![TopologySpreadConstraint {
            max_skew: 1,
            topology_key: "kubernetes.io/hostname".to_owned(),
            when_unsatisfiable: "ScheduleAnyway".to_owned(),
            label_selector: Some(LabelSelector {
                match_labels: Some(selector(&server.name)),
                ..LabelSelector::default()
            }),
            ..TopologySpreadConstraint::default()
        }]),
        containers: vec![container(server)],
        volumes: Some(volumes(server)),
        ..PodSpec::default()
    }
}

fn container(server: &ValidServer) -> Container {
    let port = |name: &str, port: u16| ContainerPort {
        name: Some(name.to_owned()),
        container_port: port.into(),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    let mount = |name: &str, path: &str| VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    Container {
        name: SERVER_CONTAINER.to_owned(),
        image: Some(server.image.name.clone()),
        image_pull_policy: Some(server.image.pull_policy.as_str().to_owned()),
        env: Some(environment()),
        ports: Some(vec![port(MCP_PORT_NAME, MCP_PORT), port(ADMIN_PORT_NAME, ADMIN_PORT)]),
        liveness_probe: Some(probe("/livez", 10)),
        readiness_probe: Some(probe("/readyz", 2)),
        // What the server says when it cannot start is told in the condition.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(LifecycleHandler {
                sleep: Some(SleepAction { seconds: LEAVE_SECONDS }),
                ..LifecycleHandler::default()
            }),
            ..Lifecycle::default()
        }),
        resources: Some(ResourceRequirements {
            requests: (!server.pods.requests.is_empty()).then(|| server.pods.requests.clone()),
            limits: (!server.pods.limits.is_empty()).then(|| server.pods.limits.clone()),
            ..ResourceRequirements::default()
        }),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            read_only_root_filesystem: Some(true),
            capabilities: Some(Capabilities {
                drop: Some(vec!["ALL".to_owned()]),
                ..Capabilities::default()
            }),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(vec![
            mount(SETTINGS_VOLUME, SETTINGS_DIRECTORY),
            mount("secrets", SECRETS_DIRECTORY),
        ]),
        ..Container::default()
    }
}

/// The two settings that the file cannot hold: where it is, and the pod's own address, at which the
/// other pods hand on answers.
fn environment() -> Vec<EnvVar> {
    vec![
        EnvVar {
            name: "MCP_SETTINGS_FILE".to_owned(),
            value: Some(format!("{SETTINGS_DIRECTORY}/{SETTINGS_FILE}")),
            ..EnvVar::default()
        },
        EnvVar {
            name: "MCP_REPLICA_HOST".to_owned(),
            value_from: Some(EnvVarSource {
                field_ref: Some(ObjectFieldSelector {
                    field_path: "status.podIP".to_owned(),
                    ..ObjectFieldSelector::default()
                }),
                ..EnvVarSource::default()
            }),
            ..EnvVar::default()
        },
    ]
}

fn probe(path: &str, period_seconds: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String(ADMIN_PORT_NAME.to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period_seconds),
        timeout_seconds: Some(3),
        ..Probe::default()
    }
}

fn volumes(server: &ValidServer) -> Vec<Volume> {
    let mut sources = vec![secret(&server.name, &[(SEALING_KEY, "sealing-key")])];
    match &server.sign_in {
        SignIn::OAuth { client_credentials, .. } => {
            sources.extend(client_credentials.as_ref().map(|name| {
                secret(
                    name,
                    &[
                        ("client_id", "introspection-client-id"),
                        ("client_secret", "introspection-client-secret"),
                    ],
                )
            }));
        }
        SignIn::ApiKey { key, callers } => {
            sources.push(secret(&key.name, &[(&key.key, "lenses-api-key")]));
            if let Callers::Token(token) = callers {
                sources.push(secret(&token.name, &[(&token.key, "caller-token")]));
            }
        }
    }
    sources.extend(trust(server));
    vec![
        Volume {
            name: SETTINGS_VOLUME.to_owned(),
            config_map: Some(ConfigMapVolumeSource {
                name: config_map::name(server),
                ..ConfigMapVolumeSource::default()
            }),
            ..Volume::default()
        },
        Volume {
            name: "secrets".to_owned(),
            projected: Some(ProjectedVolumeSource {
                default_mode: Some(SECRET_MODE),
                sources: Some(sources),
            }),
            ..Volume::default()
        },
    ]
}

/// Certificates: which HQ is trusted, what is shown to it, and what clients are shown. And what is shown
/// to the proxy.
fn trust(server: &ValidServer) -> Vec<VolumeProjection> {
    let mut sources = Vec::new();
    if let Some(bundle) = &server.lenses.ca {
        sources.extend(
            bundle.secret_key_ref.as_ref().map(|key| secret(&key.name, &[(&key.key, LENSES_CA)])),
        );
        sources.extend(bundle.config_map_key_ref.as_ref().map(|key| VolumeProjection {
            config_map: Some(ConfigMapProjection {
                name: key.name.clone(),
                items: Some(vec![KeyToPath {
                    key: key.key.clone(),
                    path: LENSES_CA.to_owned(),
                    mode: None,
                }]),
                ..ConfigMapProjection::default()
            }),
            ..VolumeProjection::default()
        }));
    }
    let key_pair = |name: &String, (certificate, key)| {
        secret(name, &[("tls.crt", certificate), ("tls.key", key)])
    };
    sources.extend(
        server.lenses.client_certificate.as_ref().map(|name| key_pair(name, LENSES_CLIENT)),
    );
    sources.extend(server.endpoint.tls.as_ref().map(|name| key_pair(name, TLS)));
    let proxy = server.lenses.proxy.as_ref();
    let (username, password) = PROXY_CREDENTIALS;
    sources.extend(
        proxy
            .and_then(|proxy| proxy.credentials.as_ref())
            .map(|name| secret(name, &[("username", username), ("password", password)])),
    );
    sources
}

/// Keys of a Secret as files of these names.
fn secret(name: &str, items: &[(&str, &str)]) -> VolumeProjection {
    let item = |(key, path): &(&str, &str)| KeyToPath {
        key: (*key).to_owned(),
        path: (*path).to_owned(),
        mode: None,
    };
    VolumeProjection {
        secret: Some(SecretProjection {
            name: name.to_owned(),
            items: Some(items.iter().map(item).collect()),
            ..SecretProjection::default()
        }),
        ..VolumeProjection::default()
    }
}
