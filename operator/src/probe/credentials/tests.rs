use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::controller::fixtures::{api_key_server, oauth_server};

#[test]
fn only_what_the_spec_names_for_it_is_read() {
    let client = Some("hq-client".into());
    assert_eq!(
        Credentials::of(&oauth_server(), None),
        Credentials { client: client.clone(), ..Credentials::default() }
    );
    // The Secrets of API-key mode are the pods' own affair.
    let mut server = api_key_server();
    assert_eq!(Credentials::of(&server, None), Credentials::default());
    server.spec.verification = serde_json::from_value(
        json!({ "credentialSecretRef": { "name": "probe", "key": "token" } }),
    )
    .unwrap();
    assert_eq!(Credentials::of(&server, None).token, Some(("probe".into(), "token".into())));
    let bundle = |bundle| {
        let mut server = oauth_server();
        server.spec.lenses.ca_bundle = serde_json::from_value(bundle).unwrap();
        Credentials::of(&server, None).authorities
    };
    assert_eq!(
        bundle(json!({ "configMapKeyRef": { "name": "ca", "key": "ca.crt" } })),
        Some(Bundle::ConfigMap("ca".into(), "ca.crt".into()))
    );
    assert_eq!(
        bundle(json!({ "secretKeyRef": { "name": "tls", "key": "ca.crt" } })),
        Some(Bundle::Secret("tls".into(), "ca.crt".into()))
    );
    let mut server = oauth_server();
    server.spec.lenses.client_certificate =
        serde_json::from_value(json!({ "secretName": "mtls" })).unwrap();
    assert_eq!(Credentials::of(&server, None).identity, Some("mtls".into()));
}

#[test]
fn a_secret_is_used_only_with_its_label_as_the_message_says() {
    let labelled = |labels: serde_json::Value| {
        serde_json::from_value(json!({ "metadata": { "labels": labels } })).unwrap()
    };
    for (labels, allowed) in [
        (json!({ OPERATOR_MAY_READ: "true" }), true),
        (json!({ OPERATOR_MAY_READ: "false" }), false),
        (json!({ OPERATOR_MAY_READ: "" }), false),
        (json!({ "operator-may-read": "true" }), false),
        (json!({}), false),
    ] {
        assert_eq!(may_be_read(&labelled(labels.clone())), allowed, "{labels}");
    }
    let finding = not_labelled("spec.x", "tools", "probe");
    assert_eq!((finding.holds, finding.reason), (false, Reason::SecretNotLabelled));
    assert_eq!(
        finding.message,
        "spec.x: Secret tools/probe is not used without the label \
         mcp.lenses.io/operator-may-read: \"true\": run kubectl label secret probe --namespace \
         tools mcp.lenses.io/operator-may-read=true"
    );
}

#[test]
fn a_value_that_cannot_be_used_is_told_without_showing_it() {
    let values = [("good", &b"a\n"[..]), ("empty", b"\n"), ("bytes", b"\xff")];
    let values = values.map(|(key, value)| (key.to_owned(), value.to_vec())).to_vec();
    let values = Values::of("spec.x: Secret tools/probe".into(), Ok(Some(values))).ok().unwrap();
    assert_eq!(values.text("good").unwrap().expose_secret(), "a");
    for (key, said) in [
        ("missing", "spec.x: Secret tools/probe has no key missing"),
        ("empty", "spec.x: Secret tools/probe has nothing in key empty"),
        ("bytes", "spec.x: Secret tools/probe has something that is not text in key bytes"),
    ] {
        let finding = values.text(key).unwrap_err();
        assert_eq!((finding.reason, finding.message.as_str()), (Reason::MaterialUnusable, said));
    }
    let missing = Values::of("spec.x: Secret tools/probe".into(), Ok(None)).err().unwrap();
    assert_eq!(missing.message, "spec.x: Secret tools/probe does not exist: make it");
}
