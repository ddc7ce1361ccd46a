//! Names that are not settings': those that were meant as one stop the start, all others do not.

use std::collections::BTreeSet;

use lenses_mcp_server::settings::variable;

use crate::{Files, OAUTH, errors, read, read_with};

const PREFIXES: [&str; 4] = ["MCP_", "LENSES_", "INTROSPECTION_", "OAUTH_"];

/// Each setting with a prefix of its own, and the name of each secret's file.
fn names() -> BTreeSet<String> {
    variable::ALL
        .iter()
        .filter(|known| PREFIXES.iter().any(|prefix| known.name.starts_with(prefix)))
        .flat_map(|known| {
            let file = known.secret.then(|| format!("{}_FILE", known.name));
            [known.name.to_owned()].into_iter().chain(file)
        })
        .collect()
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
    for name in &names {
        let mut misses = near_misses(name);
        // The older names have a warning of their own.
        misses.retain(|miss| {
            !names.contains(miss)
                && !matches!(
                    miss.as_str(),
                    "LENSES_PORT" | "MCP_HOST" | "MCP_PORT" | "MCP_TRANSPORT"
                )
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
    assert!(tried > 3000, "{tried}");
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
        ("MCP_SERVER_NAME", "lenses"),
        ("MCP_SESSION_ID", "x"),
        ("OAUTH_CLIENT_ID", "x"),
        ("OAUTH_TOKEN", "x"),
        ("HOSTNAME", "pod"),
        ("TRANSPORTS", "x"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("PATH", "/bin"),
    ];
    read(&[OAUTH, &others]).unwrap();
}
