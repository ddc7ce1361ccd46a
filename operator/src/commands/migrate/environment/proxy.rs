//! The HTTP proxy towards HQ.

use serde_json::Value;
use url::Url;

use crate::commands::migrate::{
    conversion::Conversion,
    variables::{Environment, Source},
};

pub(super) fn convert(conversion: &mut Conversion, environment: &mut Environment) {
    let field = "lenses.proxy";
    let is_encrypted =
        conversion.get("lenses.url").as_str().is_none_or(|url| url.starts_with("https"));
    let names = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
    let mut set: Vec<_> = names.iter().filter_map(|name| environment.take(name)).collect();
    // The one for HQ's scheme comes first.
    set.sort_by_key(|variable| variable.name.to_lowercase().starts_with("https") != is_encrypted);
    let bypass = ["NO_PROXY", "no_proxy"]
        .map(|name| environment.text(conversion, name, "lenses.proxy.noProxy"));
    let mut set = set.into_iter();
    let Some(variable) = set.next() else {
        if bypass.iter().any(Option::is_some) {
            conversion.drop_key("NO_PROXY", "no proxy is set");
        }
        return;
    };
    for other in set.filter(|other| other.source != variable.source) {
        conversion.drop_key(other.key, format!("HQ is reached through {}", variable.name));
    }
    let Source::Value(url) = &variable.source else {
        let what = "write the proxy into spec.lenses.proxy.url, and its credentials, if it has \
                    any, into the Secret of spec.lenses.proxy.credentialsSecretRef";
        return conversion.leave_open(variable.key, what);
    };
    // A host with a port alone reads as a scheme with a path.
    let with_host = |url: Url| url.has_host().then_some(url);
    let parsed = Url::parse(url).ok().and_then(with_host);
    let parsed = parsed.or_else(|| Url::parse(&format!("http://{url}")).ok().and_then(with_host));
    let Some((parsed, host)) = parsed.and_then(|url| {
        let host = url.host_str()?.to_owned();
        Some((url, host))
    }) else {
        let what = "it is not a URL: write http://host:port into spec.lenses.proxy.url";
        return conversion.leave_open(variable.key, what);
    };
    let port = parsed.port().map_or_else(String::new, |port| format!(":{port}"));
    conversion.set("lenses.proxy.url", format!("http://{host}{port}"));
    if parsed.scheme() == "https" {
        let what = "TLS to the proxy itself is not supported: spec.lenses.proxy.url has http";
        conversion.leave_open(variable.key.clone(), what);
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let object = conversion.object_name("proxy");
        let keys = [("username", "PROXY_USERNAME"), ("password", "PROXY_PASSWORD")];
        conversion.create_secret(&object, "generic", &keys);
        conversion.set("lenses.proxy.credentialsSecretRef.name", object);
    }
    if let Some(list) = bypass.into_iter().flatten().next() {
        let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
        let items: Vec<_> = items.map(Value::from).collect();
        conversion.set(&format!("{field}.noProxy"), items);
    }
}
