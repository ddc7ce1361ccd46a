//! `report`: what a bundle holds, and what it never holds.

use std::{collections::BTreeMap, io::Read, path::Path};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::{
    api_server::{ApiServer, list, server},
    directory, err, out,
};

/// Long enough to be found in nothing else; each place has its own.
fn planted(place: &str) -> String {
    format!("Pl4nted-{place}-0123456789abcdef")
}

fn pod(restarts: u32) -> Value {
    json!({
        "metadata": { "name": "a-1", "namespace": "lenses" },
        "spec": { "containers": [
            {
                "name": "lenses-mcp-server", "image": "x:1",
                "env": [
                    { "name": "A", "value": planted("env") },
                    { "name": "B", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } },
                ],
            },
            { "name": "sidecar", "image": "y:1", "args": [planted("argument")] },
        ] },
        "status": { "containerStatuses": [
            { "name": "sidecar", "image": "", "imageID": "", "ready": true, "restartCount": 0 },
            {
                "name": "lenses-mcp-server", "image": "", "imageID": "", "ready": true,
                "restartCount": restarts,
            },
        ] },
    })
}

/// A cluster in which every place where a secret may stand has one.
fn cluster(forbidden: &[&str]) -> ApiServer {
    const NAMESPACE: &str = "/api/v1/namespaces/lenses";
    let mut resource = server("lenses", "a", "True", "Ready");
    resource["metadata"]["annotations"] = json!({
        "kubectl.kubernetes.io/last-applied-configuration": planted("applied"),
        "note": format!("http://user:{}@proxy", planted("annotation")),
    });
    resource["metadata"]["managedFields"] = json!([{ "manager": planted("fields") }]);
    resource["spec"]["podTemplate"] = json!({ "spec": { "containers": [{
        "name": "sidecar", "command": [planted("command")],
        "env": [{ "name": "X", "value": planted("template") }],
    }] } });
    let secret = json!({
        "metadata": { "name": "a", "namespace": "lenses" },
        "data": { "key": planted("secret") }, "stringData": { "other": planted("text") },
    });
    let operator = json!({
        "metadata": {
            "name": "op", "namespace": "system", "labels": { "app.kubernetes.io/instance": "rel" },
        },
        "spec": { "selector": {}, "template": { "spec": { "containers": [{
            "name": "operator", "image": "o:1", "args": ["run", planted("operator")],
            "env": [{ "name": "HTTPS_PROXY", "value": planted("proxy") }],
        }] } } },
    });
    let event = |about: &str| {
        json!({
            "metadata": { "name": about, "namespace": "lenses" },
            "involvedObject": { "name": about },
            "message": format!("Bearer {} of {about}", planted("event")),
        })
    };
    let log = |line: &str| {
        json!(format!(
            "{line}\nLENSES_API_KEY={}\n{{\"token\":\"{}\"}}\nAuthorization: Bearer {}\n",
            planted("log"),
            planted("json"),
            planted("bearer")
        ))
    };
    let pods = format!("{NAMESPACE}/pods");
    let of_pod = format!("{NAMESPACE}/pods/a-1/log");
    let path = |rest: &str| format!("{NAMESPACE}/{rest}");
    ApiServer::serving(
        &[
            ("/apis/mcp.lenses.io/v1alpha1/namespaces/lenses/lensesmcpservers", list(&[resource])),
            (&pods, list(&[pod(1)])),
            (&of_pod, log("serving")),
            (&path("secrets"), list(&[secret])),
            (&path("services"), list(&[json!({ "metadata": { "name": "a" } })])),
            (&path("events"), list(&[event("a"), event("a-1"), event("another")])),
            ("/apis/apps/v1/deployments", list(&[operator])),
            ("/api/v1/namespaces/system/pods", list(&[])),
        ],
        forbidden,
    )
}

/// The files of an archive.
fn unpack(archive: &Path) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(GzDecoder::new(std::fs::File::open(archive).unwrap()));
    let entries = archive.entries().unwrap();
    let files = entries.map(|entry| {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (path.split_once('/').unwrap().1.to_owned(), text)
    });
    files.collect()
}

#[test]
fn no_secret_of_a_cluster_full_of_them_is_in_the_bundle() {
    let api = cluster(&[]);
    let archive = directory("bundle").join("report.tar.gz");
    let output = api.lmcp(&["report", "--file", archive.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).contains("report.tar.gz: "), "{}", out(&output));
    let files = unpack(&archive);
    let server = "servers/lenses/a";
    for (file, text) in [
        ("lensesmcpserver.yaml", "reason: Ready"),
        ("pods.yaml", "name: A\n"),
        ("pods.yaml", "secretKeyRef"),
        ("services.yaml", "name: a"),
        ("secrets.yaml", "name: a"),
        ("events.yaml", "of a-1"),
        ("logs/a-1.log", "serving"),
        ("logs/a-1-previous.log", "serving"),
    ] {
        let found = files.get(&format!("{server}/{file}")).unwrap_or_else(|| panic!("{file}"));
        assert!(found.contains(text), "{file}: {found}");
    }
    assert!(files["operators/system/op/deployment.yaml"].contains("HTTPS_PROXY"));
    assert!(!files[&format!("{server}/events.yaml")].contains("another"));
    for (file, text) in &files {
        assert!(!text.contains("Pl4nted"), "{file}: {text}");
    }
    // The values of Secrets did not even leave the API server.
    let asked = api.asked();
    let of_secrets: Vec<_> = asked.iter().filter(|asked| asked.contains("/secrets")).collect();
    assert_eq!(of_secrets.len(), 1, "{asked:?}");
    assert!(of_secrets[0].contains("PartialObjectMetadata"), "{of_secrets:?}");
    // Nobody else's log is read, and no log without an end.
    let logs: Vec<_> = asked.iter().filter(|asked| asked.contains("/log?")).collect();
    assert_eq!(logs.len(), 2, "{logs:?}");
    for bound in ["container=lenses-mcp-server", "tailLines=1000", "limitBytes=1048576"] {
        assert!(logs.iter().all(|log| log.contains(bound)), "{bound}: {logs:?}");
    }
}

#[test]
fn what_may_not_be_read_is_a_gap_that_the_bundle_names() {
    let api = cluster(&["/api/v1/namespaces/lenses/secrets", "/api/v1/namespaces/lenses/pods/"]);
    let bundle = directory("gaps").join("bundle");
    let output = api.lmcp(&["report", "a", "--directory", bundle.to_str().unwrap()]);
    // One by name is read from another path, which this server does not have.
    assert_eq!(output.status.code(), Some(2), "{}", out(&output));
    let output = api.lmcp(&["report", "--directory", bundle.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let gaps = std::fs::read_to_string(bundle.join("gaps.txt")).unwrap();
    for gap in ["secrets of lenses/a: you may not read", "log of lenses/a-1: you may not read"] {
        assert!(gaps.contains(gap), "{gap}: {gaps}");
    }
    assert!(bundle.join("servers/lenses/a/lensesmcpserver.yaml").exists());
    assert!(!gaps.contains("httproutes"), "an API that there is not is no gap: {gaps}");
}

#[test]
fn a_bundle_overwrites_nothing() {
    let api = cluster(&[]);
    let directory = directory("twice");
    let file = directory.join("report.tar.gz");
    std::fs::write(&file, "mine").unwrap();
    for arguments in
        [["--file", file.to_str().unwrap()], ["--directory", directory.to_str().unwrap()]]
    {
        let output = api.lmcp(&[&["report"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", out(&output));
        assert!(err(&output).contains("failed to write"), "{}", err(&output));
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}
