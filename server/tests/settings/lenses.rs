//! Where Lenses HQ is, and what of it is trusted.

use lenses_mcp_server::tls::{KeyPairFiles, Trust};

use crate::{API_KEY, Files, OAUTH, certificate, errors, http, oauth, read, read_with};

#[test]
fn every_derived_address_keeps_ipv6_ports_and_path_prefixes() {
    for (url, http, websocket, introspection) in [
        (
            "http://[::1]:9991",
            "http://[::1]:9991/",
            "http://[::1]:9991/",
            "http://[::1]:9991/oauth2/introspect",
        ),
        (
            "https://[2001:db8::1]",
            "https://[2001:db8::1]/",
            "https://[2001:db8::1]/",
            "https://[2001:db8::1]/oauth2/introspect",
        ),
        (
            "http://hq:9991/lenses/",
            "http://hq:9991/lenses/",
            "http://hq:9991/lenses/",
            "http://hq:9991/lenses/oauth2/introspect",
        ),
        (
            "",
            "http://localhost:9991/",
            "http://localhost:9991/",
            "http://localhost:9991/oauth2/introspect",
        ),
    ] {
        let settings = read(&[OAUTH, &[("LENSES_URL", url)]]).unwrap();
        assert_eq!(settings.lenses_url.as_str(), http);
        assert_eq!(settings.lenses_websocket_url.as_str(), websocket);
        assert_eq!(oauth(&settings).introspection.url.as_str(), introspection);
    }
}

#[test]
fn an_address_without_a_scheme_is_refused_with_what_to_write() {
    for name in ["LENSES_URL", "LENSES_API_HTTP_URL"] {
        for url in ["localhost:9991", "hq.ns.svc:9991"] {
            let errors = errors(&[OAUTH, &[(name, url)]]);
            assert_eq!(
                errors,
                format!(
                    "{name} is {url:?}: write it with http:// or https:// in front, such as \
                     https://{url}"
                )
            );
        }
    }
}

#[test]
fn each_older_variable_overrides_its_part_and_http_is_for_introspection() {
    for (set, http, websocket) in [
        (
            &[("LENSES_API_HTTP_URL", "http://hq"), ("LENSES_API_HTTP_PORT", "80")][..],
            "http://hq/",
            "http://hq/",
        ),
        (&[("LENSES_API_HTTP_URL", "https://hq")], "https://hq:9991/", "https://hq:9991/"),
        (&[("LENSES_API_HTTP_PORT", "7")], "http://localhost:7/", "http://localhost:7/"),
        (
            &[("LENSES_URL", "https://hq/x"), ("LENSES_API_HTTP_PORT", "7")],
            "https://hq:7/x",
            "https://hq/x",
        ),
        (
            &[("LENSES_URL", "https://hq/x"), ("LENSES_API_WEBSOCKET_PORT", "7")],
            "https://hq/x",
            "https://hq:7/x",
        ),
        (
            &[("LENSES_URL", "https://hq"), ("LENSES_API_WEBSOCKET_URL", "wss://ws.hq/y")],
            "https://hq/",
            "wss://ws.hq/y",
        ),
        (
            &[
                ("LENSES_API_HTTP_URL", "http://[::1]"),
                ("LENSES_API_HTTP_PORT", "9991"),
                ("LENSES_API_WEBSOCKET_URL", "ws://[::1]"),
                ("LENSES_API_WEBSOCKET_PORT", "9992"),
            ],
            "http://[::1]:9991/",
            "ws://[::1]:9992/",
        ),
        // Empty is not set.
        (
            &[("LENSES_API_HTTP_URL", ""), ("LENSES_API_WEBSOCKET_PORT", " ")],
            "http://localhost:9991/",
            "http://localhost:9991/",
        ),
    ] {
        let settings = read(&[OAUTH, set]).unwrap();
        assert_eq!(settings.lenses_url.as_str(), http, "{set:?}");
        assert_eq!(settings.lenses_websocket_url.as_str(), websocket, "{set:?}");
        let introspection = format!("{}/oauth2/introspect", http.trim_end_matches('/'));
        assert_eq!(oauth(&settings).introspection.url.as_str(), introspection, "{set:?}");
    }
}

#[test]
fn trust_and_certificates_are_read_from_files_that_hold_what_they_should() {
    let (chain, key) = certificate();
    let (_, other_key) = certificate();
    let bundle = format!("# the team's CA\n{chain}{chain}");
    let torn = format!("{chain}-----BEGIN CERTIFICATE-----\nAAAA\n");
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let files = Files(
        [
            ("/ca", bundle.as_str()),
            ("/cert", &chain),
            ("/key", &key),
            ("/other-key", &other_key),
            ("/torn", &torn),
            ("/encrypted", encrypted),
            ("/junk", junk),
            ("/empty", ""),
        ]
        .into(),
    );
    let settings = read_with(
        &files,
        &[
            API_KEY,
            &[
                ("LENSES_CA_FILE", "/ca"),
                ("LENSES_CLIENT_CERT_FILE", "/cert"),
                ("LENSES_CLIENT_KEY_FILE", "/key"),
                ("TLS_CERT_FILE", "/cert"),
                ("TLS_KEY_FILE", "/key"),
            ],
        ],
    )
    .unwrap();
    let pair = KeyPairFiles { certificate: "/cert".into(), key: "/key".into() };
    assert_eq!(
        settings.lenses_trust,
        Trust { authorities: Some("/ca".into()), client: Some(pair.clone()) }
    );
    assert_eq!(http(&settings).tls, Some(pair));
    assert!(settings.effective().to_string().contains("TLS_KEY_FILE='/key' # environment"));

    for (certificate, key) in
        [("LENSES_CLIENT_CERT_FILE", "LENSES_CLIENT_KEY_FILE"), ("TLS_CERT_FILE", "TLS_KEY_FILE")]
    {
        for (certificate_file, key_file, variable, expected) in [
            ("/cert", "", key, format!("{key} is not set: {certificate} needs it")),
            ("", "/key", certificate, format!("{certificate} is not set: {key} needs it")),
            (
                "/none",
                "/key",
                certificate,
                format!("{certificate} names \"/none\", which can't be read"),
            ),
            (
                "/key",
                "/key",
                certificate,
                format!("{certificate} is \"/key\": write certificates in PEM"),
            ),
            (
                "/torn",
                "/key",
                certificate,
                format!("{certificate} is \"/torn\": write certificates in PEM"),
            ),
            (
                "/cert",
                "/cert",
                key,
                format!("{key} is \"/cert\": write one unencrypted private key"),
            ),
            (
                "/cert",
                "/encrypted",
                key,
                format!("{key} is \"/encrypted\": write one unencrypted private key"),
            ),
            (
                "/cert",
                "/empty",
                key,
                format!("{key} is \"/empty\": write one unencrypted private key"),
            ),
            (
                "/cert",
                "/other-key",
                key,
                format!("{key} is \"/other-key\": the private key can't be used with"),
            ),
        ] {
            let set = [(certificate, certificate_file), (key, key_file)];
            let errors = read_with(&files, &[API_KEY, &set]).unwrap_err().to_string();
            assert!(errors.contains(&expected), "{variable}: {errors}");
            assert_eq!(errors.lines().count(), 1, "{errors}");
        }
    }
    for (file, expected) in [
        ("/none", "LENSES_CA_FILE names \"/none\", which can't be read"),
        ("/empty", "LENSES_CA_FILE is \"/empty\": write certificates in PEM"),
        ("/junk", "LENSES_CA_FILE is \"/junk\": certificate 1 can't be used as a CA's"),
    ] {
        let errors =
            read_with(&files, &[API_KEY, &[("LENSES_CA_FILE", file)]]).unwrap_err().to_string();
        assert!(errors.contains(expected), "{errors}");
    }
}
