//! The HTTP proxy towards HQ: the spec's own, or the operator's.

use lenses_mcp_crds::{Lenses, conditions::Reason};
use reqwest::NoProxy;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Finding, dial::DialPolicy};

/// A proxy, and the Secret with the credentials for it. Holds none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// `http://host:port`.
    pub(crate) url: String,
    /// What is reached without it, as `NO_PROXY` has it.
    pub(crate) bypass: String,
    /// The Secret with user name and password.
    pub(crate) credentials: Option<String>,
    /// Whether it is the operator's own, and not on the word of a resource's author.
    pub(crate) is_operators: bool,
}

impl Proxy {
    /// The one that the operator is configured with, if it is.
    pub(crate) fn of_operator(url: String, no_proxy: String) -> Option<Self> {
        (!url.is_empty()).then_some(Self {
            url,
            bypass: no_proxy,
            credentials: None,
            is_operators: true,
        })
    }

    /// The one that the spec asks for. None if it asks for none, or for the operator's and there is
    /// none.
    pub(crate) fn of_spec(spec: &Lenses, of_operator: Option<&Self>) -> Option<Self> {
        let proxy = spec.proxy.as_ref()?;
        if proxy.from_environment {
            return of_operator.cloned();
        }
        Some(Self {
            url: proxy.url.clone()?,
            bypass: proxy.no_proxy.join(","),
            credentials: proxy.credentials_secret_ref.as_ref().map(|secret| secret.name.clone()),
            is_operators: false,
        })
    }

    /// Where connections may lead if there is this proxy. No author has written the operator's own.
    pub(super) fn dial(&self, dial: &DialPolicy) -> DialPolicy {
        let url = Url::parse(&self.url).ok().filter(|_| self.is_operators);
        let host = url.as_ref().and_then(Url::host_str);
        host.map_or_else(|| dial.clone(), |host| dial.through(host))
    }

    /// Whether it may be dialled if its host is a number; a name is checked as it is resolved.
    pub(super) fn check(&self, dial: &DialPolicy) -> Result<(), Finding> {
        let Some(url) = Url::parse(&self.url).ok().filter(|_| !self.is_operators) else {
            return Ok(());
        };
        dial.check_number(&url).map_err(|forbidden| Finding {
            holds: false,
            reason: Reason::AddressForbidden,
            message: format!(
                "spec.lenses.proxy: {url} is not dialled: {forbidden}: write another address, or \
                 allow this one in verification.allowedCIDRs of the operator's chart"
            ),
        })
    }

    /// As the HTTP client takes it.
    ///
    /// # Errors
    /// A URL that is none.
    pub(super) fn for_client(
        &self,
        credentials: Option<&(SecretString, SecretString)>,
    ) -> reqwest::Result<reqwest::Proxy> {
        let proxy = reqwest::Proxy::all(&self.url)?.no_proxy(NoProxy::from_string(&self.bypass));
        Ok(match credentials {
            Some((username, password)) => {
                proxy.basic_auth(username.expose_secret(), password.expose_secret())
            }
            None => proxy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{answer::NoAnswer, http::Http, trust::Trust};

    /// What comes of a request through `proxy`, if all but loopback may be dialled.
    async fn through(proxy: &str, is_operators: bool) -> Result<NoAnswer, Finding> {
        let dial = DialPolicy::default();
        let (url, bypass) = (proxy.to_owned(), String::new());
        let proxy = Proxy { url, bypass, credentials: None, is_operators };
        proxy.check(&dial)?;
        let trust = Trust { authorities: None, identity: None, alias: None };
        let hq: Url = "http://hq.example.com".parse().unwrap();
        let client = proxy.for_client(None).unwrap();
        let http = Http::through(Some(client), [&hq], trust, &proxy.dial(&dial)).unwrap();
        Ok(http.send(http.get(hq.clone()), 0).await.unwrap_err())
    }

    #[tokio::test]
    async fn a_proxy_is_checked_unless_it_is_the_operators() {
        // Nothing listens on port 1.
        let refused = through("http://127.0.0.1:1", false).await.unwrap_err();
        assert_eq!(refused.reason, Reason::AddressForbidden);
        let refused = through("http://localhost:1", false).await.unwrap();
        assert!(matches!(refused, NoAnswer::Forbidden { .. }), "{refused:?}");
        for proxy in ["http://127.0.0.1:1", "http://localhost:1"] {
            let dialled = through(proxy, true).await.unwrap();
            assert!(matches!(dialled, NoAnswer::Unreachable { .. }), "{proxy}: {dialled:?}");
        }
    }
}
