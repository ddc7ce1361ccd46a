//! Redirect URIs: which may be registered, and which one matches.

use url::{Host, Url};

/// The longest that is taken.
const MAX_LENGTH: usize = 2048;
/// Private-use schemes of editors that are widely used although their names have no dot, which RFC
/// 8252 §7.1 asks for.
const EDITOR_SCHEMES: [&str; 4] = ["cursor", "vscode", "vscode-insiders", "windsurf"];

/// Checks that `uri` may be registered: https, http on loopback (RFC 8252 §7.3), or an
/// application's own scheme (§7.1).
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(uri: &str) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("redirect URI {uri:?} {why}"));
    if uri.len() > MAX_LENGTH {
        return Err(format!("a redirect URI is longer than {MAX_LENGTH} bytes"));
    }
    let Ok(url) = Url::parse(uri) else { return refuse("is not an absolute URI") };
    if uri.contains('#') {
        return refuse("must have no fragment (RFC 6749 §3.1.2)");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("must name no user");
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => refuse("must be https: plain http is for loopback only"),
        scheme if scheme.contains('.') || EDITOR_SCHEMES.contains(&scheme) => Ok(()),
        _ => {
            refuse("has a scheme that is neither https, http on loopback, nor an application's own")
        }
    }
}

/// Whether `asked` is the `registered` URI: byte for byte, except that the port of a loopback URI
/// is the client's to choose at run time (RFC 8252 §7.3; `localhost` is included, as clients use
/// it).
pub(crate) fn matches(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    let (Ok(mut registered), Ok(mut asked)) = (Url::parse(registered), Url::parse(asked)) else {
        return false;
    };
    let both_loopback =
        [&registered, &asked].into_iter().all(|url| url.scheme() == "http" && is_loopback(url));
    both_loopback
        && registered.set_port(None).is_ok()
        && asked.set_port(None).is_ok()
        && registered == asked
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_registered_is_https_loopback_or_an_applications_own_scheme() {
        for good in [
            "https://claude.ai/api/mcp/auth_callback",
            "https://vscode.dev/redirect",
            "http://127.0.0.1:33418/",
            "http://[::1]/callback",
            "http://localhost:1234/callback?x=1",
            "cursor://anysphere.cursor-retrieval/oauth/user-agent-desktop/callback",
            "com.example.app:/callback",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "callback",
            "/callback",
            "http://example.com/callback",
            "http://127.0.0.1.example.com/",
            "https://example.com/#fragment",
            "https://example.com/#",
            "https://user@example.com/",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            &format!("https://example.com/{}", "a".repeat(2048)),
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_uri_matches_exactly_but_for_a_loopback_port() {
        for (registered, asked, same) in [
            ("https://a.example/cb", "https://a.example/cb", true),
            ("https://a.example/cb", "https://a.example/cb/", false),
            ("https://a.example/cb", "https://a.example:8443/cb", false),
            ("https://a.example/cb", "https://a.example/cb?x", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5050/cb", true),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", true),
            ("http://[::1]/cb", "http://[::1]:5050/cb", true),
            ("http://localhost/cb", "http://localhost:5050/cb", true),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5050/other", false),
            ("http://127.0.0.1/cb", "http://localhost:5050/cb", false),
            ("http://127.0.0.1/cb", "https://127.0.0.1:5050/cb", false),
            ("http://127.0.0.1/cb", "http://evil.example:5050/cb", false),
        ] {
            assert_eq!(matches(registered, asked), same, "{registered} {asked}");
        }
    }
}
