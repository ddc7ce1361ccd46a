//! Which environment variables are settings of the server: the operator decides them, as the spec
//! says.
//!
//! The server reads its environment before its settings file, so a variable set on its container
//! wins over what the spec says; sign-in could be turned off so. In `spec.podTemplate` they are
//! refused, and those that others set are taken back.

/// What the names of most settings begin with.
pub(crate) const PREFIXES: [&str; 8] =
    ["MCP_", "LENSES_", "OAUTH_", "INTROSPECTION_", "TLS_", "ADMIN_", "LOG_", "SHUTDOWN_"];
/// The other settings. Of OpenTelemetry's many variables, those that a field of the spec stands
/// for. The cluster's proxies (`HTTPS_PROXY` and the like) are not among them: platforms set them
/// in every pod.
pub(crate) const NAMES: [&str; 8] = [
    "HOST",
    "PORT",
    "TRANSPORT",
    "OTEL_ENABLED",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
];
/// Settings that no field of the spec stands for, and that `spec.podTemplate` may set.
pub(crate) const WITHOUT_FIELD: [&str; 11] = [
    "MCP_BODY_TIMEOUT",
    "MCP_CONCURRENT_INTROSPECTIONS_PER_ADDRESS",
    "MCP_HEAD_TIMEOUT",
    "MCP_IDLE_TIMEOUT",
    "MCP_LOG_LINE_MAX_BYTES",
    "MCP_MAX_CONCURRENT_REQUESTS",
    "MCP_MEMORY_BUDGET_BYTES",
    "MCP_PROXY_LOOPBACK",
    "MCP_RESULT_MAX_BYTES",
    "MCP_TOKEN_EXCHANGE",
    "MCP_WRITE_TIMEOUT",
];

/// Whether a variable of this name is a setting of the server.
#[must_use]
pub fn is_server_setting(variable: &str) -> bool {
    NAMES.contains(&variable) || PREFIXES.iter().any(|prefix| variable.starts_with(prefix))
}

/// Whether `spec.podTemplate` may set it.
#[must_use]
pub fn may_be_set(variable: &str) -> bool {
    !is_server_setting(variable) || WITHOUT_FIELD.contains(&variable)
}
