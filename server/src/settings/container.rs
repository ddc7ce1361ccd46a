//! What goes wrong when the server is first run in a container: the commands that are right, and
//! what to say about addresses that mean something else there.

use url::Url;

use super::{
    parse,
    reader::Reader,
    variable::{LENSES_API_HTTP_URL, LENSES_URL},
};

/// HTTP with OAuth.
pub(super) const WITH_OAUTH: &str = "docker run -p 8000:8000 -e OAUTH_ENABLED=true \
     -e LENSES_URL=https://lenses.example.com -e MCP_ADVERTISED_URL=http://localhost:8000 \
     lensesio/lenses-mcp-server";
/// HTTP with an API key.
pub(crate) const WITH_API_KEY: &str = "docker run -p 8000:8000 -e TRANSPORT=http \
     -e MCP_CALLER_TOKEN -e LENSES_API_KEY -e LENSES_URL lensesio/lenses-mcp-server, with \
     MCP_CALLER_TOKEN from `openssl rand -hex 32`";
/// One client over standard input and output.
pub(crate) const OVER_STDIO: &str =
    "docker run -i -e LENSES_API_KEY -e LENSES_URL lensesio/lenses-mcp-server";

/// What container engines leave in each container.
const MARKS: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

/// What to say about HQ's address, if it is most likely not HQ's.
pub(super) fn lenses_warning(reader: &Reader<'_>, url: &Url) -> Option<String> {
    if !reader.is_set(&LENSES_URL) && !reader.is_set(&LENSES_API_HTTP_URL) {
        return Some(format!(
            "LENSES_URL is not set, so that Lenses HQ is looked for at {url}: write \
             LENSES_URL=https://lenses.example.com"
        ));
    }
    if !parse::is_loopback(url) || !MARKS.iter().any(|mark| reader.is_there(mark)) {
        return None;
    }
    let port = url.port_or_known_default().unwrap_or_default();
    Some(format!(
        "LENSES_URL is {url}, which in a container is the container itself: for a Lenses HQ on \
         this machine, run docker with -e LENSES_URL={}://host.docker.internal:{port} \
         --add-host=host.docker.internal:host-gateway",
        url.scheme()
    ))
}
