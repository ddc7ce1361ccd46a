//! Names that are not settings': those that were meant as one stop the start, all others do not.

mod newer_operator;

use std::collections::BTreeSet;

use lenses_mcp_server::settings::variable;

use crate::{Files, OAUTH, errors, read, read_with};

/// Of so few letters that a near miss of one may be any other program's.
const SHORT: [&str; 2] = ["HOST", "PORT"];

/// Each setting's name, and the name of each secret's file.
fn names() -> BTreeSet<String> {
    let names = variable::ALL.iter().flat_map(|known| {
        let file = known.secret.then(|| format!("{}_FILE", known.name));
        [known.name.to_owned()].into_iter().chain(file)
    });
    names.collect()
}

/// What people write in place of `name`: one character too few or too many, two of them the wrong
/// way round, another case, a hyphen, a word in another place, a singular or plural.
fn near_misses(name: &str) -> BTreeSet<String> {
    let mut misses = BTreeSet::from([
        name.to_lowercase(),
        name.replace('_', "-"),
        format!("{name}S"),
        format!("{name}_"),
        format!("_{name}"),
    ]);
    for position in 0..name.len() {
        let (before, after) = name.split_at(position);
        misses.insert(format!("{before}{}", &after[1..]));
        misses.insert(format!("{before}{}{after}", &after[..1]));
        misses.insert(format!("{before}X{}", &after[1..]));
        if after.len() > 1 {
            misses.insert(format!("{before}{}{}{}", &after[1..2], &after[..1], &after[2..]));
        }
    }
    let mut words: Vec<_> = name.split('_').collect();
    if words.len() > 2 {
        words[1..].rotate_left(1);
        misses.insert(words.join("_"));
    }
    misses.remove(name);
    misses
}

#[test]
fn every_near_miss_of_every_setting_stops_the_start_and_is_told() {
    let names = names();
    let mut tried = 0;
    for name in names.iter().filter(|name| !SHORT.contains(&name.as_str())) {
        let mut misses = near_misses(name);
        // The older names have a warning of their own, and proxies are read in lower case too.
        let is_older = ["LENSES_PORT", "MCP_HOST", "MCP_PORT", "MCP_TRANSPORT"];
        let is_lower = ["https_proxy", "http_proxy", "no_proxy"];
        misses.retain(|miss| {
            !names.contains(miss) && ![&is_older[..], &is_lower].concat().contains(&miss.as_str())
        });
        let set: Vec<_> = misses.iter().map(|miss| (miss.as_str(), "true")).collect();
        let errors = errors(&[OAUTH, &set]);
        for miss in &misses {
            let told = errors
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{miss} in the environment is not a ")))
                .and_then(|line| line.strip_prefix("setting: did you mean ")?.strip_suffix('?'));
            // A miss may be as near to another setting.
            assert!(told.is_some_and(|told| names.contains(told)), "{name}, {miss}: {told:?}");
            tried += 1;
        }
    }
    assert!(tried > 5000, "{tried}");
}

#[test]
fn a_named_file_reports_near_misses_of_short_names_too() {
    for name in SHORT {
        for miss in near_misses(name) {
            let text = format!("{miss}=true\n");
            let files = Files([("/settings", &*text)].into());
            let set = [("MCP_SETTINGS_FILE", "/settings")];
            let errors = read_with(&files, &[OAUTH, &set]).unwrap_err().to_string();
            let told = format!("{miss} in the settings file \"/settings\" is not a setting: ");
            assert!(errors.starts_with(&told), "{errors}");
        }
    }
}

#[test]
fn misspelt_policies_are_told_by_the_names_that_were_meant() {
    for (miss, meant) in [
        ("MCP_SCOPE", "MCP_SCOPES"),
        ("MCP_READONLY", "MCP_READ_ONLY"),
        ("MCP_ALLOW_TOOLS", "MCP_TOOLS_ALLOW"),
        ("MCP_TOOL_DENY", "MCP_TOOLS_DENY"),
        ("MCP_ENVIRONMENT", "MCP_ENVIRONMENTS"),
        ("MCP_CONFIRMS", "MCP_CONFIRM"),
        ("MCP_AUDIENCES", "MCP_AUDIENCE"),
        ("MCP_OAUTH_ENABLED", "OAUTH_ENABLED"),
        ("MCP_LOG_LEVEL", "LOG_LEVEL"),
        ("MCP_LENSES_URL", "LENSES_URL"),
        ("OAUTH_ENABLE", "OAUTH_ENABLED"),
        ("OATH_ENABLED", "OAUTH_ENABLED"),
        ("LENSES_URI", "LENSES_URL"),
        ("LENSES_APIKEY", "LENSES_API_KEY"),
        ("LENSES_API_KEYFILE", "LENSES_API_KEY_FILE"),
        ("INTROSPECTION_URI", "INTROSPECTION_URL"),
        ("MPC_CALLER_TOKEN", "MCP_CALLER_TOKEN"),
        ("MCP_TOOLS_DENIED", "MCP_TOOLS_DENY"),
        ("MCP_DENIED_TOOLS", "MCP_TOOLS_DENY"),
        ("MCP_BLOCKED_TOOLS", "MCP_TOOLS_DENY"),
        ("MCP_ALLOWED_TOOLS", "MCP_TOOLS_ALLOW"),
        ("MCP_ENV_RULES", "MCP_ENVIRONMENT_RULES"),
        ("MCP_RULES", "MCP_ENVIRONMENT_RULES"),
        ("MCP_ALLOWED_ENVIRONMENTS", "MCP_ENVIRONMENTS"),
        ("MCP_CONFIRMATION", "MCP_CONFIRM"),
        ("MCP_REQUIRE_CONFIRM", "MCP_CONFIRM"),
        ("MCP_READ_ONLY_MODE", "MCP_READ_ONLY"),
        ("mcp_read_only_mode", "MCP_READ_ONLY"),
        ("MCP_AUDIT_FILE", "MCP_AUDIT"),
        ("MCP_AUDIT_LOG", "MCP_AUDIT"),
        ("MCP_RATE_LIMIT", "MCP_CALLS_PER_MINUTE_PER_USER"),
        ("TLS_CERTFILE", "TLS_CERT_FILE"),
        ("ADMIN_PORTS", "ADMIN_PORT"),
        ("SHUTDOWN_GRACES", "SHUTDOWN_GRACE"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("OTEL_ENABLE", "OTEL_ENABLED"),
        ("TRANSPROT", "TRANSPORT"),
    ] {
        let expected = format!("{miss} in the environment is not a setting: did you mean {meant}?");
        assert_eq!(errors(&[OAUTH, &[(miss, "read")]]), expected);
    }
}

#[test]
fn a_misspelt_name_in_a_dotenv_file_stops_the_start_too() {
    let files = Files([(".env", "MCP_SCOPE=read\nLENSES_LICENSE=of-another-program\n")].into());
    let errors = read_with(&files, &[OAUTH]).unwrap_err().to_string();
    assert_eq!(
        errors,
        "MCP_SCOPE in the settings file \".env\" is not a setting: did you mean MCP_SCOPES?"
    );
}

#[test]
fn a_policy_that_nothing_resembles_stops_the_start_without_a_guess() {
    assert_eq!(
        errors(&[OAUTH, &[("MCP_FROBNICATE", "x")]]),
        "MCP_FROBNICATE in the environment is not a setting: remove it"
    );
}

#[test]
fn names_of_lenses_and_oauth_that_no_setting_has_are_warned_about() {
    let hq = [("LENSES_URL", "https://lenses.example.com")];
    let set = [
        ("LENSES_CA", "/ca.pem"),
        ("LENSES_CA_CERT", "/ca.pem"),
        ("LENSES_LICENSE", "hunter2"),
        ("OAUTH_CLIENT_ID", "x"),
    ];
    assert_eq!(
        read(&[OAUTH, &hq, &set]).unwrap().warnings,
        [
            "LENSES_CA has no effect: no setting has this name; the most similar is LENSES_CA_FILE",
            "LENSES_CA_CERT has no effect: no setting has this name; the most similar is \
             LENSES_CA_FILE",
            "LENSES_LICENSE has no effect: no setting has this name",
            "OAUTH_CLIENT_ID has no effect: no setting has this name; the most similar is \
             INTROSPECTION_CLIENT_ID",
        ]
    );
}

/// What Kubernetes sets in a pod for a Service called `name`, as "Accessing the Service" lists it.
fn service_links(name: &str) -> Vec<(String, String)> {
    let base = name.to_uppercase().replace('-', "_");
    let address = "10.96.0.11";
    [
        ("_SERVICE_HOST", address),
        ("_SERVICE_PORT", "8000"),
        ("_SERVICE_PORT_MCP", "8000"),
        ("_PORT", "tcp://10.96.0.11:8000"),
        ("_PORT_8000_TCP", "tcp://10.96.0.11:8000"),
        ("_PORT_8000_TCP_PROTO", "tcp"),
        ("_PORT_8000_TCP_PORT", "8000"),
        ("_PORT_8000_TCP_ADDR", address),
        ("_PORT_53_UDP_ADDR", address),
    ]
    .map(|(end, value)| (format!("{base}{end}"), value.to_owned()))
    .to_vec()
}

#[test]
fn what_kubernetes_sets_for_services_is_no_setting_and_no_fault() {
    let plain = read(&[OAUTH]).unwrap();
    for service in [
        "lenses-mcp-server",
        "lenses-hq",
        "lenses",
        "mcp",
        "oauth",
        "lenses-url",
        "mcp-scope",
        // These Services make the very names of settings.
        "admin",
        "lenses-api-http",
        "lenses-api-websocket",
    ] {
        let links = service_links(service);
        let links: Vec<_> =
            links.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let settings =
            read(&[OAUTH, &links]).unwrap_or_else(|errors| panic!("{service}: {errors}"));
        assert_eq!(settings.effective().to_string(), plain.effective().to_string(), "{service}");
        assert_eq!(settings.warnings, plain.warnings, "{service}");
    }
}

#[test]
fn other_programs_names_do_not_stop_the_start() {
    let others = [
        ("LENSES_LICENSE", "x"),
        ("LENSES_HQ_AGENT_KEY", "x"),
        ("LENSES_HEAP_OPTS", "-Xmx1g"),
        ("LENSES_VERSION", "6.3"),
        ("MCP_TIMEOUT", "30000"),
        ("MCP_TOOL_TIMEOUT", "30000"),
        ("MCP_REMOTE_CONFIG_DIR", "/home/u/.mcp-auth"),
        ("MCP_PROXY_AUTH_TOKEN", "x"),
        ("OAUTH_CLIENT_ID", "x"),
        ("OAUTH_TOKEN", "x"),
        ("HOSTNAME", "pod"),
        ("SSL_CERT_FILE", "/ca.pem"),
        ("SSL_CERT_DIR", "/certs"),
        ("https_proxy", "http://proxy:3128"),
        ("no_proxy", "localhost"),
        ("ALL_PROXY", "http://proxy:3128"),
        ("FTP_PROXY", "http://proxy:3128"),
        ("POST", "x"),
        ("PORTS", "x"),
        ("HOSTS", "x"),
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_LOGS_EXPORTER", "otlp"),
        ("OTEL_PROPAGATORS", "tracecontext"),
        ("OTEL_LOG_LEVEL", "info"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a=b"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://collector"),
        ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://collector"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
        ("PATH", "/bin"),
    ];
    read(&[OAUTH, &others]).unwrap();
}
