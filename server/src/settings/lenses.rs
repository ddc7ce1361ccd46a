//! Where Lenses HQ is: `LENSES_URL`, and the older variables that override pieces of it.

use url::Url;

use super::{
    parse,
    reader::{Invalid, Reader},
    variable as var,
};

/// HQ as this server reaches it.
pub(super) struct Addresses {
    /// The base of HTTP requests.
    pub(super) http: Url,
    /// The base of websockets: `ws` or `http`, `wss` or `https`.
    pub(super) websocket: Url,
}

/// An address that stands for another's scheme, host and path, and for its port where it names one.
struct Piece {
    url: Url,
    names_port: bool,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Addresses, Invalid> {
    let url = reader.value(&var::LENSES_URL, parse::base_url);
    let http_url = reader.optional(&var::LENSES_API_HTTP_URL, |text| piece(text, "http", "https"));
    let http_port = reader.optional(&var::LENSES_API_HTTP_PORT, parse::remote_port);
    let websocket_url =
        reader.optional(&var::LENSES_API_WEBSOCKET_URL, |text| piece(text, "ws", "wss"));
    let websocket_port = reader.optional(&var::LENSES_API_WEBSOCKET_PORT, parse::remote_port);
    let (url, http_url, http_port) = (url?, http_url?, http_port?);
    let replaced = http_url.is_some() || http_port.is_some();
    let http = overlay(&url, http_url, http_port);
    // Where only the older variables say where HQ is, the default of the newer one is no address of
    // anything.
    let base = if replaced && !reader.is_set(&var::LENSES_URL) { &http } else { &url };
    let websocket = overlay(base, websocket_url?, websocket_port?);
    Ok(Addresses { http, websocket })
}

fn overlay(base: &Url, piece: Option<Piece>, port: Option<u16>) -> Url {
    let (mut url, port) = match piece {
        None => (base.clone(), port),
        Some(Piece { url, names_port: true }) => (url, port),
        Some(Piece { url, names_port: false }) => (url, port.or(base.port_or_known_default())),
    };
    if let Some(port) = port {
        // Refused only for addresses without a host, and all of these have one.
        let _has_host = url.set_port(Some(port));
    }
    url
}

fn piece(text: &str, plain: &str, encrypted: &str) -> Result<Piece, String> {
    let url = parse::base_url_of(text, &[plain, encrypted])?;
    // The parser drops a port that is the scheme's own, but it was written all the same.
    let after_scheme = text.split_once("://").map_or("", |(_, rest)| rest);
    let authority = after_scheme.split(['/', '\\']).next().unwrap_or_default();
    let after_host = authority.rsplit(']').next().unwrap_or_default();
    Ok(Piece { url, names_port: after_host.contains(':') })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_overrides_its_own() {
        for (base, url, port, expected) in [
            ("http://hq:9991/x", None, None, "http://hq:9991/x"),
            ("http://hq:9991/x", None, Some(7), "http://hq:7/x"),
            ("http://hq:9991/x", Some("https://other"), None, "https://other:9991/"),
            ("http://hq:9991/x", Some("https://other:443"), None, "https://other/"),
            ("http://hq:9991/x", Some("https://other:1/y"), Some(2), "https://other:2/y"),
            ("https://hq", Some("http://[::1]"), None, "http://[::1]:443/"),
            ("http://hq", Some("http://[::1]:80/"), Some(9991), "http://[::1]:9991/"),
        ] {
            let url = url.map(|text| piece(text, "http", "https").unwrap());
            assert_eq!(overlay(&base.parse().unwrap(), url, port).as_str(), expected);
        }
    }
}
