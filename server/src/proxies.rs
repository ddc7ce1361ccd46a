//! Which requests go through an HTTP proxy: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, as curl and
//! Python read them. Loopback addresses are reached without one unless that was asked for.

use std::{error::Error, fmt, sync::Arc};

use http::{HeaderValue, Uri};
use hyper_util::{
    client::{
        legacy::connect::{HttpConnector, proxy::Tunnel},
        proxy::matcher::Matcher,
    },
    rt::TokioIo,
};
use reqwest::{ClientBuilder, NoProxy, Proxy};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tower::ServiceExt;
use url::Url;

/// What is not proxied unless it was asked for.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// The proxies and what goes around them. Cheap to clone; shows no credentials.
#[derive(Clone, Default)]
pub struct Proxies(Option<Arc<Configured>>);

struct Configured {
    /// For `http`, with credentials.
    http: Option<SecretString>,
    /// For `https`, with credentials.
    https: Option<SecretString>,
    no_proxy: String,
    matcher: Matcher,
}

/// What to configure.
#[derive(Debug, Default)]
pub struct Options {
    /// The proxy for `http` addresses: an `http` URL, with credentials if it has any.
    pub http: Option<SecretString>,
    /// The proxy for `https` addresses.
    pub https: Option<SecretString>,
    /// Domains (with what is below them), addresses and networks that are reached without a proxy.
    pub no_proxy: String,
    /// Whether loopback addresses go through a proxy too.
    pub loopback: bool,
}

impl Proxies {
    /// As `options` say.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let Options { http, https, mut no_proxy, loopback } = options;
        if http.is_none() && https.is_none() {
            return Self(None);
        }
        // The library takes the star for names alone.
        if no_proxy.split(',').any(|part| part.trim() == "*") {
            no_proxy = format!("0.0.0.0/0,::/0,{no_proxy}");
        }
        if !loopback {
            no_proxy = format!("{LOOPBACK},{no_proxy}");
        }
        let text = |proxy: &Option<SecretString>| {
            proxy.as_ref().map(|proxy| proxy.expose_secret().to_owned()).unwrap_or_default()
        };
        let matcher =
            Matcher::builder().http(text(&http)).https(text(&https)).no(&no_proxy).build();
        Self(Some(Arc::new(Configured { http, https, no_proxy, matcher })))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The proxy through which `url` is reached, without credentials; `None`: directly.
    #[must_use]
    pub fn of(&self, url: &Url) -> Option<Uri> {
        self.intercept(url).map(|(proxy, _)| proxy)
    }

    fn intercept(&self, url: &Url) -> Option<(Uri, Option<HeaderValue>)> {
        // Websockets are opened over HTTP.
        let scheme = if matches!(url.scheme(), "https" | "wss") { "https" } else { "http" };
        let uri = format!("{scheme}://{}/", url.authority()).parse().ok()?;
        let proxy = self.0.as_ref()?.matcher.intercept(&uri)?;
        Some((proxy.uri().clone(), proxy.basic_auth().cloned()))
    }

    /// Has the client of `builder` use these proxies, and none of the environment's own.
    ///
    /// # Errors
    ///
    /// An address of a proxy that the HTTP client does not take.
    pub fn apply(&self, mut builder: ClientBuilder) -> reqwest::Result<ClientBuilder> {
        builder = builder.no_proxy();
        let Some(configured) = &self.0 else { return Ok(builder) };
        let around = NoProxy::from_string(&configured.no_proxy);
        if let Some(proxy) = &configured.http {
            builder = builder.proxy(Proxy::http(proxy.expose_secret())?.no_proxy(around.clone()));
        }
        if let Some(proxy) = &configured.https {
            builder = builder.proxy(Proxy::https(proxy.expose_secret())?.no_proxy(around));
        }
        Ok(builder)
    }

    /// A connector that reaches `url` through its proxy by CONNECT (RFC 9110 §9.3.6); `None` if it
    /// is reached directly.
    #[must_use]
    pub fn tunnel(&self, url: &Url) -> Option<Tunnel<HttpConnector>> {
        let (proxy, authorization) = self.intercept(url)?;
        let tunnel = Tunnel::new(proxy, HttpConnector::new());
        Some(match authorization {
            Some(authorization) => tunnel.with_auth(authorization),
            None => tunnel,
        })
    }
}

/// Connects through `tunnel` to `url`.
///
/// # Errors
///
/// The proxy can't be reached or refuses.
pub(crate) async fn connect(
    tunnel: Tunnel<HttpConnector>,
    url: &Url,
) -> Result<TokioIo<TcpStream>, Box<dyn Error + Send + Sync>> {
    let destination: Uri = url.as_str().parse()?;
    Ok(tunnel.oneshot(destination).await?)
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxies").field(&self.0.as_ref().map(|proxies| &proxies.matcher)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(no_proxy: &str, loopback: bool) -> Proxies {
        Proxies::new(Options {
            http: Some("http://user:hunter2@plain:3128".into()),
            https: Some("http://user:hunter2@secure:3129".into()),
            no_proxy: no_proxy.to_owned(),
            loopback,
        })
    }

    fn proxy_of(proxies: &Proxies, url: &str) -> String {
        proxies.of(&url.parse().unwrap()).map(|proxy| proxy.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_scheme_decides_the_proxy_and_no_proxy_goes_around_it() {
        let proxies =
            proxies(".svc, internal.example, 10.0.0.0/8, 2001:db8::/32, 192.0.2.1", false);
        for (url, expected) in [
            ("https://lenses.example.com", "http://secure:3129/"),
            ("wss://lenses.example.com/x?y=z", "http://secure:3129/"),
            ("http://lenses.example.com:9991", "http://plain:3128/"),
            ("ws://lenses.example.com", "http://plain:3128/"),
            ("https://hq.lenses.svc", ""),
            ("https://internal.example", ""),
            ("https://hq.internal.example", ""),
            ("https://notinternal.example", "http://secure:3129/"),
            ("https://10.1.2.3:9991", ""),
            ("https://11.1.2.3:9991", "http://secure:3129/"),
            ("https://[2001:db8::1]", ""),
            ("http://192.0.2.1", ""),
        ] {
            assert_eq!(proxy_of(&proxies, url), expected, "{url}");
        }
        for url in ["https://lenses.example.com", "https://10.0.0.1", "https://[2001:db8::1]"] {
            assert_eq!(proxy_of(&self::proxies("x.example, *", true), url), "", "{url}");
        }
    }

    #[test]
    fn loopback_is_reached_directly_unless_it_was_asked_for() {
        for url in ["http://localhost:9991", "https://127.0.0.2", "https://[::1]:9991"] {
            assert_eq!(proxy_of(&proxies("", false), url), "", "{url}");
            assert_ne!(proxy_of(&proxies("", true), url), "", "{url}");
        }
    }

    #[test]
    fn nothing_shows_the_credentials() {
        let proxies = proxies("", false);
        let shown = format!("{proxies:?} {:?}", proxies.of(&"https://hq".parse().unwrap()));
        assert!(shown.contains("secure") && !shown.contains("hunter2"), "{shown}");
    }
}
