//! Transport and sign-in: how settings decide each other.

use lenses_mcp_server::settings::{Callers, SignIn, Transport};

use crate::{API_KEY, OAUTH, errors, http, oauth, read};

#[test]
fn the_advertised_lenses_url_is_kept_byte_for_byte() {
    for url in [
        "https://lenses.example.com",
        "https://lenses.example.com/",
        "https://LENSES.example.com:443/x",
    ] {
        assert_eq!(oauth(&read(&[OAUTH, &[("LENSES_ADVERTISED_URL", url)]]).unwrap()).issuer, url);
        assert_eq!(oauth(&read(&[OAUTH, &[("LENSES_URL", url)]]).unwrap()).issuer, url);
    }
}

#[test]
fn introspection_uses_the_inside_address_unless_it_is_named() {
    for (set, expected) in [
        (&[("LENSES_URL", "http://hq.ns.svc:9991")][..], "http://hq.ns.svc:9991/oauth2/introspect"),
        (
            &[("LENSES_URL", "http://hq/a/"), ("LENSES_ADVERTISED_URL", "https://out")],
            "http://hq/a/oauth2/introspect",
        ),
        (
            &[("INTROSPECTION_URL", "http://other/introspect?tenant=1")],
            "http://other/introspect?tenant=1",
        ),
    ] {
        assert_eq!(oauth(&read(&[OAUTH, set]).unwrap()).introspection.url.as_str(), expected);
    }
}

#[test]
fn oauth_left_unsaid_is_on_where_older_charts_rely_on_it() {
    let url = ("MCP_ADVERTISED_URL", "https://mcp.example.com");
    oauth(&read(&[&[url]]).unwrap());
    let with_key = read(&[&[url, ("LENSES_API_KEY", "key")]]).unwrap();
    assert!(matches!(with_key.transport, Transport::Stdio { .. }));
    let off = errors(&[&[url, ("OAUTH_ENABLED", "no")]]);
    assert!(off.contains("LENSES_API_KEY is not set: OAuth is off"), "{off}");
    let nothing = errors(&[&[]]);
    assert!(nothing.contains("or set OAUTH_ENABLED=true and MCP_ADVERTISED_URL"), "{nothing}");
}

#[test]
fn an_api_key_alone_serves_stdio_and_http_needs_a_named_caller() {
    assert!(matches!(
        read(&[&[("LENSES_API_KEY", "key")]]).unwrap().transport,
        Transport::Stdio { .. }
    ));
    let settings = read(&[API_KEY]).unwrap();
    assert!(matches!(&http(&settings).sign_in, SignIn::ApiKey { callers: Callers::Token(_), .. }));
    assert_eq!(settings.warnings, Vec::<String>::new());

    let unsaid = errors(&[API_KEY, &[("MCP_CALLER_TOKEN", "")]]);
    assert!(
        unsaid.contains("MCP_CALLER_TOKEN is not set: over HTTP callers must show a token"),
        "{unsaid}"
    );
    let anyone = read(&[API_KEY, &[("MCP_CALLER_TOKEN", ""), ("MCP_CALLERS", "anyone")]]).unwrap();
    assert!(matches!(&http(&anyone).sign_in, SignIn::ApiKey { callers: Callers::Anyone, .. }));
    assert!(anyone.warnings[0].starts_with("MCP_CALLERS=anyone"));
    let both = errors(&[API_KEY, &[("MCP_CALLERS", "anyone")]]);
    assert!(both.contains("MCP_CALLER_TOKEN and MCP_CALLERS are both set"), "{both}");
    let other = errors(&[API_KEY, &[("MCP_CALLER_TOKEN", ""), ("MCP_CALLERS", "everyone")]]);
    assert!(other.contains("MCP_CALLERS is \"everyone\": write anyone"), "{other}");
}

#[test]
fn an_advertised_url_that_ends_with_the_endpoint_is_refused() {
    for (url, base) in [
        ("https://mcp.example.com/mcp", "https://mcp.example.com"),
        ("https://mcp.example.com/team/mcp/", "https://mcp.example.com/team"),
    ] {
        let errors = errors(&[OAUTH, &[("MCP_ADVERTISED_URL", url)]]);
        assert_eq!(
            errors,
            format!(
                "MCP_ADVERTISED_URL is {url:?}: write the base URL without /mcp, which is added: \
                 {base}"
            )
        );
    }
    let settings = read(&[OAUTH, &[("MCP_ADVERTISED_URL", "https://mcp.example.com/")]]).unwrap();
    assert_eq!(oauth(&settings).advertised_url.resource(), "https://mcp.example.com/mcp");
}

#[test]
fn oauth_over_stdio_is_refused_and_oauth_alone_means_http() {
    let errors = errors(&[OAUTH, &[("TRANSPORT", "stdio")]]);
    assert_eq!(
        errors,
        "TRANSPORT is stdio with OAuth on: write TRANSPORT=http, or set LENSES_API_KEY with \
         OAUTH_ENABLED=false: stdio has no sign-in"
    );
    let by_url = read(&[&[("MCP_ADVERTISED_URL", "https://mcp.example.com")]]).unwrap();
    assert!(matches!(by_url.transport, Transport::Http(_)));
    assert!(matches!(read(&[OAUTH]).unwrap().transport, Transport::Http(_)));
}

#[test]
fn what_weakens_sign_in_or_is_not_used_is_warned_of() {
    let settings =
        read(&[OAUTH, &[("LENSES_API_KEY", "key"), ("MCP_AUDIENCE", "ignored")]]).unwrap();
    assert!(
        settings
            .warnings
            .iter()
            .any(|warning| warning.starts_with("LENSES_API_KEY is set but not used"))
    );
    assert!(settings.warnings.iter().any(|warning| warning.starts_with("MCP_AUDIENCE=ignored")));
    for (url, warned) in [
        ("http://localhost:8000", false),
        ("http://[::1]", false),
        ("http://mcp.example.com", true),
    ] {
        let hq = ("LENSES_URL", "https://lenses.example.com");
        let settings = read(&[OAUTH, &[hq, ("MCP_ADVERTISED_URL", url)]]).unwrap();
        assert_eq!(settings.warnings.len(), usize::from(warned), "{url}");
    }
}

#[test]
fn zero_and_less_turn_the_cache_off_as_they_always_did() {
    for (text, seconds) in [("0", 0), ("-1", 0), ("30", 30), ("1500ms", 1)] {
        let settings = read(&[OAUTH, &[("INTROSPECTION_CACHE_TTL", text)]]).unwrap();
        assert_eq!(oauth(&settings).introspection.cache_ttl.as_secs(), seconds, "{text}");
    }
}
