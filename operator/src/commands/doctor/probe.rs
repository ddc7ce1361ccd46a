//! Looking: the requests of `doctor`, to the API server and to what the resource's status names.

use k8s_openapi::api::{core::v1::Service, discovery::v1::EndpointSlice, networking::v1::Ingress};
use kube::{
    Api, Client,
    api::ListParams,
    core::{ApiResource, DynamicObject, GroupVersionKind},
};
use lenses_mcp_crds::LensesMcpServer;
use secrecy::SecretString;
use url::Url;

use super::{DoctorError, Link, links};
use crate::api_error;
use crate::probe::{
    Credentials, Endpoint, Finding, Lenses, Reader, Token,
    dial::DialPolicy,
    http::Http,
    probe_endpoint, probe_lenses,
    trust::{Authorities, Trust},
};

/// What the caller gave in place of what the spec names.
pub(super) struct Given {
    pub(super) token: Option<SecretString>,
    pub(super) authorities: Option<Authorities>,
}

/// Every link, in the order in which a call depends on them.
pub(super) async fn links(
    client: &Client,
    namespace: &str,
    name: &str,
    given: &Given,
) -> Result<Vec<Link>, DoctorError> {
    let failed = |error: kube::Error| DoctorError::Resource {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        reason: api_error::message(&error),
    };
    let server = Api::<LensesMcpServer>::namespaced(client.clone(), namespace)
        .get(name)
        .await
        .map_err(failed)?;

    let mut links = links::conditions(&server);
    let links::Target { lenses, mut endpoint } = match links::target(&server, namespace) {
        Ok(target) => target,
        Err(link) => {
            links.push(link);
            return Ok(links);
        }
    };
    if given.token.is_some() {
        // The tools that are expected are those of the spec's own credential: another's scopes may allow others.
        endpoint.expected_tools = None;
    }
    let credentials = Credentials::of(&server, None);
    let named = Named { client, namespace, credentials, given };
    links.push(match resolves("hq", &lenses.url).await {
        Some(unresolved) => unresolved,
        None => named.hq(&lenses).await,
    });
    links.extend(cluster(client, &server, name, namespace).await);
    if let Some(unresolved) = resolves_text("dns", &endpoint.url).await {
        links.push(unresolved);
    } else {
        links.push(Link::ok("dns", format!("the host of {} has an address", endpoint.url)));
        links.extend(named.calls(&endpoint).await);
    }
    Ok(links)
}

/// What the calls need: given by the caller, or read from where the spec names it, with the caller's rights.
struct Named<'a> {
    client: &'a Client,
    namespace: &'a str,
    credentials: Credentials,
    given: &'a Given,
}

impl Named<'_> {
    /// The author of the resource has written where a value is sent, so the label counts here, too.
    fn reader(&self) -> Reader<'_> {
        Reader { client: self.client, namespace: self.namespace, require_label: true }
    }

    async fn hq(&self, lenses: &Lenses) -> Link {
        let found = async {
            let identity = self.credentials.identity(&self.reader()).await?;
            let credentials = self.credentials.client(&self.reader()).await?;
            let anywhere = DialPolicy::anywhere();
            let proxy = self.credentials.proxy(&self.reader(), &anywhere).await?;
            let authorities = self.authorities().await?;
            let trust = Trust { authorities: authorities.as_ref(), identity, alias: None };
            let http = Http::through(proxy, lenses.addresses(), trust, &anywhere);
            Ok(probe_lenses(
                &http.map_err(|error| error.to_string())?,
                lenses,
                credentials.as_ref(),
            )
            .await)
        };
        found.await.map_or_else(
            |Needed(needed)| Link::not_seen("hq", needed),
            |found| finding("hq", &found),
        )
    }

    /// The calls of a client, without a token and with one.
    async fn calls(&self, endpoint: &Endpoint) -> [Link; 2] {
        let http = async {
            let authorities = self.authorities().await?;
            let trust = Trust { authorities: authorities.as_ref(), ..Trust::default() };
            let http = Http::new(&endpoint.addresses(), trust, &DialPolicy::anywhere());
            Ok::<_, Needed>(http.map_err(|error| error.to_string())?)
        };
        let http = match http.await {
            Ok(http) => http,
            Err(Needed(needed)) => {
                return [
                    Link::not_seen("sign-in", needed),
                    Link::not_seen("token", "the endpoint was not called"),
                ];
            }
        };
        let open = probe_endpoint(&http, endpoint, None).await.finding;
        let with_token = match &self.given.token {
            None => Link::not_seen(
                "token",
                "no --token-file: the tools were not listed as a signed-in client",
            ),
            Some(_) if !open.holds => {
                Link::not_seen("token", "not shown to an endpoint that is not as it must be")
            }
            Some(token) => {
                let token = Some(Token::ForPublicUrl(token));
                finding("token", &probe_endpoint(&http, endpoint, token).await.finding)
            }
        };
        [finding("sign-in", &open), with_token]
    }

    async fn authorities(&self) -> Result<Option<Authorities>, Needed> {
        match &self.given.authorities {
            None => Ok(self.credentials.authorities(&self.reader()).await?),
            given => Ok(given.clone()),
        }
    }
}

/// What a call needs and cannot be had: that it is missing is the operator's to say, that it must not be read is no fault.
struct Needed(String);

impl From<Finding> for Needed {
    fn from(unusable: Finding) -> Self {
        Self(unusable.message)
    }
}

impl From<String> for Needed {
    fn from(why: String) -> Self {
        Self(why)
    }
}

fn finding(link: &'static str, finding: &Finding) -> Link {
    let found = format!("{}: {}", finding.reason, finding.message);
    if finding.holds { Link::ok(link, found) } else { Link::broken(link, found) }
}

/// The objects that lead from the public URL to the pods.
async fn cluster(
    client: &Client,
    server: &LensesMcpServer,
    name: &str,
    namespace: &str,
) -> Vec<Link> {
    let slices = ListParams::default().labels(&format!("kubernetes.io/service-name={name}"));
    let service = Api::<Service>::namespaced(client.clone(), namespace).get_opt(name).await;
    let endpoints = Api::<EndpointSlice>::namespaced(client.clone(), namespace).list(&slices).await;
    let mut links = vec![
        seen("service", service, |service| links::service(name, service.as_ref())),
        seen("endpoints", endpoints, |slices| links::endpoints(name, &slices.items)),
    ];
    if server.spec.endpoint.ingress.is_some() {
        let ingress = Api::<Ingress>::namespaced(client.clone(), namespace).get_opt(name).await;
        links.push(seen("route", ingress, |ingress| links::ingress(name, ingress.as_ref())));
    }
    if server.spec.endpoint.http_route.is_some() {
        let kind = GroupVersionKind::gvk("gateway.networking.k8s.io", "v1", "HTTPRoute");
        let kind = ApiResource::from_gvk_with_plural(&kind, "httproutes");
        let route = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &kind)
            .get_opt(name)
            .await;
        links.push(seen("route", route, |route| {
            links::http_route(name, route.as_ref().map(|route| &route.data))
        }));
    }
    links
}

fn seen<T>(
    link: &'static str,
    answer: Result<T, kube::Error>,
    judge: impl FnOnce(T) -> Link,
) -> Link {
    match answer {
        Ok(answer) => judge(answer),
        Err(kube::Error::Api(status)) if status.code == 403 => {
            Link::not_seen(link, format!("you may not look: {}", status.message))
        }
        Err(error) => Link::not_seen(link, api_error::message(&error)),
    }
}

/// What to say of a host that has no address here; nothing if it has one.
async fn resolves(link: &'static str, url: &Url) -> Option<Link> {
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let error = match tokio::net::lookup_host((host, port)).await {
        Ok(mut addresses) => {
            return addresses
                .next()
                .is_none()
                .then(|| links::unresolved(link, host, "it has no address"));
        }
        Err(error) => error.to_string(),
    };
    Some(links::unresolved(link, host, &error))
}

async fn resolves_text(link: &'static str, url: &str) -> Option<Link> {
    match url.parse() {
        Ok(url) => resolves(link, &url).await,
        Err(error) => Some(Link::broken(link, format!("status.url {url:?} is not a URL: {error}"))),
    }
}
