//! What tests have in common. Names differ wherever one could stand in for another by mistake.

use std::{collections::BTreeMap, sync::Arc};

use lenses_mcp_crds::LensesMcpServer;
use serde_json::{Value, json};

use super::{
    observed::{ContentVersion, Dereferenced, Observed, Ownership},
    validate::{ValidServer, validate},
};
use crate::{
    context::{Defaults, VerificationDefaults},
    probe::Proxy,
};

pub(crate) fn defaults() -> Defaults {
    Defaults {
        image: "registry.example/default:1".to_owned(),
        image_pull_secrets: Vec::new(),
        cluster_domain: "cluster.local".to_owned(),
        operator_namespace: "lenses-system".to_owned(),
        namespaces: Vec::new(),
        selector: String::new(),
        upgrades_at_once: 1,
        allow_host_access: false,
        verification: VerificationDefaults::default(),
        proxy: Proxy::of_operator("http://operator.proxy.example:8080".into(), ".svc".into()),
    }
}

/// HQ as a Service of another namespace, OAuth with client credentials, three replicas.
pub(crate) fn oauth_server() -> LensesMcpServer {
    server(&json!({
        "lenses": {
            "serviceRef": { "name": "hq-service", "namespace": "lenses", "port": "api" },
            "advertisedUrl": "https://hq.example.com",
        },
        "auth": {
            "oauth": { "introspection": { "clientCredentialsSecretRef": { "name": "hq-client" } } }
        },
        "endpoint": { "url": "https://mcp.example.com/" },
        "replicas": 3,
    }))
}

/// HQ by URL, one service account, callers with a token.
pub(crate) fn api_key_server() -> LensesMcpServer {
    server(&json!({
        "lenses": { "url": "http://hq.example.com:9991" },
        "auth": { "apiKey": {
            "secretKeyRef": { "name": "hq-account", "key": "hq-token" },
            "callers": { "tokenSecretRef": { "name": "our-callers", "key": "bearer" } },
        } },
    }))
}

pub(crate) fn server(spec: &Value) -> LensesMcpServer {
    serde_json::from_value(json!({
        "apiVersion": "mcp.lenses.io/v1alpha1",
        "kind": "LensesMcpServer",
        "metadata": {
            "name": "team-mcp", "namespace": "tools", "uid": "uid-1", "generation": 7,
            "resourceVersion": "70"
        },
        "spec": spec,
    }))
    .unwrap()
}

/// Everything that the fixtures refer to is there.
pub(crate) fn found() -> Dereferenced {
    let version =
        |uid: &str| Some(ContentVersion { uid: uid.to_owned(), resource_version: "5".to_owned() });
    let service = json!({
        "metadata": { "name": "hq-service", "namespace": "lenses" },
        "spec": {
            "selector": { "app": "hq" },
            "ports": [
                { "name": "api", "port": 9991, "targetPort": "http" },
                { "name": "agents", "port": 10000 }
            ]
        },
    });
    let key = json!({
        "metadata": {
            "name": "team-mcp", "namespace": "tools", "uid": "key-uid", "resourceVersion": "6"
        }
    });
    Dereferenced {
        secrets: BTreeMap::from([
            ("hq-client".to_owned(), version("client-uid")),
            ("hq-account".to_owned(), version("account-uid")),
            ("our-callers".to_owned(), version("callers-uid")),
            ("mtls".to_owned(), version("mtls-uid")),
            ("certificate".to_owned(), version("certificate-uid")),
        ]),
        config_maps: BTreeMap::from([("authorities".to_owned(), version("authorities-uid"))]),
        lenses_service: Some(serde_json::from_value(service).unwrap()),
        children: Observed {
            sealing_key: Ownership::Own(Arc::new(serde_json::from_value(key).unwrap())),
            ..Observed::default()
        },
        ..Dereferenced::default()
    }
}

pub(crate) fn valid(server: &LensesMcpServer) -> ValidServer {
    validate(server, &found(), &defaults())
        .unwrap_or_else(|rejections| panic!("{}", rejections.message()))
}

/// The metadata of every object of the fixtures, without annotations.
pub(crate) fn metadata_json() -> Value {
    json!({
        "name": "team-mcp",
        "namespace": "tools",
        "labels": {
            "app.kubernetes.io/name": "lenses-mcp-server",
            "app.kubernetes.io/instance": "team-mcp",
            "app.kubernetes.io/managed-by": "lenses-mcp-operator",
            "app.kubernetes.io/part-of": "lenses",
        },
        "ownerReferences": [{
            "apiVersion": "mcp.lenses.io/v1alpha1",
            "kind": "LensesMcpServer",
            "name": "team-mcp",
            "uid": "uid-1",
            "controller": true,
        }],
    })
}
