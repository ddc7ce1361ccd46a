//! Which variable is which field of the spec.

use serde_json::{Value, json};

use super::{conversion::Conversion, variables::Environment};

/// How a variable's text becomes a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Lower,
    Level,
    Bool,
    Number,
    Duration,
    List,
}

type Field = (&'static str, &'static str, Kind);

/// Host and port of HQ, before there was `LENSES_URL`.
pub(super) const OLDER_ADDRESSES: [&str; 4] = [
    "LENSES_API_HTTP_URL",
    "LENSES_API_HTTP_PORT",
    "LENSES_API_WEBSOCKET_URL",
    "LENSES_API_WEBSOCKET_PORT",
];

/// Those that mean something with OAuth only.
pub(super) const OAUTH_FIELDS: [Field; 7] = [
    ("LENSES_ADVERTISED_URL", "lenses.advertisedUrl", Kind::Text),
    ("MCP_SCOPES", "auth.oauth.scopes", Kind::List),
    ("INTROSPECTION_URL", "auth.oauth.introspection.url", Kind::Text),
    ("INTROSPECTION_CACHE_TTL", "auth.oauth.introspection.cacheTtl", Kind::Duration),
    ("MCP_AUDIENCE", "auth.oauth.audience", Kind::Text),
    ("MCP_ALLOWED_CLIENTS", "auth.oauth.allowedClients", Kind::List),
    ("MCP_CLIENT_REGISTRATION", "auth.oauth.clientRegistration", Kind::Text),
];

/// Those of either sign-in.
pub(super) const FIELDS: [Field; 21] = [
    ("MCP_ADVERTISED_URL", "endpoint.url", Kind::Text),
    ("MCP_ALLOWED_ORIGINS", "endpoint.allowedOrigins", Kind::List),
    ("MCP_READ_ONLY", "tools.readOnly", Kind::Bool),
    ("MCP_TOOLS_ALLOW", "tools.allow", Kind::List),
    ("MCP_TOOLS_DENY", "tools.deny", Kind::List),
    ("MCP_ENVIRONMENTS", "tools.environments", Kind::List),
    ("MCP_CONFIRM", "tools.confirm", Kind::Text),
    ("MCP_TRUSTED_PROXIES", "limits.trustedProxies", Kind::List),
    ("MCP_MAX_BODY_BYTES", "limits.bodyMaxBytes", Kind::Number),
    ("MCP_REQUEST_TIMEOUT", "limits.requestTimeout", Kind::Duration),
    ("MCP_CONCURRENT_REQUESTS_PER_USER", "limits.concurrentCallsPerUser", Kind::Number),
    ("MCP_CONNECTIONS_PER_ADDRESS", "limits.connectionsPerAddress", Kind::Number),
    ("MCP_CALLS_PER_MINUTE_PER_USER", "limits.callsPerMinutePerUser", Kind::Number),
    ("MCP_FAILED_SIGN_INS_PER_MINUTE", "limits.failedSignInsPerMinute", Kind::Number),
    ("MCP_RESPONSE_MAX_BYTES", "limits.responseMaxBytes", Kind::Number),
    ("MCP_SQL_MAX_ROWS", "limits.sqlMaxRows", Kind::Number),
    ("MCP_SQL_TIMEOUT", "limits.sqlTimeout", Kind::Duration),
    // The server's own comes last, so that it wins.
    ("FASTMCP_LOG_LEVEL", "observability.log.level", Kind::Level),
    ("LOG_LEVEL", "observability.log.level", Kind::Level),
    ("LOG_FORMAT", "observability.log.format", Kind::Lower),
    ("MCP_AUDIT", "observability.audit", Kind::Lower),
];

/// Names that mean nothing any more, and why. A `*` stands for any end.
pub(super) const DROPPED: [(&str, &str); 12] = [
    ("HOST", "the server listens on every address of its pod"),
    ("PORT", "clients use the Service, whose port is spec.endpoint.service.port"),
    ("ADMIN_HOST", "the operator sets it"),
    ("ADMIN_PORT", "the operator sets it"),
    ("SHUTDOWN_GRACE", "the operator sets it"),
    ("MCP_SEALING_KEY*", "the operator makes the key"),
    ("MCP_REPLICA_HOST", "the operator sets it"),
    ("MCP_ALLOWED_HOSTS", "the operator derives it from spec.endpoint"),
    ("FASTMCP_*", "it is a setting of the Python server's framework"),
    ("PYTHON*", "it is a setting of Python"),
    ("PATH", "the image sets it"),
    ("HOME", "the image sets it"),
];

/// Converts one variable.
pub(super) fn convert(
    conversion: &mut Conversion,
    environment: &mut Environment,
    name: &str,
    field: &str,
    kind: Kind,
) {
    let Some(text) = environment.text(conversion, name, field) else { return };
    if name == "MCP_AUDIT" {
        return audit(conversion, &text);
    }
    if let Some(value) = value(&text, kind) {
        conversion.set(field, value);
    } else {
        let what = format!("its value is not one that spec.{field} takes: write it there");
        conversion.leave_open(name, what);
    }
}

fn value(text: &str, kind: Kind) -> Option<Value> {
    match kind {
        Kind::Text => Some(text.into()),
        Kind::Lower => Some(text.to_lowercase().into()),
        Kind::Level => {
            let level = match text.to_lowercase().as_str() {
                "warning" => "warn".to_owned(),
                "critical" => "error".to_owned(),
                other => other.to_owned(),
            };
            ["error", "warn", "info", "debug", "trace"]
                .contains(&level.as_str())
                .then(|| level.into())
        }
        Kind::Bool => Some(is_true(text).into()),
        Kind::Number => text.parse::<i32>().ok().map(Value::from),
        Kind::Duration => duration(text).map(Value::from),
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(items.map(Value::from).collect())
        }
    }
}

/// Seconds, or numbers with units; less than nothing is nothing.
fn duration(text: &str) -> Option<String> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(format!("{}s", seconds.max(0)));
    }
    let has_units =
        text.ends_with(['s', 'm', 'h']) && text.starts_with(|c: char| c.is_ascii_digit());
    (has_units && !text.ends_with("ms")).then(|| text.to_owned())
}

fn audit(conversion: &mut Conversion, text: &str) {
    match text {
        "off" => conversion.set("observability.audit.disabled", json!({})),
        "stdout" => conversion.set("observability.audit.stdout", json!({})),
        _ => conversion.leave_open(
            "MCP_AUDIT",
            "a file needs a volume: write spec.observability.audit.file and the volume in \
             spec.podTemplate",
        ),
    }
}

/// As the servers read it.
pub(super) fn is_true(text: &str) -> bool {
    ["true", "1", "yes"].contains(&text.to_lowercase().as_str())
}

/// What to do about a setting that no field was found for.
pub(super) fn unknown(name: &str) -> String {
    match name {
        "MCP_ENVIRONMENT_RULES" => "write its rules into spec.tools.rules".to_owned(),
        "MCP_SETTINGS_FILE" => "give that file with --env-file".to_owned(),
        _ => {
            let known = FIELDS.iter().chain(&OAUTH_FIELDS).map(|(known, ..)| *known);
            let nearest = known
                .map(|known| (strsim::damerau_levenshtein(name, known), known))
                .filter(|(distance, _)| *distance <= 3)
                .min();
            let meant =
                nearest.map_or_else(String::new, |(_, known)| format!("; was {known} meant?"));
            format!("the server has no such setting{meant}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_seconds_or_has_units() {
        for (text, written) in
            [("0", Some("0s")), ("-1", Some("0s")), ("90", Some("90s")), ("1h30m", Some("1h30m"))]
        {
            assert_eq!(duration(text).as_deref(), written, "{text}");
        }
        for text in ["", "x", "10ms", "s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
