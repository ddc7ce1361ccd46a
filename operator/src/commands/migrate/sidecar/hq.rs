//! Lenses HQ, as the values of its chart describe it.

use serde_json::json;

use crate::commands::migrate::{conversion::Conversion, section::Section};

/// The name of the chart, which is part of the names of its objects.
const CHART: &str = "lenses-hq";

/// As the chart's template `fullname` makes it.
pub(super) fn full_name(
    conversion: &mut Conversion,
    values: &mut Section,
    release: &str,
) -> String {
    let full = values.text(conversion, "fullnameOverride");
    let name = values.text(conversion, "nameOverride").unwrap_or_else(|| CHART.to_owned());
    let made = full.unwrap_or_else(|| {
        if release.contains(&name) { release.to_owned() } else { format!("{release}-{name}") }
    });
    let short: String = made.chars().take(63).collect();
    short.trim_end_matches('-').to_owned()
}

/// HQ, which the sidecar reached by its Service.
pub(super) fn service(conversion: &mut Conversion, values: &mut Section, full_name: &str) {
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

/// What the chart would refuse, and what the server can do beyond that.
pub(super) fn authorization_server(
    conversion: &mut Conversion,
    values: &Section,
    advertised: &str,
) {
    const KEY: &str = "lensesHq.auth.oauth2.authorizationServer";
    let server = values.at("/lensesHq/auth/oauth2/authorizationServer");
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
