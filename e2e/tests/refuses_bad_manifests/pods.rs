//! Specs whose pods, scaling, verification or observability are bad.

use serde_json::{Value, json};

use super::Bad;

#[expect(clippy::too_many_lines, reason = "it is one table")]
pub(super) fn parts() -> Vec<Bad> {
    const NO_MATCH: &str = "should match";
    vec![
        (
            "a rollout that is none",
            json!({"rollout": {"securityChange": "Never"}}),
            "supported values: \"Recreate\", \"RollingUpdate\"",
        ),
        ("a thousand and one replicas", json!({"replicas": 1001}), "less than or equal to 1000"),
        ("no image", json!({"image": ""}), "at least 1 chars long"),
        (
            "a pull policy that is none",
            json!({"imagePullPolicy": "Sometimes"}),
            "supported values: \"Always\", \"IfNotPresent\", \"Never\"",
        ),
        ("an amount that is none", json!({"resources": {"limits": {"memory": "lots"}}}), NO_MATCH),
        ("a word for a flag", json!({"paused": "yes"}), "must be of type boolean"),
        ("autoscaling without an end", scaling(&json!({})), "maxReplicas: Required value"),
        (
            "autoscaling from nothing",
            scaling(&json!({"minReplicas": 0, "maxReplicas": 2})),
            "greater than or equal to 1",
        ),
        (
            "more at least than at most",
            scaling(&json!({"minReplicas": 3, "maxReplicas": 2})),
            "at least minReplicas",
        ),
        (
            "percent of a CPU that nobody asks for",
            json!({
                "autoscaling": {"maxReplicas": 2}, "resources": {"requests": {"memory": "64Mi"}}
            }),
            "resources.requests.cpu: write it",
        ),
        (
            "a rolling update that cannot begin",
            json!({"rollout": {"maxSurge": 0}}),
            "no pod can be replaced",
        ),
        ("a surge of a few", json!({"rollout": {"maxSurge": "few"}}), NO_MATCH),
        (
            "a verification of what there is not",
            json!({"verification": {"mode": "none"}}),
            "supported values: \"endpoint\", \"service\", \"off\"",
        ),
        (
            "two budgets",
            json!({"disruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}}),
            "one of minAvailable and maxUnavailable",
        ),
        (
            "a budget below zero",
            json!({"disruptionBudget": {"maxUnavailable": -1}}),
            "greater than or equal to 0",
        ),
        (
            "a budget of more than all",
            json!({"disruptionBudget": {"minAvailable": "150%"}}),
            NO_MATCH,
        ),
        ("a budget in words", json!({"disruptionBudget": {"minAvailable": "half"}}), NO_MATCH),
        (
            "a policy with a caller that is none",
            json!({"networkPolicy": {"ingressFrom": ["monitoring"]}}),
            "must be of type object",
        ),
        (
            "DNS at no port",
            json!({"networkPolicy": {"dns": {"port": 0}}}),
            "greater than or equal to 1",
        ),
        (
            "a level that is none",
            observability("log", &json!({"level": "loud"})),
            "supported values: \"error\"",
        ),
        (
            "a format that is none",
            observability("log", &json!({"format": "xml"})),
            "supported values: \"json\", \"text\"",
        ),
        ("traces to nowhere", observability("tracing", &json!({})), "otlpEndpoint: Required value"),
        (
            "traces to no URL",
            observability("tracing", &json!({"otlpEndpoint": "collector:4317"})),
            "absolute http or https URL",
        ),
        (
            "more than all traces",
            observability("tracing", &json!({"otlpEndpoint": "http://c:4318", "sampleRatio": 2})),
            "less than or equal to 1",
        ),
        (
            "a monitor with a label of the operator's",
            observability(
                "metrics",
                &json!({"serviceMonitor": {"labels": {"app.kubernetes.io/name": "x"}}}),
            ),
            "are the operator's",
        ),
        (
            "a monitor at no time",
            observability("metrics", &json!({"serviceMonitor": {"interval": "often"}})),
            NO_MATCH,
        ),
        (
            "a verification each second",
            json!({"verification": {"interval": "1s"}}),
            "from 10s to 24h",
        ),
        (
            "tools by a short digest",
            json!({"verification": {"expectedToolsDigest": "sha256:ab"}}),
            NO_MATCH,
        ),
        (
            "expected tools, and nobody to list them to",
            json!({"verification": {"expectedToolsDigest": format!("sha256:{}", "0".repeat(64))}}),
            "add verification.credentialSecretRef",
        ),
        (
            "a credential without its key",
            json!({"verification": {"credentialSecretRef": {"name": "a"}}}),
            "key: Required value",
        ),
        (
            "another command for the server",
            container(json!({"command": ["sh"]})),
            "spec.image takes an image",
        ),
        (
            "sign-in turned off in the environment",
            container(json!({"env": [{"name": "OAUTH_ENABLED", "value": "false"}]})),
            "write the field of spec that it stands for",
        ),
        (
            "something over the settings",
            container(json!({"volumeMounts": [{"name": "x", "mountPath": "/etc/lenses-mcp"}]})),
            "write other names and paths",
        ),
        (
            "a sidecar without an image",
            json!({"podTemplate": {"spec": {"containers": [{"name": "proxy"}]}}}),
            "needs an image",
        ),
        (
            "a label that selects",
            json!({"podTemplate": {"metadata": {"labels": {"app.kubernetes.io/instance": "x"}}}}),
            "are the operator's",
        ),
    ]
}

/// The server's container with this in it.
fn container(mut fields: Value) -> Value {
    fields["name"] = json!("lenses-mcp-server");
    json!({"podTemplate": {"spec": {"containers": [fields]}}})
}

fn scaling(autoscaling: &Value) -> Value {
    json!({"autoscaling": autoscaling})
}

fn observability(field: &str, value: &Value) -> Value {
    json!({"observability": {field: value}})
}
