//! `Forwarded` and `X-Forwarded-For`: what stands left of the proxy's own entry changes nothing.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{TrustedProxies, forwarded};
use crate::fuzz::fuzz;

#[test]
fn no_client_can_pass_for_another_behind_a_trusted_proxy() {
    let trusted = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
    let client: IpAddr = "192.0.2.7".parse().unwrap();
    fuzz("forwarded", |input| {
        for (name, own) in [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7")] {
            let value = [input, b", ", own.as_bytes()].concat();
            let Ok(value) = HeaderValue::from_bytes(&value) else { continue };
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value)]);
            let found = forwarded::client(&headers, &trusted);
            assert!(found.is_none_or(|found| found == client), "{name}: {found:?}");
        }
    });
}
