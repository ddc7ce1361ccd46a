//! `docker run` and env files.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Migrated, migrate, names};

const OAUTH: &str = "OAUTH_ENABLED=true\nLENSES_URL=https://lenses.example.com\n\
                     MCP_ADVERTISED_URL=https://mcp.example.com\n";

fn of_lines(lines: &str) -> Migrated {
    migrate(&["--env-file", "-"], lines)
}

fn of_docker(options: &str) -> Migrated {
    let command = format!("docker run {options} lensesio/mcp:6.2.2");
    migrate(&["--docker", &command], "")
}

#[test]
fn each_variable_becomes_its_field() {
    let table: [(&str, &str, Value); 40] = [
        (
            "LENSES_URL=https://lenses.example.com:9991",
            "/lenses/url",
            json!("https://lenses.example.com:9991"),
        ),
        (
            "LENSES_ADVERTISED_URL=https://hq.example.com",
            "/lenses/advertisedUrl",
            json!("https://hq.example.com"),
        ),
        ("MCP_ADVERTISED_URL=https://b.example", "/endpoint/url", json!("https://b.example")),
        ("MCP_SCOPES=read, write", "/auth/oauth/scopes", json!(["read", "write"])),
        (
            "INTROSPECTION_URL=https://hq.svc/x",
            "/auth/oauth/introspection/url",
            json!("https://hq.svc/x"),
        ),
        ("INTROSPECTION_CACHE_TTL=60", "/auth/oauth/introspection/cacheTtl", json!("60s")),
        ("INTROSPECTION_CACHE_TTL=-1", "/auth/oauth/introspection/cacheTtl", json!("0s")),
        ("MCP_AUDIENCE=required", "/auth/oauth/audience", json!("required")),
        ("MCP_ALLOWED_CLIENTS=a,b", "/auth/oauth/allowedClients", json!(["a", "b"])),
        ("MCP_CLIENT_REGISTRATION=manual", "/auth/oauth/clientRegistration", json!("manual")),
        (
            "MCP_ALLOWED_ORIGINS=https://c.example",
            "/endpoint/allowedOrigins",
            json!(["https://c.example"]),
        ),
        ("MCP_READ_ONLY=true", "/tools/readOnly", json!(true)),
        ("MCP_TOOLS_ALLOW=topics/*,whoami", "/tools/allow", json!(["topics/*", "whoami"])),
        ("MCP_TOOLS_DENY=execute_sql", "/tools/deny", json!(["execute_sql"])),
        ("MCP_ENVIRONMENTS=dev,prod", "/tools/environments", json!(["dev", "prod"])),
        ("MCP_CONFIRM=required", "/tools/confirm", json!("required")),
        ("MCP_TRUSTED_PROXIES=10.0.0.0/8", "/limits/trustedProxies", json!(["10.0.0.0/8"])),
        ("MCP_MAX_BODY_BYTES=2048", "/limits/bodyMaxBytes", json!(2048)),
        ("MCP_REQUEST_TIMEOUT=2m", "/limits/requestTimeout", json!("2m")),
        ("MCP_CONCURRENT_REQUESTS_PER_USER=4", "/limits/concurrentCallsPerUser", json!(4)),
        ("MCP_CONNECTIONS_PER_ADDRESS=8", "/limits/connectionsPerAddress", json!(8)),
        ("MCP_CALLS_PER_MINUTE_PER_USER=60", "/limits/callsPerMinutePerUser", json!(60)),
        ("MCP_FAILED_SIGN_INS_PER_MINUTE=5", "/limits/failedSignInsPerMinute", json!(5)),
        ("MCP_RESPONSE_MAX_BYTES=4096", "/limits/responseMaxBytes", json!(4096)),
        ("MCP_SQL_MAX_ROWS=10", "/limits/sqlMaxRows", json!(10)),
        ("MCP_SQL_TIMEOUT=10", "/limits/sqlTimeout", json!("10s")),
        ("FASTMCP_LOG_LEVEL=WARNING", "/observability/log/level", json!("warn")),
        ("FASTMCP_LOG_LEVEL=DEBUG\nLOG_LEVEL=error", "/observability/log/level", json!("error")),
        ("LOG_FORMAT=text", "/observability/log/format", json!("text")),
        ("MCP_AUDIT=off", "/observability/audit", json!({"disabled": {}})),
        (
            "LENSES_CA_FILE=/x/ca.pem",
            "/lenses/caBundle",
            json!({"configMapKeyRef": {"name": "lenses-mcp-lenses-ca", "key": "ca.crt"}}),
        ),
        ("REQUESTS_CA_BUNDLE=/x/ca.pem", "/lenses/caBundle/configMapKeyRef/key", json!("ca.crt")),
        (
            "LENSES_CLIENT_CERT_FILE=/c\nLENSES_CLIENT_KEY_FILE=/k",
            "/lenses/clientCertificate",
            json!({"secretName": "lenses-mcp-client"}),
        ),
        (
            "TLS_CERT_FILE=/c\nTLS_KEY_FILE=/k",
            "/endpoint/tls",
            json!({"secretName": "lenses-mcp-tls"}),
        ),
        (
            "HTTPS_PROXY=http://proxy:3128\nNO_PROXY=.svc, 10.0.0.0/8",
            "/lenses/proxy",
            json!({"url": "http://proxy:3128", "noProxy": [".svc", "10.0.0.0/8"]}),
        ),
        ("http_proxy=proxy:3128", "/lenses/proxy/url", json!("http://proxy:3128")),
        (
            "OTEL_ENABLED=1\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317\nOTEL_EXPORTER_OTLP_PROTOCOL=grpc",
            "/observability/tracing",
            json!({"otlpEndpoint": "http://c:4317", "protocol": "grpc"}),
        ),
        (
            "OTEL_ENABLED=1\nOTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318/v1/traces\nOTEL_TRACES_SAMPLER=parentbased_traceidratio\nOTEL_TRACES_SAMPLER_ARG=0.5",
            "/observability/tracing",
            json!({"otlpEndpoint": "http://c:4318", "sampleRatio": 0.5}),
        ),
        (
            "OTEL_ENABLED=1\nOTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318\nOTEL_SERVICE_NAME=x",
            "/podTemplate/spec/containers/0/env",
            json!([{"name": "OTEL_SERVICE_NAME", "value": "x"}]),
        ),
        (
            "MCP_IDLE_TIMEOUT=90s",
            "/podTemplate/spec/containers/0/env",
            json!([{"name": "MCP_IDLE_TIMEOUT", "value": "90s"}]),
        ),
    ];
    // As many at a time as have names of their own: a run takes half a second.
    let mut rest: Vec<_> = table.iter().collect();
    while !rest.is_empty() {
        let mut names = BTreeSet::new();
        let (batch, later): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(lines, field, _)| {
            let of_row = lines.lines().filter_map(|line| line.split('=').next()).chain([*field]);
            let of_row: Vec<_> = of_row.collect();
            let is_new = of_row.iter().all(|name| !names.contains(name));
            names.extend(of_row);
            is_new
        });
        let lines: Vec<_> = batch.iter().map(|(lines, ..)| *lines).collect();
        let migrated = of_lines(&format!("{OAUTH}{}\n", lines.join("\n")));
        assert_eq!(migrated.status, 0, "{lines:?}: {}", migrated.said);
        for (lines, field, wanted) in batch {
            assert_eq!(migrated.resource["spec"].pointer(field), Some(wanted), "{lines}");
        }
        rest = later;
    }
}

#[test]
fn sign_in_is_what_the_server_would_do_with_these_variables() {
    let hq = "LENSES_URL=https://lenses.example.com\n";
    for (lines, with_oauth) in [
        ("MCP_ADVERTISED_URL=https://mcp.example.com", true),
        ("OAUTH_ENABLED=TRUE\nMCP_ADVERTISED_URL=https://mcp.example.com\nLENSES_API_KEY=k", true),
        ("LENSES_API_KEY=k\nMCP_ADVERTISED_URL=https://mcp.example.com", false),
        ("LENSES_API_KEY=k\nTRANSPORT=http", false),
        ("OAUTH_ENABLED=no\nLENSES_API_KEY=k", false),
        ("LENSES_API_KEY_FILE=/run/key\nTRANSPORT=http", false),
    ] {
        let migrated = of_lines(&format!("{hq}{lines}\n"));
        let auth = &migrated.resource["spec"]["auth"];
        assert_eq!(auth["oauth"].is_object(), with_oauth, "{lines}: {}", migrated.said);
        assert_eq!(auth["apiKey"].is_object(), !with_oauth, "{lines}: {}", migrated.said);
    }
}

#[test]
fn callers_who_needed_no_token_show_one_from_now_on() {
    let lines = "LENSES_URL=https://lenses.example.com\nLENSES_API_KEY=k\nTRANSPORT=http\n";
    let migrated = of_lines(lines);
    assert_eq!(migrated.status, 1);
    assert!(names(&migrated.said, "MCP_CALLER_TOKEN", "Callers show a token"), "{}", migrated.said);
    assert!(migrated.said.contains("$(openssl rand -hex 32)"), "{}", migrated.said);
    let open = of_lines(&format!("{lines}MCP_CALLERS=anyone\n"));
    assert_eq!(open.status, 0, "{}", open.said);
    assert_eq!(open.resource["spec"]["auth"]["apiKey"]["callers"], json!({ "anyone": true }));
}

#[test]
fn what_cannot_be_converted_is_named_with_what_to_do() {
    for (lines, key, said) in [
        ("TRANSPORT=sse", "TRANSPORT", "in place of /sse"),
        (
            "MCP_ENVIRONMENT_RULES=*: read",
            "standard input: MCP_ENVIRONMENT_RULES",
            "spec.tools.rules",
        ),
        ("MCP_SETTINGS_FILE=/x", "standard input: MCP_SETTINGS_FILE", "--env-file"),
        ("MCP_SCOPE=read", "standard input: MCP_SCOPE", "was MCP_SCOPES meant?"),
        ("LENSES_FOO=1", "standard input: LENSES_FOO", "no such setting"),
        ("FOO=1", "standard input: FOO", "no such setting"),
        ("MCP_SQL_MAX_ROWS=many", "MCP_SQL_MAX_ROWS", "spec.limits.sqlMaxRows"),
        ("LOG_LEVEL=loud", "LOG_LEVEL", "spec.observability.log.level"),
        ("MCP_AUDIT=file:/x", "MCP_AUDIT", "volume"),
        ("TLS_CERT_FILE=/c", "TLS_CERT_FILE", "TLS_KEY_FILE"),
        ("INTROSPECTION_CLIENT_ID=a", "INTROSPECTION_CLIENT_ID", "set both"),
        ("MCP_SCOPES", "standard input: MCP_SCOPES", "is in your shell"),
        ("OTEL_ENABLED=true\nOTEL_EXPORTER=console", "OTEL_EXPORTER", "OTLP only"),
        ("OTEL_ENABLED=true", "OTEL_EXPORTER_OTLP_ENDPOINT", "no collector"),
        ("HTTPS_PROXY=https://proxy:3128", "standard input: HTTPS_PROXY", "not supported"),
        ("HTTPS_PROXY=::", "standard input: HTTPS_PROXY", "is not a URL"),
        (
            "LENSES_URL=http://localhost:9991\nLENSES_ADVERTISED_URL=https://a.example",
            "LENSES_URL",
            "pods cannot reach",
        ),
        (
            "LENSES_URL=http://host.docker.internal:9991\nLENSES_ADVERTISED_URL=https://a.example",
            "LENSES_URL",
            "pods cannot reach",
        ),
    ] {
        let migrated = of_lines(&format!("{OAUTH}{lines}\n"));
        assert_eq!(migrated.status, 1, "{lines}: {}", migrated.said);
        assert!(names(&migrated.said, key, said), "{key}: {said:?}: {}", migrated.said);
    }
}

#[test]
fn the_older_names_of_hq_are_one_url() {
    for (lines, url) in [
        (
            "LENSES_API_HTTP_URL=https://hq.example.com\nLENSES_API_HTTP_PORT=9991",
            "https://hq.example.com:9991",
        ),
        (
            "LENSES_API_HTTP_URL=https://hq.example.com\nLENSES_API_HTTP_PORT=443\nLENSES_API_WEBSOCKET_URL=wss://hq.example.com",
            "https://hq.example.com",
        ),
        (
            "LENSES_URL=https://hq.example.com/x\nLENSES_API_HTTP_PORT=9991",
            "https://hq.example.com:9991/x",
        ),
    ] {
        let migrated = of_lines(&format!("{lines}\nMCP_ADVERTISED_URL=https://mcp.example.com\n"));
        assert_eq!(migrated.resource["spec"]["lenses"]["url"], url, "{}", migrated.said);
    }
}

#[test]
fn the_options_of_docker_are_converted_or_named() {
    let needed = "-e LENSES_URL=https://lenses.example.com -e MCP_ADVERTISED_URL=https://b.example";
    for options in [
        "-it --rm",
        "-d",
        "--detach=true",
        "-p 8000:8000",
        "--publish=8000:8000",
        "-p8000:8000",
        "--name mcp",
        "--restart unless-stopped",
        "--read-only",
        "--user 1000",
        "--pull=always",
        "--log-opt max-size=10m",
        "-e FASTMCP_STATELESS_HTTP=true",
        "-eHOST=0.0.0.0",
    ] {
        let migrated = of_docker(&format!("{options} {needed}"));
        assert_eq!(migrated.status, 0, "{options}: {}", migrated.said);
    }
    let migrated = of_docker(&format!("-m 512m --cpus 0.5 {needed}"));
    let limits = &migrated.resource["spec"]["resources"]["limits"];
    assert_eq!(*limits, json!({ "memory": "512Mi", "cpu": "0.5" }), "{}", migrated.said);
    for (options, key) in [
        ("--network host", "--network"),
        ("--add-host a:1.2.3.4", "--add-host"),
        ("--mount type=bind,src=/a,dst=/b", "--mount"),
        ("--entrypoint sh", "--entrypoint"),
        ("--memory 1x", "--memory"),
    ] {
        let migrated = of_docker(&format!("{options} {needed}"));
        assert_eq!(migrated.status, 1, "{options}: {}", migrated.said);
        assert!(names(&migrated.said, key, ""), "{key}: {}", migrated.said);
    }
    let mounted =
        of_docker(&format!("-v /etc/hq:/certs:ro -e LENSES_CA_FILE=/certs/ca.pem {needed}"));
    assert!(mounted.said.contains("--from-file=ca.crt=/etc/hq/ca.pem"), "{}", mounted.said);
    let lines = format!(
        "docker run \\\n  {} \\\n  lensesio/lenses-mcp-server",
        needed.replace(" -e", " \\\n  -e")
    );
    assert_eq!(migrate(&["--docker", &lines], "").status, 0);
}

#[test]
fn an_env_file_of_docker_is_read_with_it() {
    let directory = crate::directory("env");
    let file = directory.join("mcp.env");
    std::fs::write(&file, OAUTH).unwrap();
    let migrated = of_docker(&format!("--env-file {} -e MCP_READ_ONLY=true", file.display()));
    assert_eq!(migrated.status, 0, "{}", migrated.said);
    assert_eq!(migrated.resource["spec"]["endpoint"]["url"], "https://mcp.example.com");
    assert_eq!(migrated.resource["spec"]["tools"]["readOnly"], true);
}

#[test]
fn a_server_over_stdio_becomes_one_with_a_url() {
    let options = "-i --rm -e LENSES_URL=https://lenses.example.com -e LENSES_API_KEY";
    let migrated = of_docker(options);
    assert_eq!(migrated.status, 1);
    assert!(names(&migrated.said, "TRANSPORT", "kubectl lmcp connect"), "{}", migrated.said);
    let account = &migrated.resource["spec"]["auth"]["apiKey"]["secretKeyRef"]["name"];
    assert_eq!(account, "lenses-mcp-service-account");
}

#[test]
fn a_command_of_something_else_is_refused_with_what_to_give() {
    for (command, said) in [
        ("", "not a `docker run` command"),
        ("docker ps", "not a `docker run` command"),
        ("rm -rf /", "not a `docker run` command"),
        ("docker run", "names no image"),
        ("docker run -e A=b", "names no image"),
        ("docker run -e", "-e has no value"),
        ("docker run nginx", "neither lensesio/mcp nor"),
        ("docker run --flux lensesio/mcp", "--flux is not known"),
        ("docker run -e 'A lensesio/mcp", "quote without an end"),
        ("docker run --env-file no-such-file lensesio/mcp", "failed to read no-such-file"),
        (
            "docker run -e MCP_ADVERTISED_URL=http://a.example -e LENSES_URL=https://b.example lensesio/mcp",
            "spec.endpoint.url: plain http",
        ),
    ] {
        let migrated = migrate(&["--docker", command], "");
        assert_eq!(migrated.status, 2, "{command}: {}", migrated.said);
        assert!(migrated.said.contains(said), "{command}: {}", migrated.said);
    }
    for (lines, said) in [
        ("", "has no variable of the server"),
        ("POSTGRES_USER=a\nPGHOST=b\n", "has no variable of the server"),
        ("{\"a\": 1}", "has no variable of the server"),
    ] {
        let migrated = of_lines(lines);
        assert_eq!(migrated.status, 2, "{lines}");
        assert!(migrated.said.contains(said), "{lines}: {}", migrated.said);
    }
}
