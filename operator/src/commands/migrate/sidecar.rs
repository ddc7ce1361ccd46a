//! The section `mcp` of the values of the lenses-hq chart, as its templates use it in releases 6.2
//! and 6.3.

use lenses_mcp_crds::GROUP;
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    conversion::Conversion,
    environment::{self, Origin, Source, Variable},
    section::Section,
    steps,
};
use crate::commands::sensitive::may_be_secret;

/// The name of the chart, which is part of the names of its objects.
const CHART: &str = "lenses-hq";
/// The image of the Python server.
const PYTHON_IMAGE: &str = "lensesio/mcp";

/// Why there is no resource.
#[derive(Debug, thiserror::Error)]
pub(super) enum SidecarError {
    #[error("there is no section mcp: give the values of a lenses-hq release with the MCP sidecar")]
    NoSection,
    #[error("mcp is not an object: correct the values")]
    NotAnObject,
    #[error(
        "this is a resource of {GROUP}, not values of the lenses-hq chart: there is nothing to \
         convert"
    )]
    Resource,
    #[error("mcp.enabled is not true: the release has no MCP server")]
    Disabled,
    #[error("{0} is not set: the chart needs it to be the {1}")]
    Missing(&'static str, &'static str),
    #[error(
        "--name {0} is the name of the sidecar's Service: choose another, so that both servers \
         can be there at the same time"
    )]
    NameTaken(String),
}

/// The names of the release's objects.
pub(super) struct Release {
    pub(super) name: String,
    /// Of HQ's objects. Those of the sidecar end in `-mcp`.
    pub(super) full_name: String,
    pub(super) has_ingress: bool,
}

pub(super) fn convert(
    conversion: &mut Conversion,
    values: Value,
    release: &str,
    transition: bool,
) -> Result<(), SidecarError> {
    let is_resource = values["apiVersion"].as_str().is_some_and(|version| version.contains(GROUP));
    if is_resource {
        return Err(SidecarError::Resource);
    }
    match &values["mcp"] {
        Value::Null => return Err(SidecarError::NoSection),
        Value::Object(mcp) if mcp.get("enabled") != Some(&json!(true)) => {
            return Err(SidecarError::Disabled);
        }
        Value::Object(_) => {}
        _ => return Err(SidecarError::NotAnObject),
    }
    let mut all = Section::new("", values);
    let full_name = full_name(conversion, &mut all, release);
    if conversion.name == format!("{full_name}-mcp") {
        return Err(SidecarError::NameTaken(conversion.name.clone()));
    }
    let mut mcp = all.section(conversion, "mcp");
    mcp.take("enabled");
    let advertised = text(conversion, &mut mcp, "lensesAdvertisedUrl");
    let advertised = advertised.ok_or(SidecarError::Missing(
        "mcp.lensesAdvertisedUrl",
        "URL at which browsers reach HQ",
    ))?;
    let url = text(conversion, &mut mcp, "mcpAdvertisedUrl").ok_or(SidecarError::Missing(
        "mcp.mcpAdvertisedUrl",
        "URL at which clients reach the MCP server",
    ))?;
    hq(conversion, &mut all, &full_name);
    conversion.set("lenses.advertisedUrl", advertised.clone());
    conversion.set("endpoint.url", url.clone());
    let variables = variables(conversion, &mut mcp);
    environment::convert(conversion, variables, &Origin::Sidecar);
    if conversion.get("auth.oauth").is_object() {
        authorization_server(conversion, &all_of_hq(&mut all), &advertised);
    }
    image(conversion, &mut mcp);
    resources(conversion, &mut mcp);
    probes(conversion, &mut mcp);
    service(conversion, &mut mcp);
    let has_ingress = ingress(conversion, &mut mcp, &full_name, &url, transition);
    mcp.finish(conversion);
    pod(conversion, &mut all);
    if transition {
        conversion.set("verification.mode", "service");
    }
    let release = Release { name: release.to_owned(), full_name, has_ingress };
    steps::of_sidecar(conversion, &release, transition);
    Ok(())
}

/// A URL without a password in it.
fn text(conversion: &mut Conversion, section: &mut Section, name: &str) -> Option<String> {
    let text = section.text(conversion, name)?;
    if may_be_secret(&text) {
        conversion.leave_open(section.key(name), "it holds a password: write it without");
        return None;
    }
    Some(text)
}

/// As the chart's template `fullname` makes it.
fn full_name(conversion: &mut Conversion, values: &mut Section, release: &str) -> String {
    let full = values.text(conversion, "fullnameOverride");
    let name = values.text(conversion, "nameOverride").unwrap_or_else(|| CHART.to_owned());
    let made = full.unwrap_or_else(|| {
        if release.contains(&name) { release.to_owned() } else { format!("{release}-{name}") }
    });
    let short: String = made.chars().take(63).collect();
    short.trim_end_matches('-').to_owned()
}

/// HQ, which the sidecar reached by its Service.
fn hq(conversion: &mut Conversion, values: &mut Section, full_name: &str) {
    let port = values.take("servicePort").as_u64().unwrap_or(80);
    let tls = values.at("/lensesHq/http/tls/enabled") == json!(true);
    conversion.set("lenses.serviceRef", json!({ "name": full_name, "port": port }));
    if tls {
        conversion.set("lenses.serviceRef.scheme", "https");
    }
    let mut service = values.section(conversion, "service");
    if !service.flag(conversion, "enabled", true) {
        conversion.leave_open(
            "service.enabled",
            "HQ has no Service: write the URL at which pods reach HQ into spec.lenses.url in place \
             of spec.lenses.serviceRef",
        );
    }
}

fn all_of_hq(values: &mut Section) -> Value {
    values.at("/lensesHq/auth/oauth2/authorizationServer")
}

/// What the chart would refuse, and what the server can do beyond that.
fn authorization_server(conversion: &mut Conversion, server: &Value, advertised: &str) {
    const KEY: &str = "lensesHq.auth.oauth2.authorizationServer";
    if server["enabled"] != json!(true) {
        let what = "HQ's authorization server is not enabled in these values: sign-in needs it";
        return conversion.leave_open(format!("{KEY}.enabled"), what);
    }
    if server["issuerURL"].as_str() != Some(advertised) {
        let what = "it must equal mcp.lensesAdvertisedUrl byte for byte";
        conversion.leave_open(format!("{KEY}.issuerURL"), what);
    }
    if server["dcr"] != json!(true) {
        conversion.set("auth.oauth.clientRegistration", "manual");
    }
    let has_client = conversion.get("auth.oauth.introspection.clientCredentialsSecretRef");
    if server["unauthenticatedIntrospection"] != json!(true) && has_client.is_null() {
        let what = "HQ answers introspection to known clients only: name one in \
                    spec.auth.oauth.introspection.clientCredentialsSecretRef, or set it to true";
        conversion.leave_open(format!("{KEY}.unauthenticatedIntrospection"), what);
    }
}

fn variables(conversion: &mut Conversion, mcp: &mut Section) -> Vec<Variable> {
    let key = mcp.key("additionalEnv");
    let items = match mcp.take("additionalEnv") {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        _ => {
            conversion.leave_open(key, "it is not a list of variables: correct it");
            return Vec::new();
        }
    };
    let mut variables = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        let Some(name) = item["name"].as_str() else {
            conversion.leave_open(format!("{key}[{at}]"), "it has no name: correct it");
            continue;
        };
        let key = format!("{key}[{at}] ({name})");
        variables.push(Variable { name: name.to_owned(), key, source: source(&item) });
    }
    variables
}

fn source(item: &Value) -> Source {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match (&item["value"], &item["valueFrom"]) {
        (Value::String(value), _) => Source::Value(value.clone()),
        (Value::Number(_) | Value::Bool(_), _) => Source::Value(item["value"].to_string()),
        (_, Value::Object(from)) => {
            let reference = &item["valueFrom"]["secretKeyRef"];
            if let (Some(name), Some(key)) = (text(&reference["name"]), text(&reference["key"])) {
                return Source::Secret { name, key };
            }
            let kind = from.keys().next().cloned().unwrap_or_default();
            let name = text(&item["valueFrom"][&kind]["name"]);
            Source::Other(name.map_or_else(|| kind.clone(), |name| format!("{kind} {name}")))
        }
        _ => Source::Value(String::new()),
    }
}

fn image(conversion: &mut Conversion, mcp: &mut Section) {
    let mut image = mcp.section(conversion, "image");
    let repository = image.text(conversion, "repository");
    let tag = image.text(conversion, "tag");
    if repository.as_ref().is_some_and(|repository| repository != PYTHON_IMAGE) {
        conversion.leave_open(
            image.key("repository"),
            "it is a mirror of the Python server's image: mirror lensesio/lenses-mcp-server, and \
             set the operator chart's serverImage or spec.image",
        );
    } else if repository.is_some() || tag.is_some() {
        let why = "it is the Python server's image: the operator has that of its own version";
        conversion.drop_key("mcp.image", why);
    }
    if let Some(policy) = image.text(conversion, "pullPolicy") {
        conversion.set("imagePullPolicy", policy);
    }
    image.finish(conversion);
}

fn resources(conversion: &mut Conversion, mcp: &mut Section) {
    let mut resources = mcp.section(conversion, "resources");
    for part in ["requests", "limits"] {
        let key = resources.key(part);
        match resources.take(part) {
            Value::Null => {}
            Value::Object(quantities) => {
                let quantities = quantities.into_iter().filter(|(_, amount)| !amount.is_null());
                let quantities: Map<_, _> = quantities
                    .map(|(name, amount)| {
                        let text =
                            amount.as_str().map_or_else(|| amount.to_string(), str::to_owned);
                        (name, text.into())
                    })
                    .collect();
                conversion.set(&format!("resources.{part}"), quantities);
            }
            _ => conversion.leave_open(key, "it is not an object: correct it"),
        }
    }
    resources.finish(conversion);
}

fn probes(conversion: &mut Conversion, mcp: &mut Section) {
    for name in ["livenessProbe", "readinessProbe"] {
        let mut probe = mcp.section(conversion, name);
        if !probe.flag(conversion, "enabled", true) {
            let why = "the pods always have it: it asks the server, not only its port";
            conversion.drop_key(probe.key("enabled"), why);
        }
        probe.finish(conversion);
    }
}

fn service(conversion: &mut Conversion, mcp: &mut Section) {
    let mut service = mcp.section(conversion, "service");
    if !service.flag(conversion, "enabled", true) {
        let why = "the operator always makes a Service";
        conversion.drop_key(service.key("enabled"), why);
    }
    if let Some(kind) = service.text(conversion, "type") {
        conversion.set("endpoint.service.type", kind);
    }
    let port = service.take("port");
    if port.is_u64() {
        conversion.set("endpoint.service.port", port);
    }
    let annotations = annotations(conversion, &mut service);
    if !annotations.is_empty() {
        conversion.set("endpoint.service.annotations", annotations);
    }
    service.finish(conversion);
}

/// Annotations, without those that look like a secret.
fn annotations(conversion: &mut Conversion, section: &mut Section) -> Map<String, Value> {
    let mut annotations = section.section(conversion, "annotations");
    let names = annotations.names();
    let mut kept = Map::new();
    for name in names {
        let key = annotations.key(&name);
        match annotations.text(conversion, &name) {
            Some(text) if may_be_secret(&text) => {
                conversion.leave_open(key, "it holds a password or a token, so it is left out");
            }
            Some(text) => drop(kept.insert(name, text.into())),
            None => {}
        }
    }
    kept
}

/// Whether there is one. In the time of the change it stays the chart's.
fn ingress(
    conversion: &mut Conversion,
    mcp: &mut Section,
    full_name: &str,
    url: &str,
    transition: bool,
) -> bool {
    let mut ingress = mcp.section(conversion, "ingress");
    let is_enabled = ingress.flag(conversion, "enabled", false);
    let host = ingress.text(conversion, "host");
    let class = ingress.text(conversion, "ingressClassName");
    let annotations = annotations(conversion, &mut ingress);
    let mut tls = ingress.section(conversion, "tls");
    let with_tls = tls.flag(conversion, "enabled", false);
    let secret = tls.text(conversion, "secretName").unwrap_or_else(|| format!("{full_name}-mcp"));
    tls.finish(conversion);
    ingress.finish(conversion);
    if !is_enabled || transition {
        return is_enabled;
    }
    let parsed = Url::parse(url).ok();
    let host_of_url = parsed.as_ref().and_then(|url| url.host_str().map(str::to_owned));
    conversion.set("endpoint.ingress.host", host.or(host_of_url).unwrap_or_default());
    let path = parsed.as_ref().map_or("/", |url| url.path().trim_end_matches('/'));
    if !path.is_empty() {
        conversion.set("endpoint.ingress.path", path);
    }
    if let Some(class) = class {
        conversion.set("endpoint.ingress.className", class);
    }
    if !annotations.is_empty() {
        conversion.set("endpoint.ingress.annotations", annotations);
    }
    if with_tls {
        conversion.set("endpoint.ingress.tls.secretName", secret);
    }
    true
}

/// What the sidecar shared with HQ, because it ran in HQ's pod.
fn pod(conversion: &mut Conversion, values: &mut Section) {
    for name in ["nodeSelector", "tolerations", "affinity", "dnsPolicy", "dnsConfig"] {
        let value = values.take(name);
        let is_empty = value.as_object().is_some_and(Map::is_empty)
            || value.as_array().is_some_and(Vec::is_empty);
        if !value.is_null() && !is_empty {
            conversion.set(&format!("podTemplate.spec.{name}"), value);
        }
    }
    let secrets = values.at("/image/imagePullSecrets");
    for secret in secrets.as_array().into_iter().flatten() {
        conversion.push("imagePullSecrets", json!({ "name": secret["name"] }));
    }
    for (name, field) in [
        ("podTemplateAnnotations", "spec.podTemplate.metadata.annotations"),
        ("additionalPodSpec", "spec.podTemplate.spec"),
    ] {
        let value = values.take(name);
        let is_empty = value.as_object().is_some_and(Map::is_empty)
            || value.as_array().is_some_and(Vec::is_empty);
        if !value.is_null() && !is_empty {
            let what =
                format!("it was HQ's and the sidecar's: write what the pods need into {field}");
            conversion.leave_open(name, what);
        }
    }
    for name in ["securityContext", "containerSecurityContext"] {
        if values.take(name).as_object().is_some_and(|context| !context.is_empty()) {
            let why = "the pods hold the Pod Security Standard restricted";
            conversion.drop_key(name, why);
        }
    }
}
