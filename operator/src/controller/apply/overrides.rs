//! What others have put into the server's own container that would change what it is, though
//! nothing of this operator's was touched. Pure.
//!
//! Server-side apply leaves items of others in lists, and that is well: an injector's sidecar,
//! volume or variable stays. But the server reads its environment before its settings file, so one
//! variable (`kubectl set env`) could turn sign-in off, and so could a command, its arguments, or a
//! file mounted over its settings. These are taken out.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{Container, EnvVar, VolumeMount},
};
use lenses_mcp_crds::{SERVER_CONTAINER, is_server_setting};
use serde_json::{Map, Value, json};

use crate::{controller::build::DIRECTORIES, watching::deployment::server_container};

/// The strategic merge patch that takes them out, if there are any.
pub(super) fn overrides(wanted: &Deployment, observed: &Deployment) -> Option<Value> {
    let (wanted, observed) = (server_container(wanted)?, server_container(observed)?);
    let mut container = Map::new();
    let env: Vec<_> = observed
        .env
        .iter()
        .flatten()
        .filter(|variable| overrides_setting(wanted, variable))
        .map(drop_variable)
        .collect();
    if !env.is_empty() {
        container.insert("env".to_owned(), env.into());
    }
    let mounts: Vec<_> = observed
        .volume_mounts
        .iter()
        .flatten()
        .filter(|mount| covers(wanted, mount))
        .map(drop_mount)
        .collect();
    if !mounts.is_empty() {
        container.insert("volumeMounts".to_owned(), mounts.into());
    }
    for (name, there) in [
        ("envFrom", observed.env_from.iter().flatten().next().is_some()),
        ("command", observed.command.iter().flatten().next().is_some()),
        ("args", observed.args.iter().flatten().next().is_some()),
    ] {
        if there {
            container.insert(name.to_owned(), Value::Null);
        }
    }
    if container.is_empty() {
        return None;
    }
    container.insert("name".to_owned(), json!(SERVER_CONTAINER));
    Some(json!({ "spec": { "template": { "spec": { "containers": [container] } } } }))
}

fn overrides_setting(wanted: &Container, variable: &EnvVar) -> bool {
    is_server_setting(&variable.name)
        && !wanted.env.iter().flatten().any(|wanted| wanted.name == variable.name)
}

/// Whether it lies over, or in, what the operator mounts.
fn covers(wanted: &Container, mount: &VolumeMount) -> bool {
    let below = |path: &str, directory: &str| {
        let path = path.trim_end_matches('/');
        path == directory || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
    };
    DIRECTORIES.iter().any(|directory| below(&mount.mount_path, directory))
        && !wanted
            .volume_mounts
            .iter()
            .flatten()
            .any(|wanted| wanted.mount_path == mount.mount_path)
}

fn drop_variable(variable: &EnvVar) -> Value {
    json!({ "name": variable.name, "$patch": "delete" })
}

fn drop_mount(mount: &VolumeMount) -> Value {
    json!({ "mountPath": mount.mount_path, "$patch": "delete" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::{
        build::build,
        fixtures::{oauth_server, valid},
    };

    fn wanted() -> Deployment {
        build(&valid(&oauth_server())).deployment.unwrap()
    }

    /// What the patch says about the server's container, when this is merged into it.
    fn taken_out(change: &Value) -> Option<Value> {
        let wanted = wanted();
        let mut observed = serde_json::to_value(&wanted).unwrap();
        let container = &mut observed["spec"]["template"]["spec"]["containers"][0];
        for (key, value) in change.as_object().unwrap() {
            match (container.get_mut(key), value) {
                (Some(Value::Array(list)), Value::Array(more)) => list.extend(more.iter().cloned()),
                _ => container[key] = value.clone(),
            }
        }
        let patch = overrides(&wanted, &serde_json::from_value(observed).unwrap())?;
        Some(patch["spec"]["template"]["spec"]["containers"][0].clone())
    }

    #[test]
    fn what_would_change_the_server_is_taken_out() {
        for (change, patch) in [
            (
                json!({ "env": [{ "name": "OAUTH_ENABLED", "value": "false" }] }),
                json!({ "env": [{ "name": "OAUTH_ENABLED", "$patch": "delete" }] }),
            ),
            (
                json!({
                    "env": [
                        { "name": "MCP_CALLERS", "value": "anyone" },
                        { "name": "TZ", "value": "UTC" }
                    ]
                }),
                json!({ "env": [{ "name": "MCP_CALLERS", "$patch": "delete" }] }),
            ),
            (
                json!({ "env": [{ "name": "LENSES_API_KEY_FILE", "value": "/x" }] }),
                json!({ "env": [{ "name": "LENSES_API_KEY_FILE", "$patch": "delete" }] }),
            ),
            (
                json!({ "envFrom": [{ "configMapRef": { "name": "x" } }] }),
                json!({ "envFrom": null }),
            ),
            (json!({ "command": ["/bin/sh"] }), json!({ "command": null })),
            (json!({ "args": ["--check"] }), json!({ "args": null })),
            (
                json!({
                    "volumeMounts": [{
                        "name": "x", "mountPath": "/etc/lenses-mcp/settings.env", "subPath": "y"
                    }]
                }),
                json!({
                    "volumeMounts": [{
                        "mountPath": "/etc/lenses-mcp/settings.env", "$patch": "delete"
                    }]
                }),
            ),
        ] {
            let mut patch = patch;
            patch["name"] = json!("lenses-mcp-server");
            assert_eq!(taken_out(&change), Some(patch), "{change}");
        }
    }

    #[test]
    fn the_operators_own_variables_are_no_overrides() {
        let wanted = wanted();
        let own = server_container(&wanted).unwrap().env.iter().flatten();
        let settings: Vec<_> =
            own.map(|variable| &variable.name[..]).filter(|name| is_server_setting(name)).collect();
        assert_eq!(settings, ["MCP_SETTINGS_FILE", "MCP_REPLICA_HOST"]);
        assert_eq!(overrides(&wanted, &wanted), None);
    }

    #[test]
    fn what_others_may_add_stays() {
        for change in [
            json!({}),
            json!({
                "env": [
                    { "name": "TZ", "value": "UTC" },
                    { "name": "HTTPS_PROXY", "value": "http://proxy:3128" }
                ]
            }),
            json!({ "env": [{ "name": "OTEL_RESOURCE_ATTRIBUTES", "value": "a=b" }] }),
            json!({ "volumeMounts": [{ "name": "x", "mountPath": "/etc/lenses-mcp-extra" }] }),
            json!({ "terminationMessagePolicy": "FallbackToLogsOnError" }),
        ] {
            assert_eq!(taken_out(&change), None, "{change}");
        }
    }

    #[test]
    fn every_setting_of_the_server_is_known_as_one() {
        for variable in lenses_mcp_server::settings::variable::ALL {
            // Of OpenTelemetry's, only those that a field stands for. Proxies are the platform's.
            let is_platforms = matches!(variable.name, "HTTPS_PROXY" | "HTTP_PROXY" | "NO_PROXY");
            assert!(
                is_server_setting(variable.name)
                    || is_platforms
                    || variable.name.starts_with("OTEL_"),
                "{}",
                variable.name
            );
        }
    }
}
