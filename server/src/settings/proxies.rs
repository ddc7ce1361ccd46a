//! The HTTP proxies: the variables that curl, Python and most programs read.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    parse,
    reader::{Invalid, Reader},
    variable as var,
};
use crate::proxies::{Options, Proxies};

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Proxies, Invalid> {
    let username = reader.secret_text(&var::MCP_PROXY_USERNAME)?;
    let password = reader.secret_text(&var::MCP_PROXY_PASSWORD)?;
    let proxy = |text: &str| proxy(text, username.as_ref(), password.as_ref());
    let https = reader.secret_shown(&var::HTTPS_PROXY, proxy);
    let http = reader.secret_shown(&var::HTTP_PROXY, proxy);
    let no_proxy = reader.optional(&var::NO_PROXY, |text| Ok(text.to_owned()));
    let loopback = reader.value(&var::MCP_PROXY_LOOPBACK, parse::flag);
    Ok(Proxies::new(Options {
        http: http?,
        https: https?,
        no_proxy: no_proxy?.unwrap_or_default(),
        loopback: loopback?,
    }))
}

/// The proxy's URL, with these credentials if it has none, and what of it may be shown. A host
/// alone is fine, as in other programs.
fn proxy(
    text: &str,
    username: Option<&SecretString>,
    password: Option<&SecretString>,
) -> Result<(SecretString, String), &'static str> {
    const REMEDY: &str = "write http://proxy.example.com:3128, with user:password@ before the host \
                          if the proxy needs them, percent-encoded";
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let mut url = Url::parse(&text).map_err(|_| REMEDY)?;
    let is_bare =
        matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if url.scheme() != "http" || !url.has_host() || !is_bare {
        return Err(REMEDY);
    }
    if let Some(username) = username.filter(|_| url.username().is_empty()) {
        let password = password.map(ExposeSecret::expose_secret);
        // Refused only for addresses without a host.
        let _has_host = (url.set_username(username.expose_secret()), url.set_password(password));
    }
    let mut shown = url.clone();
    // Refused only for addresses without a host.
    let _has_host = (shown.set_username(""), shown.set_password(None));
    let shown = shown.as_str().trim_end_matches('/').to_owned();
    Ok((SecretString::from(String::from(url)), shown))
}
