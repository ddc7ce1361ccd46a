//! What the pods, their settings and the Service agree on: ports, files and times.

/// The port of the MCP endpoint, and its name.
pub(super) const MCP_PORT: u16 = 8000;
pub(super) const MCP_PORT_NAME: &str = "mcp";
/// The port of probes and metrics, which no Service leads to.
pub(super) const ADMIN_PORT: u16 = 9090;
/// How long the server may take to end after SIGTERM.
pub(super) const SHUTDOWN_GRACE_SECONDS: i64 = 25;
/// The `ConfigMap`'s key, and the name of the mounted file.
pub(super) const SETTINGS_FILE: &str = "settings.env";

pub(super) const SETTINGS_DIRECTORY: &str = "/etc/lenses-mcp";
pub(super) const SECRETS_DIRECTORY: &str = "/var/run/lenses-mcp";
pub(super) const ADMIN_PORT_NAME: &str = "admin";
/// What the operator mounts into the server's container.
pub(in crate::controller) const DIRECTORIES: [&str; 2] = [SETTINGS_DIRECTORY, SECRETS_DIRECTORY];
/// The files of certificates, beside the secrets. A pair is the chain and its key.
pub(super) const LENSES_CA: &str = "lenses-ca.crt";
pub(super) const LENSES_CLIENT: (&str, &str) = ("lenses-client.crt", "lenses-client.key");
/// The files of the proxy's credentials: user name and password.
pub(super) const PROXY_CREDENTIALS: (&str, &str) = ("proxy-username", "proxy-password");
pub(super) const TLS: (&str, &str) = ("tls.crt", "tls.key");

/// Where the pod finds a secret.
pub(super) fn secret_file(name: &str) -> String {
    format!("{SECRETS_DIRECTORY}/{name}")
}
