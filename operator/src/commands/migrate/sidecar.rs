//! The section `mcp` of the values of the lenses-hq chart, as its templates use it in releases 6.2
//! and 6.3.

mod exposure;
mod hq;
mod pods;

use lenses_mcp_crds::GROUP;
use serde_json::{Value, json};

use super::{
    conversion::Conversion,
    environment,
    section::Section,
    steps::{self, Release},
    variables::{Origin, Source, Variable},
};
use crate::commands::sensitive::may_be_secret;

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
    let full_name = hq::full_name(conversion, &mut all, release);
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
    hq::service(conversion, &mut all, &full_name);
    conversion.set("lenses.advertisedUrl", advertised.clone());
    conversion.set("endpoint.url", url.clone());
    let variables = variables(conversion, &mut mcp);
    environment::convert(conversion, variables, &Origin::Sidecar);
    if conversion.get("auth.oauth").is_object() {
        hq::authorization_server(conversion, &all, &advertised);
    }
    pods::image(conversion, &mut mcp);
    pods::resources(conversion, &mut mcp);
    pods::probes(conversion, &mut mcp);
    exposure::service(conversion, &mut mcp);
    let has_ingress = exposure::ingress(conversion, &mut mcp, &full_name, &url, transition);
    mcp.finish(conversion);
    pods::pod(conversion, &mut all);
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
