//! What ships for Argo CD and for Flux says of a resource what its conditions say.

use cel::{Context, Program};
use lenses_mcp_crds::yaml;
use mlua::{Lua, LuaSerdeExt};
use serde_json::{Value, json};

/// A resource in some state, what Argo CD is to say of it, and which of Flux' expressions hold.
fn states() -> Vec<(&'static str, Value, &'static str, &'static [&'static str])> {
    let object = |generation: i64, status: Value| {
        json!({
            "metadata": { "name": "mcp", "generation": generation }, "spec": {}, "status": status
        })
    };
    let condition = |kind: &str, status: &str, reason: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": "m"
        })
    };
    let status = |conditions: &[Value]| {
        object(2, json!({ "observedGeneration": 2, "conditions": conditions }))
    };
    let mut paused = status(&[condition("Ready", "True", "Ready")]);
    paused["spec"]["paused"] = json!(true);
    vec![
        ("new", object(1, json!({})), "Progressing", &["inProgress"]),
        (
            "changed and not looked at",
            object(
                3,
                json!({
                    "observedGeneration": 2, "conditions": [condition("Ready", "True", "Ready")]
                }),
            ),
            "Progressing",
            &["inProgress"],
        ),
        ("ready", status(&[condition("Ready", "True", "Ready")]), "Healthy", &["current"]),
        (
            "rolling out",
            status(&[
                condition("Ready", "False", "RolloutInProgress"),
                condition("Reconciling", "True", "RolloutInProgress"),
            ]),
            "Progressing",
            &["inProgress"],
        ),
        (
            "its author's to mend",
            status(&[
                condition("Ready", "False", "InvalidSpec"),
                condition("Stalled", "True", "InvalidSpec"),
            ]),
            "Degraded",
            &["failed"],
        ),
        ("paused", paused, "Suspended", &["current"]),
    ]
}

fn example(name: &str) -> Option<Value> {
    let path = format!("{}/../examples/gitops/{name}", env!("CARGO_MANIFEST_DIR"));
    yaml::from_documents(&std::fs::read_to_string(path).ok()?).ok()?.into_iter().next()
}

#[test]
fn argo_cd_says_of_a_resource_what_its_conditions_say() {
    let config = example("argocd-cm.yaml").unwrap();
    let script = config["data"]["resource.customizations.health.mcp.lenses.io_LensesMcpServer"]
        .as_str()
        .unwrap();
    for (what, object, health, _) in states() {
        let lua = Lua::new();
        lua.globals().set("obj", lua.to_value(&object).unwrap()).unwrap();
        let said: Value = lua.from_value(lua.load(script).eval().unwrap()).unwrap();
        assert_eq!(said["status"], health, "{what}");
        assert!(
            said["message"].as_str().is_some_and(|message| !message.is_empty()),
            "{what}: {said}"
        );
    }
}

#[test]
fn flux_says_of_a_resource_what_its_conditions_say() {
    let kustomization = example("flux-kustomization.yaml").unwrap();
    let expressions = &kustomization["spec"]["healthCheckExprs"][0];
    for (what, object, _, wanted) in states() {
        let mut holding = Vec::new();
        for expression in ["current", "inProgress", "failed"] {
            let program = Program::compile(expressions[expression].as_str().unwrap()).unwrap();
            let mut context = Context::default();
            for part in ["metadata", "spec", "status"] {
                context.add_variable(part, &object[part]).unwrap();
            }
            if program.execute(&context).unwrap() == cel::Value::Bool(true) {
                holding.push(expression);
            }
        }
        assert_eq!(holding, wanted, "{what}");
    }
}
