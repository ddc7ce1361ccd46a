//! Rules for environments, allowed clients and the audit output: what is accepted and refused.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

use kube::core::cel::Validator;
use lenses_mcp_crds::schema::custom_resource_definition;
use serde_json::{Value, json};

/// All messages of the rules that a good spec with these further fields breaks, in one line.
fn refusals(fields: &Value) -> String {
    let crd = serde_json::to_value(custom_resource_definition()).unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut spec =
        json!({ "lenses": { "url": "https://hq.example.com" }, "auth": { "oauth": {} } });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let object = json!({
        "apiVersion": "mcp.lenses.io/v1alpha1",
        "kind": "LensesMcpServer",
        "metadata": { "name": "lenses-mcp", "namespace": "lenses" },
        "spec": spec,
    });
    let validated = Validator::new().validate(schema, &object, None);
    validated.map_or_else(|errors| errors.to_string(), |()| String::new())
}

fn rules(rules: &Value) -> Value {
    json!({ "tools": { "rules": rules } })
}

fn audit(audit: &Value, mounts: &Value) -> Value {
    let container = json!({ "name": "lenses-mcp-server", "volumeMounts": mounts });
    json!({
        "observability": { "audit": audit },
        "podTemplate": { "spec": { "containers": [container] } },
    })
}

#[test]
fn a_policy_that_can_hold_is_accepted() {
    let mount = json!([{ "name": "audit", "mountPath": "/var/log/lenses-mcp" }]);
    let path = json!({ "path": "/var/log/lenses-mcp/audit.jsonl" });
    for fields in [
        json!({}),
        rules(&json!([])),
        rules(&json!([
            { "environments": ["prod*", "live"], "scopes": ["read"] },
            { "environments": ["vault"], "scopes": [] },
            { "environments": ["staging?"], "confirm": "required", "deny": ["execute_sql"] },
            { "environments": ["*"], "allow": ["topics/*"] },
        ])),
        json!({
            "auth": { "oauth": { "allowedClients": ["claude", "https://a.example/c.json"] } }
        }),
        audit(&json!({ "stdout": {} }), &json!([])),
        audit(&json!({ "disabled": {} }), &json!([])),
        audit(&json!({ "file": path }), &mount),
    ] {
        assert_eq!(refusals(&fields), "", "{fields}");
    }
}

#[test]
fn a_policy_that_cannot_hold_is_refused_with_what_to_write() {
    let file = |path: &str| json!({ "file": { "path": path } });
    let all = json!({ "environments": ["*"], "scopes": ["read"] });
    let prod = json!({ "environments": ["prod"], "scopes": ["read"] });
    let elsewhere = json!([{ "name": "audit", "mountPath": "/var/log/lenses" }]);
    for (fields, said) in [
        (rules(&json!([{ "environments": ["prod"] }])), "a rule says nothing: write scopes"),
        (rules(&json!([all, prod])), "write it last"),
        (rules(&json!([all, all])), "write it last"),
        (
            rules(&json!([prod, { "environments": ["a", "**"], "scopes": [] }, all])),
            "write it last",
        ),
        (audit(&json!({}), &json!([])), "exactly one of audit.stdout ({}), audit.file"),
        (audit(&json!({ "stdout": {}, "disabled": {} }), &json!([])), "exactly one of audit"),
        (audit(&file("/var/log/lenses-mcp/a"), &elsewhere), "is on no volume: mount one"),
        (
            json!({ "observability": { "audit": file("/var/log/a") } }),
            "is on no volume: mount one into the container lenses-mcp-server",
        ),
    ] {
        let refusals = refusals(&fields);
        assert!(refusals.contains(said), "{fields}: {refusals}");
    }
}
