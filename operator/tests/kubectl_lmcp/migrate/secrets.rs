//! No value of a secret is written, wherever it stands.

use serde_json::{Value, json};

use super::{Migrated, migrate, names, of_values, release, with_variables};

/// Long enough to be found in nothing else.
const PLANTED: &str = "Pl4ntedSecretValue0123456789";

fn assert_not_written(migrated: &Migrated, what: &str) {
    let resource = migrated.resource.to_string();
    assert!(!resource.contains(PLANTED), "{what}: {resource}");
    assert!(!migrated.said.contains(PLANTED), "{what}: {}", migrated.said);
}

#[test]
fn a_secret_in_a_value_becomes_a_command_that_asks_for_it() {
    let without_oauth =
        |variable: Value| json!([{ "name": "OAUTH_ENABLED", "value": "false" }, variable]);
    for (variables, field, reference, command) in [
        (
            without_oauth(json!({ "name": "LENSES_API_KEY", "value": PLANTED })),
            "/auth/apiKey/secretKeyRef",
            json!({ "name": "lenses-mcp-service-account", "key": "token" }),
            "read -rs LENSES_API_KEY && kubectl create secret generic lenses-mcp-service-account \
             --namespace default --from-literal=token=\"$LENSES_API_KEY\"",
        ),
        (
            without_oauth(json!({ "name": "MCP_CALLER_TOKEN", "value": PLANTED })),
            "/auth/apiKey/callers/tokenSecretRef",
            json!({ "name": "lenses-mcp-callers", "key": "token" }),
            "kubectl create secret generic lenses-mcp-callers",
        ),
        (
            json!([
                { "name": "INTROSPECTION_CLIENT_ID", "value": "id" },
                { "name": "INTROSPECTION_CLIENT_SECRET", "value": PLANTED },
            ]),
            "/auth/oauth/introspection/clientCredentialsSecretRef",
            json!({ "name": "lenses-mcp-introspection" }),
            "--from-literal=client_secret=\"$INTROSPECTION_CLIENT_SECRET\"",
        ),
        (
            json!([{ "name": "HTTPS_PROXY", "value": format!("http://user:{PLANTED}@proxy:3128") }]),
            "/lenses/proxy",
            json!({ "url": "http://proxy:3128", "credentialsSecretRef": { "name": "lenses-mcp-proxy" } }),
            "--from-literal=password=\"$PROXY_PASSWORD\"",
        ),
        (
            json!([
                { "name": "OTEL_ENABLED", "value": "true" },
                { "name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://collector:4318" },
                { "name": "OTEL_EXPORTER_OTLP_HEADERS", "value": format!("x-key={PLANTED}") },
            ]),
            "/podTemplate/spec/containers/0/env/0/valueFrom/secretKeyRef",
            json!({ "name": "lenses-mcp-otlp", "key": "headers" }),
            "read -rs OTEL_EXPORTER_OTLP_HEADERS",
        ),
    ] {
        let migrated = with_variables(&variables);
        assert_not_written(&migrated, field);
        assert_eq!(migrated.resource["spec"].pointer(field), Some(&reference), "{field}");
        assert!(migrated.said.contains(command), "{command} is not in {}", migrated.said);
    }
}

#[test]
fn a_secret_that_exists_is_referred_to() {
    let from = |name: &str, variable: &str, key: &str| json!({ "name": variable, "valueFrom": { "secretKeyRef": { "name": name, "key": key } } });
    let off = json!({ "name": "OAUTH_ENABLED", "value": "false" });
    let migrated = with_variables(&json!([
        off,
        from("account", "LENSES_API_KEY", "k"),
        from("callers", "MCP_CALLER_TOKEN", "t"),
    ]));
    assert_eq!(migrated.status, 0, "{}", migrated.said);
    assert!(!migrated.said.contains("kubectl create secret"), "{}", migrated.said);
    assert_eq!(
        migrated.resource["spec"]["auth"]["apiKey"],
        json!({
            "secretKeyRef": { "name": "account", "key": "k" },
            "callers": { "tokenSecretRef": { "name": "callers", "key": "t" } },
        })
    );
    let client = |id: &str| {
        with_variables(&json!([
            from("hq-client", "INTROSPECTION_CLIENT_ID", id),
            from("hq-client", "INTROSPECTION_CLIENT_SECRET", "client_secret"),
        ]))
    };
    let field = "/spec/auth/oauth/introspection/clientCredentialsSecretRef/name";
    assert_eq!(client("client_id").resource.pointer(field).unwrap(), "hq-client");
    // The operator reads these keys only.
    assert_eq!(client("id").resource.pointer(field).unwrap(), "lenses-mcp-introspection");
}

#[test]
fn a_secret_where_none_belongs_is_left_out_and_named() {
    let secret_url = format!("https://user:{PLANTED}@collector:4318");
    for (variables, key) in [
        (json!([{ "name": "MCP_SCOPE", "value": PLANTED }]), "MCP_SCOPE"),
        (json!([{ "name": "DB_PASSWORD", "value": PLANTED }]), "DB_PASSWORD"),
        (json!([{ "name": "INTROSPECTION_URL", "value": secret_url }]), "INTROSPECTION_URL"),
        (
            json!([{ "name": "OTEL_ENABLED", "value": "true" },
                   { "name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": secret_url }]),
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (json!([{ "name": "MCP_PROXY_PASSWORD", "value": PLANTED }]), "MCP_PROXY_PASSWORD"),
    ] {
        let migrated = with_variables(&variables);
        assert_not_written(&migrated, key);
        assert_eq!(migrated.status, 1, "{key}: {}", migrated.said);
        assert!(migrated.said.contains(key), "{key}: {}", migrated.said);
    }
    let annotation = "nginx.ingress.kubernetes.io/configuration-snippet";
    let snippet = format!("proxy_set_header Authorization \"Bearer {PLANTED}\";");
    let ingress = json!({ "enabled": true, "annotations": { annotation: snippet, "a": "b" } });
    let migrated = of_values(&release("/mcp/ingress", &ingress));
    assert_not_written(&migrated, annotation);
    let key = format!("mcp.ingress.annotations.{annotation}");
    assert!(names(&migrated.said, &key, "is left out"), "{}", migrated.said);
    assert_eq!(
        migrated.resource["spec"]["endpoint"]["ingress"]["annotations"],
        json!({ "a": "b" })
    );
}

#[test]
fn no_secret_of_a_container_is_written_either() {
    let lines = format!(
        "LENSES_URL=https://user:{PLANTED}@lenses.example.com\nLENSES_API_KEY={PLANTED}\n\
         MCP_CALLER_TOKEN='{PLANTED}'\nhttps_proxy=http://user:{PLANTED}@proxy:3128\n\
         SOME_TOKEN={PLANTED}\nTRANSPORT=http\n"
    );
    assert_not_written(&migrate(&["--env-file", "-"], &lines), "env file");
    let command = format!(
        "docker run -e LENSES_URL=https://lenses.example.com -e LENSES_API_KEY={PLANTED} \
         --env=MCP_CALLER_TOKEN={PLANTED} -e TRANSPORT=http -e X_PASSWORD={PLANTED} lensesio/mcp"
    );
    assert_not_written(&migrate(&["--docker", &command], ""), "docker");
    // A command that is refused is not repeated.
    for command in [
        format!("docker run --secret-option={PLANTED} lensesio/mcp"),
        format!("docker run -e LENSES_API_KEY={PLANTED} other/image"),
        format!("docker run -e LENSES_API_KEY={PLANTED}"),
        format!("docker run -e 'LENSES_API_KEY={PLANTED} lensesio/mcp"),
    ] {
        let migrated = migrate(&["--docker", &command], "");
        assert_eq!(migrated.status, 2, "{}", migrated.said);
        assert_not_written(&migrated, &command);
    }
}
