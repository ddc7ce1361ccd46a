//! The proxy towards HQ.

use lenses_mcp_crds::{DerivedSetting, LensesMcpServer};

use super::Rejection;
use crate::{context::Defaults, probe::Proxy};

/// The proxy that the spec asks for, which may be the operator's.
pub(super) fn proxy(
    server: &LensesMcpServer,
    defaults: &Defaults,
    derived: &mut Vec<DerivedSetting>,
    rejections: &mut Vec<Rejection>,
) -> Option<Proxy> {
    let spec = &server.spec.lenses;
    let proxy = Proxy::of_spec(spec, defaults.proxy.as_ref());
    if spec.proxy.as_ref().is_some_and(|proxy| proxy.from_environment) {
        match &proxy {
            Some(proxy) => derived.push(DerivedSetting {
                setting: "HTTPS_PROXY".to_owned(),
                value: proxy.url.clone(),
                rule: "the operator's own proxy".to_owned(),
            }),
            None => rejections.push(Rejection::InvalidSpec {
                field: "spec.lenses.proxy.fromEnvironment",
                message: "the operator has no proxy: set proxy.url of its chart, or write \
                          spec.lenses.proxy.url"
                    .to_owned(),
            }),
        }
    }
    proxy
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{defaults, oauth_server};

    #[test]
    fn the_operators_proxy_is_shown_and_its_absence_is_refused() {
        let mut server = oauth_server();
        server.spec.lenses.proxy =
            Some(serde_json::from_value(json!({ "fromEnvironment": true })).unwrap());
        let (mut derived, mut rejections) = (Vec::new(), Vec::new());
        let found = proxy(&server, &defaults(), &mut derived, &mut rejections);
        assert_eq!(found, defaults().proxy);
        assert_eq!(
            derived.first().map(|setting| &setting.value[..]),
            found.as_ref().map(|p| &p.url[..])
        );
        assert!(rejections.is_empty());

        let without = Defaults { proxy: None, ..defaults() };
        assert_eq!(proxy(&server, &without, &mut derived, &mut rejections), None);
        assert_eq!(rejections.len(), 1, "{rejections:?}");
    }
}
