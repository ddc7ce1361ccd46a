//! Keys that a resource names of Secrets that stand in the same files.

use lenses_mcp_crds::LensesMcpServer;
use serde_json::Value;

use crate::commands::manifests::Document;

/// Each key that its Secret lacks, with the field that names it.
pub(super) fn missing(
    server: &LensesMcpServer,
    namespace: &str,
    documents: &[Document],
) -> Vec<String> {
    let find = |name: &str| {
        documents.iter().find(|document| {
            document.kind() == "Secret"
                && document.namespace() == namespace
                && document.name() == name
        })
    };
    let lacking = named(server).into_iter().filter_map(|(field, name, key)| {
        let secret = find(&name)?;
        let has = |part: &str| secret.object[part].get(&key).is_some_and(|value| !value.is_null());
        (!has("data") && !has("stringData")).then(|| {
            let keys = keys(&secret.object);
            format!("{field}: Secret {namespace}/{name} has no key {key}; it has {keys}")
        })
    });
    lacking.collect()
}

/// Field, Secret and key.
fn named(server: &LensesMcpServer) -> Vec<(&'static str, String, String)> {
    let spec = &server.spec;
    let mut all = Vec::new();
    let mut add = |field, name: &str, key: &str| all.push((field, name.to_owned(), key.to_owned()));
    if let Some(secret) =
        spec.lenses.ca_bundle.as_ref().and_then(|bundle| bundle.secret_key_ref.as_ref())
    {
        add("spec.lenses.caBundle.secretKeyRef", &secret.name, &secret.key);
    }
    if let Some(oauth) = &spec.auth.oauth
        && let Some(client) = &oauth.introspection.client_credentials_secret_ref
    {
        for key in ["client_id", "client_secret"] {
            add("spec.auth.oauth.introspection.clientCredentialsSecretRef", &client.name, key);
        }
    }
    if let Some(api_key) = &spec.auth.api_key {
        let secret = &api_key.secret_key_ref;
        add("spec.auth.apiKey.secretKeyRef", &secret.name, &secret.key);
        if let Some(token) = &api_key.callers.token_secret_ref {
            add("spec.auth.apiKey.callers.tokenSecretRef", &token.name, &token.key);
        }
    }
    if let Some(credential) = &spec.verification.credential_secret_ref {
        add("spec.verification.credentialSecretRef", &credential.name, &credential.key);
    }
    for (field, pair) in [
        ("spec.lenses.clientCertificate", &spec.lenses.client_certificate),
        ("spec.endpoint.tls", &spec.endpoint.tls),
    ] {
        for key in ["tls.crt", "tls.key"] {
            if let Some(pair) = pair {
                add(field, &pair.secret_name, key);
            }
        }
    }
    all
}

fn keys(secret: &Value) -> String {
    let parts = [&secret["data"], &secret["stringData"]];
    let keys: Vec<_> = parts
        .into_iter()
        .filter_map(Value::as_object)
        .flat_map(|part| part.keys().cloned())
        .collect();
    if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
}
