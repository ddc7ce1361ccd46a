//! Names that look like a setting's and are none: a policy with a wrong name would not be in
//! effect, and nobody would know.

mod similar;

use super::{former, variable};

/// What the names begin with that only this server's settings have.
const OWN_PREFIX: &str = "MCP_";
/// What settings' names begin with and those of other programs beside this one too: HQ's pod has
/// `LENSES_…` of its own.
const SHARED_PREFIXES: [&str; 3] = ["LENSES_", "INTROSPECTION_", "OAUTH_"];
/// Names that begin or look like a setting's, and are others'.
const OTHERS: &[&str] = &[
    // Claude Code, whose environment a server over stdio inherits ("Claude Code settings",
    // environment variables).
    "MCP_TIMEOUT",
    "MCP_TOOL_TIMEOUT",
    "MCP_CLIENT_SECRET",
    "MCP_OAUTH_CALLBACK_PORT",
    "MCP_SERVER_CONNECTION_BATCH_SIZE",
    "MCP_REMOTE_SERVER_CONNECTION_BATCH_SIZE",
    // The folder of mcp-remote, through which clients over stdio reach servers over HTTP.
    "MCP_REMOTE_CONFIG_DIR",
    // MCP Inspector, which starts servers over stdio.
    "MCP_AUTO_OPEN_ENABLED",
    "MCP_PROXY_AUTH_TOKEN",
    "MCP_PROXY_FULL_ADDRESS",
    "MCP_PROXY_TOKEN_LENGTH",
    "MCP_REQUEST_MAX_TOTAL_TIMEOUT",
    "MCP_REQUEST_TIMEOUT_RESET_ON_PROGRESS",
    "MCP_SERVER_REQUEST_TIMEOUT",
    // The certificates that OpenSSL and rustls-native-certs trust.
    "SSL_CERT_FILE",
    // Proxies in lower case, which many programs read only so.
    "https_proxy",
    "http_proxy",
    "no_proxy",
];

/// What to do about a name that no setting has.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It was meant as a setting: the server does not start.
    Fault {
        /// The setting that was most likely meant.
        meant: Option<String>,
    },
    /// It may have been.
    Warning {
        /// The most similar setting.
        similar: Option<String>,
    },
    /// It is another program's.
    Others,
}

/// Whether a setting has this name, or it names the file of a secret.
pub(super) fn is_known(name: &str) -> bool {
    known().any(|known| known == name)
}

/// What to do about `name` in the environment, or in a `.env` that may serve other programs too.
pub(super) fn judge(name: &str) -> Unknown {
    if OTHERS.contains(&name) || former::warning(name).is_some() {
        return Unknown::Others;
    }
    let plain = plain(name);
    if let Some(meant) = meant(&plain) {
        Unknown::Fault { meant: Some(meant) }
    } else if plain.starts_with(OWN_PREFIX) {
        Unknown::Fault { meant: similar::most_similar(&plain, known()) }
    } else if SHARED_PREFIXES.iter().any(|prefix| plain.starts_with(prefix)) {
        Unknown::Warning { similar: similar::most_similar(&plain, known()) }
    } else {
        Unknown::Others
    }
}

/// The setting that was most likely meant by `name`, which stands in a file of settings only.
pub(super) fn most_likely(name: &str) -> Option<String> {
    let plain = plain(name);
    former::successor(name)
        .map(str::to_owned)
        .or_else(|| meant(&plain))
        .or_else(|| similar::most_similar(&plain, known()))
}

/// `name` in the case and with the separators of settings.
fn plain(name: &str) -> String {
    name.to_ascii_uppercase().replace('-', "_")
}

/// The setting of which `name` is a misspelling.
fn meant(name: &str) -> Option<String> {
    let prefixes = || SHARED_PREFIXES.iter().chain([&OWN_PREFIX]);
    // A setting with a prefix that it does not have: MCP_LOG_LEVEL.
    let without = prefixes()
        .filter_map(|prefix| name.strip_prefix(prefix))
        .find(|rest| is_known(rest) && former::successor(name).is_none());
    if let Some(rest) = without {
        return Some(rest.to_owned());
    }
    let has_prefix = prefixes().any(|prefix| name.starts_with(prefix));
    similar::misspelt(name, has_prefix, known())
}

fn known() -> impl Iterator<Item = String> {
    variable::ALL.iter().flat_map(|known| {
        let file = known.secret.then(|| format!("{}_FILE", known.name));
        [known.name.to_owned()].into_iter().chain(file)
    })
}
