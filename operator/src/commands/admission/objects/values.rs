//! The values that a field may have.

use serde_json::Value;

use super::Place;
use crate::{
    commands::admission::names::{
        is_address, is_key, is_label, is_port_name, is_range, is_subdomain, is_value, is_variable,
    },
    quantity::amount,
};

/// What a field may have.
enum Rule {
    /// One of these texts.
    Enum(&'static [&'static str]),
    /// A number from the first to the second.
    Range(i64, i64),
    /// Text of a form, and what to write.
    Form(fn(&str) -> bool, &'static str),
}

use Rule::{Enum, Form, Range};

/// Ids of users and groups, and counts.
const POSITIVE: Rule = Range(0, i32::MAX as i64);
const PORT: Rule = Range(1, 65535);
const MODE: Rule = Range(0, 0o777);
const KEY: Rule = Form(is_key, "a key such as example.com/team");
const LABEL: Rule =
    Form(is_label, "at most 63 small letters, digits and '-', a letter or digit first and last");
const SUBDOMAIN: Rule = Form(is_subdomain, "a name of small letters, digits, '-' and '.'");
const ADDRESS: Rule = Form(is_address, "an IP address");
const RANGE: Rule = Form(is_range, "a range of addresses such as 10.0.0.0/8");
const PORT_NAME: Rule =
    Form(is_port_name, "at most 15 small letters, digits and '-', among them a letter");
const PROFILE: Rule = Enum(&["Localhost", "RuntimeDefault", "Unconfined"]);
const PULL: Rule = Enum(&["Always", "IfNotPresent", "Never"]);
const INCLUSION: Rule = Enum(&["Honor", "Ignore"]);

/// The rules of fields by the field that they are in ("": any) and their name.
const RULES: &[(&str, &str, Rule)] = &[
    // Pods.
    ("spec", "restartPolicy", Enum(&["Always"])),
    ("spec", "dnsPolicy", Enum(&["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"])),
    ("spec", "preemptionPolicy", Enum(&["Never", "PreemptLowerPriority"])),
    ("spec", "terminationGracePeriodSeconds", POSITIVE),
    ("spec", "hostname", LABEL),
    ("spec", "subdomain", LABEL),
    ("spec", "nodeName", SUBDOMAIN),
    ("spec", "priorityClassName", SUBDOMAIN),
    ("spec", "runtimeClassName", SUBDOMAIN),
    ("spec", "serviceAccountName", SUBDOMAIN),
    ("os", "name", Enum(&["linux", "windows"])),
    ("hostAliases", "ip", ADDRESS),
    ("hostAliases", "hostnames", SUBDOMAIN),
    ("dnsConfig", "nameservers", ADDRESS),
    ("readinessGates", "conditionType", KEY),
    ("schedulingGates", "name", KEY),
    ("tolerations", "key", Form(|key| key.is_empty() || is_key(key), "a key")),
    ("tolerations", "operator", Enum(&["", "Equal", "Exists"])),
    ("tolerations", "value", Form(is_value, "a label's value")),
    ("tolerations", "effect", Enum(&["", "NoExecute", "NoSchedule", "PreferNoSchedule"])),
    ("topologySpreadConstraints", "maxSkew", Range(1, i32::MAX as i64)),
    ("topologySpreadConstraints", "minDomains", Range(1, i32::MAX as i64)),
    ("topologySpreadConstraints", "whenUnsatisfiable", Enum(&["DoNotSchedule", "ScheduleAnyway"])),
    ("topologySpreadConstraints", "nodeAffinityPolicy", INCLUSION),
    ("topologySpreadConstraints", "nodeTaintsPolicy", INCLUSION),
    ("", "topologyKey", KEY),
    ("preferredDuringSchedulingIgnoredDuringExecution", "weight", Range(1, 100)),
    ("matchExpressions", "key", KEY),
    // Containers.
    ("containers", "name", LABEL),
    ("initContainers", "name", LABEL),
    ("initContainers", "restartPolicy", Enum(&["Always"])),
    ("", "image", Form(|image| !image.is_empty(), "an image")),
    ("", "imagePullPolicy", PULL),
    ("", "terminationMessagePolicy", Enum(&["FallbackToLogsOnError", "File"])),
    ("ports", "containerPort", PORT),
    ("ports", "name", PORT_NAME),
    ("ports", "protocol", Enum(&["SCTP", "TCP", "UDP"])),
    ("env", "name", Form(is_variable, "printable characters without '='")),
    ("limits", "", Form(is_amount, "a quantity such as 500m or 64Mi, not below 0")),
    ("requests", "", Form(is_amount, "a quantity such as 500m or 64Mi, not below 0")),
    ("resizePolicy", "restartPolicy", Enum(&["NotRequired", "RestartContainer"])),
    // Probes and hooks.
    ("httpGet", "scheme", Enum(&["HTTP", "HTTPS"])),
    ("httpGet", "port", PORT),
    ("tcpSocket", "port", PORT),
    ("grpc", "port", PORT),
    ("httpGet", "port", PORT_NAME),
    ("tcpSocket", "port", PORT_NAME),
    ("", "initialDelaySeconds", POSITIVE),
    ("", "timeoutSeconds", POSITIVE),
    ("", "periodSeconds", POSITIVE),
    ("", "successThreshold", POSITIVE),
    ("", "failureThreshold", POSITIVE),
    // Security contexts.
    ("seccompProfile", "type", PROFILE),
    ("appArmorProfile", "type", PROFILE),
    ("securityContext", "runAsUser", POSITIVE),
    ("securityContext", "runAsGroup", POSITIVE),
    ("securityContext", "fsGroup", POSITIVE),
    ("securityContext", "supplementalGroups", POSITIVE),
    ("securityContext", "fsGroupChangePolicy", Enum(&["Always", "OnRootMismatch"])),
    ("securityContext", "supplementalGroupsPolicy", Enum(&["Merge", "Strict"])),
    ("securityContext", "seLinuxChangePolicy", Enum(&["MountOption", "Recursive"])),
    ("securityContext", "procMount", Enum(&["Default", "Unmasked"])),
    // Volumes.
    ("volumes", "name", LABEL),
    ("emptyDir", "medium", Form(is_medium, "Memory, HugePages, or nothing")),
    ("", "defaultMode", MODE),
    ("", "mode", MODE),
    ("", "expirationSeconds", Range(600, 1 << 32)),
    ("", "pullPolicy", PULL),
    (
        "",
        "accessModes",
        Enum(&["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]),
    ),
    ("", "volumeMode", Enum(&["Block", "Filesystem"])),
    ("volumeMounts", "mountPath", Form(|path| !path.is_empty(), "a path")),
    ("volumeMounts", "mountPropagation", Enum(&["Bidirectional", "HostToContainer", "None"])),
    ("volumeMounts", "recursiveReadOnly", Enum(&["Disabled", "Enabled", "IfPossible"])),
    // Services, Ingresses and routes.
    ("spec", "loadBalancerClass", KEY),
    ("spec", "loadBalancerSourceRanges", RANGE),
    ("spec", "ingressClassName", SUBDOMAIN),
    ("tls", "secretName", SUBDOMAIN),
    ("parentRefs", "namespace", LABEL),
    ("parentRefs", "sectionName", SUBDOMAIN),
    // NetworkPolicies.
    ("ipBlock", "cidr", RANGE),
    ("ipBlock", "except", RANGE),
    ("ports", "port", PORT),
    ("ports", "endPort", PORT),
    ("ports", "port", PORT_NAME),
    // Autoscalers.
    ("metrics", "type", Enum(&["ContainerResource", "External", "Object", "Pods", "Resource"])),
    ("target", "type", Enum(&["AverageValue", "Utilization", "Value"])),
    ("policies", "type", Enum(&["Percent", "Pods"])),
    ("policies", "value", Range(1, i32::MAX as i64)),
    ("policies", "periodSeconds", Range(1, 1800)),
    ("", "selectPolicy", Enum(&["Disabled", "Max", "Min"])),
    ("", "stabilizationWindowSeconds", Range(0, 3600)),
];

/// Why the API server would refuse the value of a field.
pub(super) fn refusal(place: Place<'_>, value: &Value) -> Option<String> {
    let mut rules = RULES.iter().filter(|(parent, field, _)| {
        (parent.is_empty() || *parent == place.parent)
            && (field.is_empty() || *field == place.field)
    });
    rules.find_map(|(_, _, rule)| rule.remedy(value)).map(|remedy| {
        let path = place.path;
        format!("{path}: {value}: write {remedy}")
    })
}

impl Rule {
    /// What to write in place of `value`, if it does not meet the rule. One of another type does:
    /// types are the schema's affair.
    fn remedy(&self, value: &Value) -> Option<String> {
        match (self, value.as_str(), value.as_i64()) {
            (Enum(known), Some(text), _) if !known.contains(&text) => {
                let known: Vec<_> =
                    known.iter().filter(|known| !known.is_empty()).copied().collect();
                match known[..] {
                    [only] => Some(only.to_owned()),
                    _ => Some(format!("one of {}", known.join(", "))),
                }
            }
            (Range(least, most), _, Some(number)) if number < *least || number > *most => {
                Some(format!("a number from {least} to {most}"))
            }
            (Form(is_form, remedy), Some(text), _) if !is_form(text) => Some((*remedy).to_owned()),
            _ => None,
        }
    }
}

fn is_amount(text: &str) -> bool {
    amount(text).is_some_and(|amount| amount >= 0.0)
}

fn is_medium(text: &str) -> bool {
    matches!(text, "" | "Memory" | "HugePages") || text.starts_with("HugePages-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_refused_with_what_to_write() {
        for (path, value, said) in [
            ("tolerations.effect", json!("Never"), "NoExecute, NoSchedule, PreferNoSchedule"),
            ("tolerations.effect", json!(""), ""),
            ("spec.restartPolicy", json!("Never"), "p: \"Never\": write Always"),
            ("containers.restartPolicy", json!("Never"), ""),
            ("ports.containerPort", json!(70000), "p: 70000: write a number from 1 to 65535"),
            ("httpGet.port", json!("2024"), "among them a letter"),
            ("httpGet.port", json!("http"), ""),
            ("httpGet.port", json!(0), "from 1 to 65535"),
            ("limits.memory", json!("64mb"), "a quantity such as 500m or 64Mi"),
            ("limits.memory", json!("64Mi"), ""),
            ("items.mode", json!(0o1777), "from 0 to 511"),
        ] {
            let (parent, field) = path.split_once('.').unwrap();
            let refusal = refusal(Place { path: "p", parent, field }, &value);
            assert!(refusal.as_deref().unwrap_or_default().contains(said), "{path} {refusal:?}");
            assert_eq!(refusal.is_none(), said.is_empty(), "{path} {refusal:?}");
        }
    }
}
