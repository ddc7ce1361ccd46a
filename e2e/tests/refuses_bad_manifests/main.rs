//! Bad manifests are refused by `kubectl apply` itself, with a message that says what to write.

mod endpoint;
mod hq_and_sign_in;
mod pods;
mod policy;

use lenses_mcp_e2e::bed::{prove, server};
use serde_json::{Value, json};

/// What is wrong, the spec, and the words that the refusal must hold.
type Bad = (&'static str, Value, &'static str);

#[expect(clippy::too_many_lines, reason = "it is one table")]
fn bad_specs() -> Vec<Bad> {
    let url = || json!({"url": "https://lenses.example.com"});
    let oauth = || json!({"oauth": {}});
    let api_key = |callers: Value| {
        json!({
            "apiKey": {"secretKeyRef": {"name": "k", "key": "k"}, "callers": callers}
        })
    };
    let hq = || json!({"name": "hq", "port": "http"});
    let advertised = |value: &str| {
        json!({
            "lenses": {"url": "http://hq.lenses.svc", "advertisedUrl": value}, "auth": oauth()
        })
    };
    let endpoint =
        |value: &str| json!({"lenses": url(), "auth": oauth(), "endpoint": {"url": value}});
    let mut specs = vec![
        ("no auth", json!({"lenses": url()}), "exactly one of auth.oauth"),
        ("an empty auth", json!({"lenses": url(), "auth": {}}), "exactly one of auth.oauth"),
        (
            "two modes",
            json!({
                "lenses": url(),
                "auth": {"oauth": {}, "apiKey": api_key(json!({"anyone": true}))["apiKey"]}
            }),
            "exactly one of auth.oauth",
        ),
        ("no lenses", json!({"auth": oauth()}), "spec.lenses: Required value"),
        (
            "neither url nor serviceRef",
            json!({"lenses": {}, "auth": oauth()}),
            "exactly one of lenses.url and lenses.serviceRef",
        ),
        (
            "both url and serviceRef",
            json!({
                "lenses": {"url": "https://lenses.example.com", "serviceRef": hq()}, "auth": oauth()
            }),
            "exactly one of lenses.url and lenses.serviceRef",
        ),
        (
            "serviceRef and OAuth without advertisedUrl",
            json!({"lenses": {"serviceRef": hq()}, "auth": oauth()}),
            "needs lenses.advertisedUrl",
        ),
        ("advertisedUrl in plain http", advertised("http://lenses.example.com"), "write https://"),
        ("advertisedUrl with /mcp", advertised("https://lenses.example.com/mcp"), "leave /mcp out"),
        (
            "advertisedUrl with a query",
            advertised("https://lenses.example.com/?a=b"),
            "without user info, query and fragment",
        ),
        (
            "advertisedUrl with a fragment",
            advertised("https://lenses.example.com/#a"),
            "without user info, query and fragment",
        ),
        (
            "advertisedUrl with credentials",
            advertised("https://me:pw@lenses.example.com"),
            "without user info, query and fragment",
        ),
        (
            "advertisedUrl that is no URL",
            advertised("lenses.example.com"),
            "write an absolute http or https URL",
        ),
        (
            "a public lenses.url in plain http under OAuth",
            json!({"lenses": {"url": "http://lenses.example.com"}, "auth": oauth()}),
            "add lenses.advertisedUrl",
        ),
        ("endpoint.url with /mcp", endpoint("https://mcp.example.com/mcp"), "leave /mcp out"),
        ("endpoint.url with /mcp/", endpoint("https://mcp.example.com/mcp/"), "leave /mcp out"),
        (
            "endpoint.url with a query",
            endpoint("https://mcp.example.com?x"),
            "without user info, query and fragment",
        ),
        (
            "endpoint.url with a fragment",
            endpoint("https://mcp.example.com/#x"),
            "without user info, query and fragment",
        ),
        ("endpoint.url in plain http", endpoint("http://mcp.example.com"), "write https://"),
        (
            "an API key and nobody who may call",
            json!({"lenses": url(), "auth": api_key(json!({}))}),
            "exactly one of callers.tokenSecretRef and callers.anyone",
        ),
        (
            "an API key for anyone with a token",
            json!({
                "lenses": url(),
                "auth": api_key(
                    json!({"anyone": true, "tokenSecretRef": {"name": "t", "key": "t"}})
                )
            }),
            "exactly one of callers.tokenSecretRef and callers.anyone",
        ),
        (
            "a scope that is none",
            json!({"lenses": url(), "auth": {"oauth": {"scopes": ["read", "admin"]}}}),
            "supported values: \"read\", \"write\", \"delete\"",
        ),
        (
            "no scope",
            json!({"lenses": url(), "auth": {"oauth": {"scopes": []}}}),
            "at least 1 items",
        ),
        (
            "a cache of a day",
            json!({"lenses": url(), "auth": {"oauth": {"introspection": {"cacheTtl": "24h"}}}}),
            "from 0s to 1h",
        ),
        (
            "replicas below zero",
            json!({"lenses": url(), "auth": oauth(), "replicas": -1}),
            "greater than or equal to 0",
        ),
        (
            "a field that is none",
            json!({"lenses": url(), "auth": oauth(), "replica": 1}),
            "unknown field \"spec.replica\"",
        ),
    ];
    // Specs that are good but for one part of them.
    let parts =
        [hq_and_sign_in::parts(), endpoint::parts(), policy::parts(), pods::parts()].concat();
    specs.extend(parts.into_iter().map(|(what, part, message)| {
        let mut spec = json!({"lenses": url(), "auth": oauth()});
        for (name, value) in part.as_object().into_iter().flatten() {
            spec[name] = value.clone();
        }
        (what, spec, message)
    }));
    specs
}

#[tokio::test]
async fn kubectl_apply_refuses_each_bad_manifest_and_says_what_to_write() {
    prove(|bed| async move {
        let mut wrong = Vec::new();
        for (what, spec, message) in bad_specs() {
            match bed.apply(&server("mcp", &spec)).await {
                Ok(()) => wrong.push(format!("{what}: accepted")),
                Err(refusal) if !refusal.to_string().contains(message) => {
                    wrong.push(format!("{what}: refused without the words {message:?}: {refusal}"));
                }
                Err(_) => {}
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(bad_specs().len() >= 60);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn kubectl_apply_refuses_a_name_that_no_service_can_have() {
    prove(|bed| async move {
        let spec =
            || json!({"lenses": {"url": "https://lenses.example.com"}, "auth": {"oauth": {}}});
        for name in ["1st", "dotted.name", &"a".repeat(64)] {
            let refusal =
                bed.apply(&server(name, &spec())).await.err().map(|error| error.to_string());
            assert!(
                refusal.as_ref().is_some_and(|text| text.contains("becomes a Service's name")),
                "{name}: {refusal:?}"
            );
        }
        Ok(())
    })
    .await;
}
