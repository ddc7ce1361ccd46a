//! The server's environment variables, as fields of the spec.

use std::collections::BTreeMap;

use lenses_mcp_crds::{SERVER_CONTAINER, is_server_setting, may_be_set};
use serde_json::{Value, json};
use url::{Host, Url};

use super::{
    conversion::Conversion,
    fields::{self, DROPPED, FIELDS},
    sign_in,
};
use crate::commands::sensitive::may_be_secret;

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    /// Where it stands, for people.
    pub(super) key: String,
    pub(super) source: Source,
}

/// Where a variable's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Value(String),
    /// The shell in which docker is run.
    Shell,
    /// A key of a Secret that exists.
    Secret {
        name: String,
        key: String,
    },
    /// Something else, such as `fieldRef`.
    Other(String),
}

/// Where the variables are from.
pub(super) enum Origin {
    /// The chart's sidecar, whose URLs are values of the chart.
    Sidecar,
    /// A container or a process.
    Container,
}

/// Variables that are taken one after the other.
pub(super) struct Environment(BTreeMap<String, Variable>);

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
    certificates(conversion, &mut environment);
    proxy(conversion, &mut environment);
    tracing(conversion, &mut environment);
    rest(conversion, environment);
}

impl Environment {
    fn new(conversion: &mut Conversion, variables: Vec<Variable>) -> Self {
        let mut all = BTreeMap::new();
        for variable in variables {
            // An empty value is as none.
            if variable.source == Source::Value(String::new()) {
                continue;
            }
            let earlier: Option<Variable> = all.insert(variable.name.clone(), variable);
            if let Some(earlier) = earlier {
                conversion.drop_key(earlier.key, "it is set again later, and the last one holds");
            }
        }
        Self(all)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Variable> {
        self.0.remove(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of a variable that is no secret. What cannot be told is left open, with the field
    /// that it belongs to.
    pub(super) fn text(
        &mut self,
        conversion: &mut Conversion,
        name: &str,
        field: &str,
    ) -> Option<String> {
        let Variable { key, source, .. } = self.take(name)?;
        match source {
            Source::Value(value) if may_be_secret(&value) => {
                let what = format!("it holds a password or a token: write spec.{field} without it");
                conversion.leave_open(key, what);
                None
            }
            Source::Value(value) => Some(value),
            Source::Shell => {
                let what = format!("its value is in your shell: write it into spec.{field}");
                conversion.leave_open(key, what);
                None
            }
            Source::Secret { name, .. } => {
                let what = format!("its value is in Secret {name}: write it into spec.{field}");
                conversion.leave_open(key, what);
                None
            }
            Source::Other(from) => {
                let what = format!("its value comes from {from}: write it into spec.{field}");
                conversion.leave_open(key, what);
                None
            }
        }
    }
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

pub(super) fn is_this_machine(url: &str) -> bool {
    match Url::parse(url).as_ref().map(Url::host) {
        Ok(Some(Host::Domain(name))) => {
            ["localhost", "host.docker.internal", "host.containers.internal"].contains(&name)
        }
        Ok(Some(Host::Ipv4(address))) => address.is_loopback(),
        Ok(Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}

/// Files that are mounted become objects.
fn certificates(conversion: &mut Conversion, environment: &mut Environment) {
    for name in ["LENSES_CA_FILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"] {
        let field = "lenses.caBundle";
        let Some(path) = environment.text(conversion, name, field) else { continue };
        if conversion.get(field).is_object() {
            conversion.drop_key(name, "spec.lenses.caBundle holds the authorities already");
            continue;
        }
        let object = conversion.object_name("lenses-ca");
        conversion.create("configmap", &object, &format!("--from-file=ca.crt={}", word(&path)));
        let reference = json!({ "configMapKeyRef": { "name": object, "key": "ca.crt" } });
        conversion.set(field, reference);
    }
    for (certificate, key, field, suffix) in [
        ("LENSES_CLIENT_CERT_FILE", "LENSES_CLIENT_KEY_FILE", "lenses.clientCertificate", "client"),
        ("TLS_CERT_FILE", "TLS_KEY_FILE", "endpoint.tls", "tls"),
    ] {
        let pair = [certificate, key].map(|name| environment.text(conversion, name, field));
        match pair {
            [Some(certificate), Some(key)] => {
                let object = conversion.object_name(suffix);
                let files = format!("--cert={} --key={}", word(&certificate), word(&key));
                conversion.create("secret tls", &object, &files);
                conversion.set(&format!("{field}.secretName"), object);
            }
            [None, None] => {}
            _ => conversion.leave_open(certificate, format!("it needs {key} beside it: set both")),
        }
    }
}

/// One word of a shell.
pub(super) fn word(text: &str) -> String {
    crate::commands::write::shell_word(text)
}

fn proxy(conversion: &mut Conversion, environment: &mut Environment) {
    let field = "lenses.proxy";
    let is_encrypted =
        conversion.get("lenses.url").as_str().is_none_or(|url| url.starts_with("https"));
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
    let mut set: Vec<_> = names.iter().filter_map(|name| environment.take(name)).collect();
    // The one for HQ's scheme comes first.
    set.sort_by_key(|variable| variable.name.to_lowercase().starts_with("https") != is_encrypted);
    let bypass = ["NO_PROXY", "no_proxy"]
        .map(|name| environment.text(conversion, name, "lenses.proxy.noProxy"));
    let mut set = set.into_iter();
    let Some(variable) = set.next() else {
        if bypass.iter().any(Option::is_some) {
            conversion.drop_key("NO_PROXY", "no proxy is set");
        }
        return;
    };
    for other in set.filter(|other| other.source != variable.source) {
        conversion.drop_key(other.key, format!("HQ is reached through {}", variable.name));
    }
    let Source::Value(url) = &variable.source else {
        let what = "write the proxy into spec.lenses.proxy.url, and its credentials, if it has \
                    any, into the Secret of spec.lenses.proxy.credentialsSecretRef";
        return conversion.leave_open(variable.key, what);
    };
    let parsed = Url::parse(url).or_else(|_| Url::parse(&format!("http://{url}")));
    let Some((parsed, host)) =
        parsed.ok().and_then(|url| Some((url.clone(), url.host_str()?.to_owned())))
    else {
        let what = "it is not a URL: write http://host:port into spec.lenses.proxy.url";
        return conversion.leave_open(variable.key, what);
    };
    let port = parsed.port().map_or_else(String::new, |port| format!(":{port}"));
    conversion.set("lenses.proxy.url", format!("http://{host}{port}"));
    if parsed.scheme() == "https" {
        let what = "TLS to the proxy itself is not supported: spec.lenses.proxy.url has http";
        conversion.leave_open(variable.key.clone(), what);
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let object = conversion.object_name("proxy");
        let keys = [("username", "PROXY_USERNAME"), ("password", "PROXY_PASSWORD")];
        conversion.create_secret(&object, "generic", &keys);
        conversion.set("lenses.proxy.credentialsSecretRef.name", object);
    }
    if let Some(list) = bypass.into_iter().flatten().next() {
        let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
        let items: Vec<_> = items.map(Value::from).collect();
        conversion.set(&format!("{field}.noProxy"), items);
    }
}

fn tracing(conversion: &mut Conversion, environment: &mut Environment) {
    let field = "observability.tracing";
    let enabled = environment.text(conversion, "OTEL_ENABLED", field);
    let exporter = environment.text(conversion, "OTEL_EXPORTER", field);
    let is_enabled = enabled.is_some_and(|enabled| fields::is_true(&enabled));
    if !is_enabled {
        let names: Vec<_> =
            environment.0.keys().filter(|name| name.starts_with("OTEL_")).cloned().collect();
        for name in names {
            environment.take(&name);
            conversion.drop_key(name, "OTEL_ENABLED is not true");
        }
        return;
    }
    if exporter.is_some_and(|exporter| exporter != "otlp") {
        let what = "spans are sent with OTLP only: write the collector into \
                    spec.observability.tracing.otlpEndpoint";
        conversion.leave_open("OTEL_EXPORTER", what);
    }
    let [protocol, endpoint, traces] = [
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ]
    .map(|name| environment.text(conversion, name, "observability.tracing.otlpEndpoint"));
    let traces = traces.map(|url| url.trim_end_matches("/v1/traces").to_owned());
    let Some(endpoint) = traces.or(endpoint).filter(|url| !is_this_machine(url)) else {
        let what = "no collector is named that pods can reach: write it into \
                    spec.observability.tracing.otlpEndpoint";
        return conversion.leave_open("OTEL_EXPORTER_OTLP_ENDPOINT", what);
    };
    conversion.set("observability.tracing.otlpEndpoint", endpoint);
    if protocol.is_some_and(|protocol| protocol.starts_with("grpc")) {
        conversion.set("observability.tracing.protocol", "grpc");
    }
    let sampler = environment.text(conversion, "OTEL_TRACES_SAMPLER", field);
    let share = environment.text(conversion, "OTEL_TRACES_SAMPLER_ARG", field);
    match (sampler.as_deref(), share.and_then(|share| share.parse::<f64>().ok())) {
        (None | Some("parentbased_always_on"), _) => {}
        (Some("parentbased_traceidratio"), Some(share)) => {
            conversion.set("observability.tracing.sampleRatio", share);
        }
        _ => {
            let what = "write the share of traces into spec.observability.tracing.sampleRatio";
            conversion.leave_open("OTEL_TRACES_SAMPLER", what);
        }
    }
    if let Some(headers) = environment.take("OTEL_EXPORTER_OTLP_HEADERS") {
        let (name, key) = secret(conversion, headers, "otlp", "headers");
        pod_variable(
            conversion,
            &json!({
                "name": "OTEL_EXPORTER_OTLP_HEADERS",
                "valueFrom": { "secretKeyRef": { "name": name, "key": key } },
            }),
        );
    }
}

/// The Secret and the key with a variable's value: the one that it comes from, or one to create.
pub(super) fn secret(
    conversion: &mut Conversion,
    variable: Variable,
    suffix: &str,
    key: &str,
) -> (String, String) {
    if let Source::Secret { name, key } = variable.source {
        return (name, key);
    }
    let name = conversion.object_name(suffix);
    conversion.create_secret(&name, "generic", &[(key, &variable.name)]);
    (name, key.to_owned())
}

/// A variable of the server's container.
fn pod_variable(conversion: &mut Conversion, variable: &Value) {
    let field = "podTemplate.spec.containers";
    let mut container = conversion.get(field)[0].clone();
    if !container.is_object() {
        container = json!({ "name": SERVER_CONTAINER, "env": [] });
    }
    if let Some(variables) = container["env"].as_array_mut() {
        variables.push(variable.clone());
    }
    conversion.set(field, vec![container]);
}

/// What no rule above took.
fn rest(conversion: &mut Conversion, environment: Environment) {
    for (name, variable) in environment.0 {
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
                pod_variable(conversion, &json!({ "name": name, "value": value }));
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
