//! The server's environment variables, as fields of the spec.

mod certificates;
mod proxy;
mod tracing;

use lenses_mcp_crds::{is_server_setting, may_be_set};
use serde_json::json;
use url::Url;

use super::{
    conversion::Conversion,
    fields::{self, DROPPED, FIELDS},
    sign_in,
    this_machine::is_this_machine,
    variables::{Environment, Origin, Source, Variable},
};
use crate::commands::sensitive::may_be_secret;

/// Whether the server reads a variable of this name.
pub(super) fn is_known(variable: &Variable) -> bool {
    let name = variable.name.as_str();
    is_server_setting(name)
        || FIELDS.iter().chain(&fields::OAUTH_FIELDS).any(|(known, ..)| *known == name)
}

/// Converts all of them. What is left over is said to be.
pub(super) fn convert(conversion: &mut Conversion, variables: Vec<Variable>, origin: &Origin) {
    let mut environment = Environment::new(conversion, variables);
    match origin {
        Origin::Sidecar => chart_sets(conversion, &mut environment),
        Origin::Container => addresses(conversion, &mut environment),
    }
    sign_in::convert(conversion, &mut environment, origin);
    for (name, field, kind) in FIELDS {
        fields::convert(conversion, &mut environment, name, field, kind);
    }
    certificates::convert(conversion, &mut environment);
    proxy::convert(conversion, &mut environment);
    tracing::convert(conversion, &mut environment);
    rest(conversion, environment);
}

/// What the chart sets itself, and refuses beside it or lets it win.
fn chart_sets(conversion: &mut Conversion, environment: &mut Environment) {
    for name in ["LENSES_URL", "LENSES_ADVERTISED_URL", "MCP_ADVERTISED_URL"] {
        if let Some(variable) = environment.take(name) {
            conversion.leave_open(
                variable.key,
                "the chart sets it too: the resource has the chart's value, correct it if this one \
                 was meant",
            );
        }
    }
    for name in fields::OLDER_ADDRESSES {
        if let Some(variable) = environment.take(name) {
            let what = "the resource reaches HQ by its Service: write spec.lenses.url in place of \
                        spec.lenses.serviceRef if this address was meant";
            conversion.leave_open(variable.key, what);
        }
    }
}

/// `LENSES_URL`, or the older variables for its parts.
fn addresses(conversion: &mut Conversion, environment: &mut Environment) {
    let field = "lenses.url";
    let is_set = environment.has("LENSES_URL");
    let url = environment.text(conversion, "LENSES_URL", field);
    let [http, http_port, websocket, websocket_port] =
        fields::OLDER_ADDRESSES.map(|name| environment.text(conversion, name, field));
    let older = http.or_else(|| url.clone()).map(|http| match &http_port {
        Some(port) => with_port(&http, port),
        None => http,
    });
    for (name, set) in [
        ("LENSES_API_WEBSOCKET_URL", websocket.is_some()),
        ("LENSES_API_WEBSOCKET_PORT", websocket_port.is_some()),
    ] {
        if set {
            conversion.drop_key(name, "websockets use the host and port of spec.lenses.url");
        }
    }
    let Some(url) = older else {
        let what = "the resource has a placeholder: write the URL at which pods reach HQ into \
                    spec.lenses.url";
        if !is_set {
            conversion.leave_open("LENSES_URL", format!("it is not set. {what}"));
        }
        return conversion.set(field, "https://lenses.example.com");
    };
    if is_this_machine(&url) {
        conversion.leave_open(
            "LENSES_URL",
            "it is an address of the machine that runs the container, which pods cannot reach: \
             write another into spec.lenses.url",
        );
    }
    conversion.set(field, url);
}

fn with_port(url: &str, port: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return format!("{url}:{port}") };
    let set = port.parse().map_err(drop).and_then(|port| parsed.set_port(Some(port)));
    match set {
        Ok(()) => parsed.as_str().trim_end_matches('/').to_owned(),
        Err(()) => url.to_owned(),
    }
}

/// What no rule above took.
fn rest(conversion: &mut Conversion, environment: Environment) {
    for (name, variable) in environment.into_rest() {
        let known = DROPPED.iter().find(|(known, _)| {
            known.strip_suffix('*').map_or(*known == name, |prefix| name.starts_with(prefix))
        });
        if let Some((_, why)) = known {
            conversion.drop_key(variable.key, *why);
            continue;
        }
        let is_kept = name.starts_with("OTEL_") || (is_server_setting(&name) && may_be_set(&name));
        match variable.source {
            Source::Value(value) if is_kept && !may_be_secret(&value) => {
                conversion.add_pod_variable(&json!({ "name": name, "value": value }));
            }
            _ if is_server_setting(&name) => {
                conversion.leave_open(variable.key, fields::unknown(&name));
            }
            _ => conversion.leave_open(
                variable.key,
                "the server has no such setting: leave it out, or write it into spec.podTemplate",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// What the server's variables become, and the names of those that are spoken of.
    fn converted(lines: &[&str]) -> (Value, String) {
        let mut conversion = Conversion::new("a", "b");
        let variables = super::super::env_file::variables(&lines.join("\n"), "f");
        convert(&mut conversion, variables, &Origin::Container);
        (conversion.resource(), conversion.notes())
    }

    #[test]
    fn every_setting_of_the_server_is_converted_or_named() {
        const PAGE: &str = include_str!("../../../../docs/settings.md");
        let oauth = [
            "OAUTH_ENABLED=true",
            "LENSES_URL=https://lenses.example.com",
            "MCP_ADVERTISED_URL=https://mcp.example.com",
            "OTEL_ENABLED=true",
            "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318",
        ];
        let names: Vec<_> =
            PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert!(names.len() > 60, "{names:?}");
        let before = converted(&oauth);
        for name in names {
            let line = format!("{name}=7");
            let after = converted(&[&oauth[..], &[&line]].concat());
            let is_named = after.1.contains(name) && !before.1.contains(name);
            // The first are there already.
            let is_set = oauth.iter().any(|line| line.starts_with(&format!("{name}=")));
            assert!(is_named || is_set || after.0 != before.0, "{name}: {}", after.1);
        }
    }
}
