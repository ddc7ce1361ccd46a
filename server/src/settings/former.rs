//! Names that other releases read and this server does not.

/// Names of early releases of the Python server, and what took their place.
const FORMER: &[(&str, &str)] = &[
    ("MCP_TRANSPORT", "TRANSPORT"),
    ("MCP_HOST", "HOST"),
    ("MCP_PORT", "PORT"),
    ("LENSES_HOST_URL", "LENSES_URL"),
    ("LENSES_PORT", "LENSES_URL"),
    ("AUTH_SERVER_URL", "LENSES_ADVERTISED_URL"),
    ("MCP_SERVER_BASE_URL", "MCP_ADVERTISED_URL"),
];
/// What the names of the Python server's framework begin with.
const FRAMEWORK: &str = "FASTMCP_";

/// Whether `name` is a setting of the Python server's framework.
pub(super) fn is_frameworks(name: &str) -> bool {
    name.starts_with(FRAMEWORK)
}

/// The setting that took the place of `name`.
pub(super) fn successor(name: &str) -> Option<&'static str> {
    FORMER.iter().find(|(former, _)| *former == name).map(|(_, successor)| *successor)
}

/// What to say about `name`, if it is set in vain.
pub(super) fn warning(name: &str) -> Option<String> {
    if let Some(framework) = name.strip_prefix(FRAMEWORK) {
        let reason = match framework {
            "STATELESS_HTTP" => "this server never keeps sessions",
            "LOG_LEVEL" => "set LOG_LEVEL",
            _ => "it is a setting of the Python server's framework",
        };
        return Some(format!("{name} has no effect: {reason}"));
    }
    successor(name).map(|successor| format!("{name} has no effect: set {successor}"))
}
