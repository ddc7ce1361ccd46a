//! `spec.podTemplate` without power over the node: what the Pod Security Standard `baseline`
//! forbids is refused, and so is another service account, unless the operator's settings allow
//! both.
//!
//! Not every namespace enforces a Pod Security Standard, and who writes a resource need not be who
//! may create pods.

use serde_json::Value;

use super::Rejection;

/// Capabilities that `baseline` lets a container add.
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];
/// Kernel parameters of the pod alone that `baseline` lets it set.
const SYSCTLS: [&str; 10] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
];
/// Types of `SELinux` that `baseline` knows.
const SE_LINUX_TYPES: [&str; 5] =
    ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
/// What the kubelet calls, and may be told to call on another host.
const HANDLERS: [&str; 5] = [
    "/livenessProbe",
    "/readinessProbe",
    "/startupProbe",
    "/lifecycle/postStart",
    "/lifecycle/preStop",
];
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Checks the template of the pods, as JSON, of the resource `name`.
pub(super) fn check(template: &Value, name: &str, rejections: &mut Vec<Rejection>) {
    for field in host_access(template, name) {
        let message = format!(
            "{field} gives access to the node or to other rights: leave it out, or let the \
             operator's chart set podTemplate.allowHostAccess"
        );
        rejections.push(Rejection::InvalidSpec { field: "spec.podTemplate", message });
    }
}

/// The fields that give power over the node, as `spec.containers[NAME].securityContext.privileged`.
fn host_access(template: &Value, name: &str) -> Vec<String> {
    let pod = &template["spec"];
    let mut fields = Vec::new();
    let annotations = template["metadata"]["annotations"].as_object();
    fields.extend(
        annotations
            .into_iter()
            .flatten()
            .filter(|(key, value)| key.starts_with(APP_ARMOR) && *value == "unconfined")
            .map(|(key, _)| format!("metadata.annotations[{key}]")),
    );
    for flag in ["hostNetwork", "hostPID", "hostIPC"] {
        if pod[flag] == true {
            fields.push(format!("spec.{flag}"));
        }
    }
    for account in ["serviceAccountName", "serviceAccount"] {
        if pod[account].as_str().is_some_and(|account| account != name) {
            fields.push(format!("spec.{account}"));
        }
    }
    for sysctl in items(&pod["securityContext"]["sysctls"]) {
        if !sysctl["name"].as_str().is_some_and(|name| SYSCTLS.contains(&name)) {
            fields.push(format!("spec.securityContext.sysctls[{}]", text(&sysctl["name"])));
        }
    }
    security_context("spec", &pod["securityContext"], &mut fields);
    for volume in items(&pod["volumes"]).filter(|volume| volume["hostPath"].is_object()) {
        fields.push(format!("spec.volumes[{}].hostPath", text(&volume["name"])));
    }
    for list in ["containers", "initContainers"] {
        for container in items(&pod[list]) {
            let path = format!("spec.{list}[{}]", text(&container["name"]));
            of_container(&path, container, &mut fields);
        }
    }
    fields
}

fn of_container(path: &str, container: &Value, fields: &mut Vec<String>) {
    for port in items(&container["ports"]) {
        if port["hostPort"].as_i64().is_some_and(|port| port != 0) {
            fields.push(format!("{path}.ports[{}].hostPort", port["containerPort"]));
        }
    }
    for handler in HANDLERS {
        let Some(found) = container.pointer(handler) else { continue };
        for call in ["httpGet", "tcpSocket"] {
            if found[call]["host"].as_str().is_some_and(|host| !host.is_empty()) {
                fields.push(format!("{path}{}.{call}.host", handler.replace('/', ".")));
            }
        }
    }
    let context = &container["securityContext"];
    if context["privileged"] == true {
        fields.push(format!("{path}.securityContext.privileged"));
    }
    if !matches!(context["procMount"].as_str(), None | Some("" | "Default")) {
        fields.push(format!("{path}.securityContext.procMount"));
    }
    for capability in items(&context["capabilities"]["add"]) {
        if !capability.as_str().is_some_and(|name| CAPABILITIES.contains(&name)) {
            fields.push(format!("{path}.securityContext.capabilities.add[{}]", text(capability)));
        }
    }
    security_context(path, context, fields);
}

/// What a pod and a container have in common.
fn security_context(path: &str, context: &Value, fields: &mut Vec<String>) {
    for profile in ["seccompProfile", "appArmorProfile"] {
        if context[profile]["type"] == "Unconfined" {
            fields.push(format!("{path}.securityContext.{profile}"));
        }
    }
    let se_linux = &context["seLinuxOptions"];
    let is_set = |field: &str| se_linux[field].as_str().is_some_and(|value| !value.is_empty());
    let known = se_linux["type"].as_str().is_none_or(|kind| SE_LINUX_TYPES.contains(&kind));
    if is_set("user") || is_set("role") || !known {
        fields.push(format!("{path}.securityContext.seLinuxOptions"));
    }
    if context["windowsOptions"]["hostProcess"] == true {
        fields.push(format!("{path}.securityContext.windowsOptions.hostProcess"));
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn container(fields: &Value) -> Value {
        let mut container = json!({ "name": "c" });
        container.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "spec": { "containers": [container] } })
    }

    #[test]
    fn each_power_over_the_node_is_refused_by_its_field() {
        let pod = |spec: Value| json!({ "spec": spec });
        let context = |context: Value| container(&json!({ "securityContext": context }));
        let probe = json!({ "httpGet": { "host": "10.0.0.7", "port": 80 } });
        for (template, field) in [
            (pod(json!({ "hostNetwork": true })), "spec.hostNetwork"),
            (pod(json!({ "hostPID": true })), "spec.hostPID"),
            (pod(json!({ "hostIPC": true })), "spec.hostIPC"),
            (pod(json!({ "serviceAccountName": "admin" })), "spec.serviceAccountName"),
            (pod(json!({ "serviceAccount": "admin" })), "spec.serviceAccount"),
            (
                pod(json!({ "volumes": [{ "name": "v", "hostPath": { "path": "/" } }] })),
                "spec.volumes[v].hostPath",
            ),
            (
                pod(json!({ "securityContext": { "sysctls": [{ "name": "kernel.msgmax" }] } })),
                "spec.securityContext.sysctls[kernel.msgmax]",
            ),
            (
                pod(json!({ "securityContext": { "seccompProfile": { "type": "Unconfined" } } })),
                "spec.securityContext.seccompProfile",
            ),
            (
                pod(json!({ "initContainers": [
                    { "name": "i", "securityContext": { "privileged": true } },
                ] })),
                "spec.initContainers[i].securityContext.privileged",
            ),
            (
                json!({
                    "metadata": { "annotations": { (format!("{APP_ARMOR}c")): "unconfined" } }
                }),
                "metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]",
            ),
            (
                context(json!({ "privileged": true })),
                "spec.containers[c].securityContext.privileged",
            ),
            (
                context(json!({ "procMount": "Unmasked" })),
                "spec.containers[c].securityContext.procMount",
            ),
            (
                context(json!({ "capabilities": { "add": ["CHOWN", "SYS_ADMIN"] } })),
                "spec.containers[c].securityContext.capabilities.add[SYS_ADMIN]",
            ),
            (
                context(json!({ "appArmorProfile": { "type": "Unconfined" } })),
                "spec.containers[c].securityContext.appArmorProfile",
            ),
            (
                context(json!({ "seLinuxOptions": { "type": "spc_t" } })),
                "spec.containers[c].securityContext.seLinuxOptions",
            ),
            (
                context(json!({ "windowsOptions": { "hostProcess": true } })),
                "spec.containers[c].securityContext.windowsOptions.hostProcess",
            ),
            (
                container(&json!({ "ports": [{ "containerPort": 80, "hostPort": 80 }] })),
                "spec.containers[c].ports[80].hostPort",
            ),
            (
                container(&json!({ "livenessProbe": probe })),
                "spec.containers[c].livenessProbe.httpGet.host",
            ),
            (
                container(&json!({ "lifecycle": { "postStart": probe } })),
                "spec.containers[c].lifecycle.postStart.httpGet.host",
            ),
        ] {
            assert_eq!(host_access(&template, "team-mcp"), [field], "{template}");
            let mut rejections = Vec::new();
            check(&template, "team-mcp", &mut rejections);
            let said = rejections[0].to_string();
            assert!(said.starts_with(&format!("spec.podTemplate: {field} gives")), "{said}");
        }
    }

    #[test]
    fn what_shapes_a_pod_without_power_over_the_node_is_accepted() {
        for template in [
            json!({ "spec": { "hostNetwork": false, "hostUsers": false } }),
            json!({ "spec": { "serviceAccountName": "team-mcp" } }),
            json!({ "spec": { "volumes": [{ "name": "v", "emptyDir": {} }] } }),
            json!({ "spec": { "securityContext": {
                "sysctls": [{ "name": "net.ipv4.tcp_fin_timeout" }],
                "seccompProfile": { "type": "RuntimeDefault" },
            } } }),
            container(&json!({ "ports": [{ "containerPort": 80 }] })),
            container(&json!({ "livenessProbe": { "httpGet": { "port": 80 } } })),
            container(&json!({ "securityContext": {
                "privileged": false,
                "procMount": "Default",
                "capabilities": { "drop": ["ALL"], "add": ["NET_BIND_SERVICE"] },
                "seLinuxOptions": { "type": "container_t", "level": "s0:c1" },
            } })),
        ] {
            assert_eq!(host_access(&template, "team-mcp"), Vec::<String>::new(), "{template}");
        }
    }
}
