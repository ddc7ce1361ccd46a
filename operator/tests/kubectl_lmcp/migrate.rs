//! `migrate`: every value and variable becomes a field, or is named with what to do.

mod containers;
mod docs;
mod secrets;
mod sidecar;

use lenses_mcp_crds::yaml;
use serde_json::{Value, json};

use crate::{err, lmcp, out};

/// What became of it.
struct Migrated {
    status: i32,
    resource: Value,
    said: String,
}

/// Runs `migrate`.
fn migrate(arguments: &[&str], input: &str) -> Migrated {
    let output = lmcp(&[&["migrate"], arguments].concat(), input);
    let said = err(&output);
    let status = output.status.code().unwrap();
    if status == 2 {
        assert_eq!(out(&output), "", "{arguments:?} {input}");
        return Migrated { status, resource: Value::Null, said };
    }
    let resource = yaml::from_documents(&out(&output)).unwrap().pop().unwrap();
    Migrated { status, resource, said }
}

fn of_values(values: &Value) -> Migrated {
    migrate(&["-f", "-"], &values.to_string())
}

/// A release with the sidecar, with a value set or changed.
fn release(pointer: &str, value: &Value) -> Value {
    let mut values = json!({
        "mcp": {
            "enabled": true,
            "lensesAdvertisedUrl": "https://lenses.example.com",
            "mcpAdvertisedUrl": "https://mcp.example.com",
        },
        "lensesHq": { "auth": { "oauth2": { "authorizationServer": {
            "enabled": true,
            "issuerURL": "https://lenses.example.com",
            "dcr": true,
            "unauthenticatedIntrospection": true,
        } } } },
    });
    let mut at = &mut values;
    for part in pointer.split('/').skip(1) {
        at = &mut at[part];
    }
    *at = value.clone();
    values
}

/// A sidecar with this `additionalEnv`.
fn with_variables(variables: &Value) -> Migrated {
    of_values(&release("/mcp/additionalEnv", variables))
}

/// Whether a line of what was said begins with the key and holds the text.
fn names(said: &str, key: &str, text: &str) -> bool {
    let start = format!("{key}: ");
    said.lines().any(|line| line.trim_start().starts_with(&start) && line.contains(text))
}

#[test]
fn what_is_printed_passes_check() {
    let everything = {
        let ingress = json!({ "enabled": true, "host": "mcp.example.com" });
        let mut values = release("/mcp/ingress", &ingress);
        values["mcp"]["resources"] = json!({ "limits": { "memory": "512Mi", "cpu": 1 } });
        values["mcp"]["additionalEnv"] = json!([
            { "name": "HTTPS_PROXY", "value": "http://a:b@proxy:3128" },
            { "name": "OTEL_ENABLED", "value": "true" },
            { "name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector:4318" },
            { "name": "OTEL_EXPORTER_OTLP_HEADERS", "value": "a=b" },
        ]);
        values.to_string()
    };
    let sources: [(&[&str], &str); 4] = [
        (&["-f", "-", "--name", "a"], &everything),
        (&["-f", "-", "--transition", "--name", "b"], &everything),
        (&["--docker", "docker run -i -e LENSES_API_KEY -m 1g lensesio/mcp", "--name", "c"], ""),
        (&["--env-file", "-", "--name", "d"], "LENSES_CA_FILE=/x\nLENSES_API_KEY=y\n"),
    ];
    let printed = sources.map(|(arguments, input)| {
        let output = lmcp(&[&["migrate"], arguments].concat(), input);
        assert_ne!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
        out(&output)
    });
    let check = lmcp(&["check", "-f", "-"], &printed.join("---\n"));
    assert_eq!(check.status.code(), Some(0), "{}{}", out(&check), err(&check));
    assert_eq!(out(&check).matches(": valid").count(), sources.len(), "{}", out(&check));
}
