//! How the sidecar was reached: its Service and its Ingress.

use serde_json::{Map, Value};
use url::Url;

use crate::commands::{
    migrate::{conversion::Conversion, section::Section},
    sensitive::may_be_secret,
};

pub(super) fn service(conversion: &mut Conversion, mcp: &mut Section) {
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
pub(super) fn ingress(
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
