//! `Host` and `Origin`: only what is allowed passes, written in one way.

use http::{
    HeaderMap, HeaderValue, Uri,
    header::{HOST, ORIGIN},
};

use url::Url;

use super::{AllowedHost, AllowedOrigin, HostCheck};
use crate::fuzz::fuzz;

#[test]
fn a_host_that_passes_is_an_allowed_one_letter_by_letter() {
    let allowed = ["mcp.example.com", "mcp.internal:8443"].map(|host| host.parse().unwrap());
    let check = HostCheck::new(allowed.to_vec(), Vec::new());
    fuzz("host", |input| {
        let Ok(value) = HeaderValue::from_bytes(input) else { return };
        let headers = HeaderMap::from_iter([(HOST, value)]);
        if check.check(&Uri::from_static("/mcp"), &headers).is_ok() {
            let host = String::from_utf8(input.trim_ascii().to_ascii_lowercase()).unwrap();
            let name = host.rsplit_once(':').map_or(&*host, |(name, _)| name);
            assert!(name == "mcp.example.com" || host == "mcp.internal:8443", "{host}");
        }
    });
}

#[test]
fn hosts_and_origins_are_read_as_they_are_written() {
    fuzz("host", |input| {
        let Ok(text) = std::str::from_utf8(input) else { return };
        if let Ok(host) = text.parse::<AllowedHost>() {
            assert_eq!(host.to_string().parse().as_ref(), Ok(&host));
        }
        for origin in [text.to_owned(), format!("https://{text}")] {
            if let Ok(origin) = origin.parse::<AllowedOrigin>() {
                assert_eq!(origin.to_string().parse().as_ref(), Ok(&origin));
            }
        }
    });
}

#[test]
fn an_origin_that_passes_is_an_allowed_one() {
    let allowed = "https://app.example.com";
    let origin_of = |text: &[u8]| Url::parse(std::str::from_utf8(text).unwrap()).unwrap().origin();
    let check = HostCheck::new(vec!["localhost".parse().unwrap()], vec![allowed.parse().unwrap()]);
    fuzz("host", |input| {
        let origin = [b"https://", input].concat();
        let Ok(value) = HeaderValue::from_bytes(&origin) else { return };
        let headers =
            HeaderMap::from_iter([(HOST, HeaderValue::from_static("localhost")), (ORIGIN, value)]);
        if check.check(&Uri::from_static("/mcp"), &headers).is_ok() {
            assert_eq!(origin_of(&origin), origin_of(allowed.as_bytes()));
        }
    });
}
