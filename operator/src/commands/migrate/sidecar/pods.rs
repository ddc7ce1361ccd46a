//! What ran: the sidecar's image, resources and probes, and what it shared with HQ's pod.

use serde_json::{Map, Value, json};

use crate::commands::migrate::{conversion::Conversion, section::Section};

/// The image of the Python server.
const PYTHON_IMAGE: &str = "lensesio/mcp";

pub(super) fn image(conversion: &mut Conversion, mcp: &mut Section) {
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

pub(super) fn resources(conversion: &mut Conversion, mcp: &mut Section) {
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

pub(super) fn probes(conversion: &mut Conversion, mcp: &mut Section) {
    for name in ["livenessProbe", "readinessProbe"] {
        let mut probe = mcp.section(conversion, name);
        if !probe.flag(conversion, "enabled", true) {
            let why = "the pods always have it: it asks the server, not only its port";
            conversion.drop_key(probe.key("enabled"), why);
        }
        probe.finish(conversion);
    }
}

/// What the sidecar shared with HQ, because it ran in HQ's pod.
pub(super) fn pod(conversion: &mut Conversion, values: &mut Section) {
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
