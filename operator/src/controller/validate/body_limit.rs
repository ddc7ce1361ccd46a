//! `spec.limits.bodyMaxBytes` against the memory of a pod: the server does not start if one user's
//! share of its memory budget is shorter than the longest body.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use lenses_mcp_crds::{LensesMcpServerSpec, SERVER_CONTAINER};

use super::Rejection;
use crate::quantity::amount;

/// What the spec of a pod may set in place of the server's default.
const BUDGET: &str = "MCP_MEMORY_BUDGET_BYTES";
/// The part of a pod's memory limit that is the server's memory budget by default.
const BUDGET_SHARE: f64 = 4.0;
/// The part of the memory budget that one user can have.
const USER_SHARE: f64 = 4.0;

pub(super) fn check(spec: &LensesMcpServerSpec, rejections: &mut Vec<Rejection>) {
    let set = spec.pod_template.as_deref().and_then(budget_that_is_set);
    let limit = spec.resources.limits.get("memory");
    let of_limit = || amount(&limit?.0).map(|limit| limit / BUDGET_SHARE);
    let Some(budget) = set.or_else(of_limit) else { return };
    let most = (budget / USER_SHARE).floor();
    if f64::from(spec.limits.body_max_bytes) <= most {
        return;
    }
    let remedy = match (set, limit) {
        (None, Some(limit)) => {
            format!("a sixteenth of spec.resources.limits.memory ({}), or raise that", limit.0)
        }
        _ => format!("a quarter of {BUDGET} in spec.podTemplate ({budget}), or raise that"),
    };
    rejections.push(Rejection::InvalidSpec {
        field: "spec.limits.bodyMaxBytes",
        message: format!(
            "{} is more than one user can have in a pod's memory: write at most {most}, {remedy}",
            spec.limits.body_max_bytes
        ),
    });
}

fn budget_that_is_set(template: &PodTemplateSpec) -> Option<f64> {
    let containers = &template.spec.as_ref()?.containers;
    let container = containers.iter().find(|container| container.name == SERVER_CONTAINER)?;
    let variable = container.env.iter().flatten().find(|variable| variable.name == BUDGET)?;
    variable.value.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(spec: Value) -> Vec<String> {
        let mut whole = json!({
            "lenses": { "url": "http://hq" },
            "auth": { "oauth": {} },
            "endpoint": { "url": "https://mcp.example.com" },
        });
        if let (Value::Object(whole), Value::Object(spec)) = (&mut whole, spec) {
            whole.extend(spec);
        }
        let mut rejections = Vec::new();
        check(&serde_json::from_value(whole).unwrap(), &mut rejections);
        rejections.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_body_longer_than_a_users_share_is_refused_with_the_longest() {
        let of = |bytes: i32, memory: &str| {
            refused(json!({
                "limits": { "bodyMaxBytes": bytes },
                "resources": { "limits": { "memory": memory } },
            }))
        };
        assert!(of(4 << 20, "64Mi").is_empty());
        assert_eq!(
            of((4 << 20) + 1, "64Mi"),
            ["spec.limits.bodyMaxBytes: 4194305 is more than one user can have in a pod's \
                 memory: write at most 4194304, a sixteenth of spec.resources.limits.memory \
                 (64Mi), or raise that"]
        );
        assert!(refused(json!({ "limits": { "bodyMaxBytes": 16 << 20 } })).is_empty());
        assert_eq!(refused(json!({ "limits": { "bodyMaxBytes": 17 << 20 } })).len(), 1);
    }

    #[test]
    fn a_memory_budget_that_is_set_counts_before_the_memory_limit() {
        let with = |bytes: i32| {
            let env = json!([{ "name": BUDGET, "value": "4194304" }]);
            let containers = json!([{ "name": SERVER_CONTAINER, "env": env }]);
            refused(json!({
                "limits": { "bodyMaxBytes": bytes },
                "podTemplate": { "spec": { "containers": containers } },
            }))
        };
        assert!(with(1 << 20).is_empty());
        assert_eq!(
            with((1 << 20) + 1),
            ["spec.limits.bodyMaxBytes: 1048577 is more than one user can have in a pod's \
                 memory: write at most 1048576, a quarter of MCP_MEMORY_BUDGET_BYTES in \
                 spec.podTemplate (4194304), or raise that"]
        );
    }
}
