//! `kubectl lmcp` on a cluster: it finds the server that is broken, connects and lists tools at one
//! that is not, and reports on both without a secret.

#![cfg(target_os = "linux")]

use std::{fs, path::Path};

use k8s_openapi::api::core::v1::Secret;
use kube::api::ListParams;
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::bed::{Bed, SERVICE_ACCOUNT_TOKEN, Trouble, condition, mcp_url, prove, until};
use serde_json::{Value, json};

/// What the callers of the server show.
const TOKEN: &str = "for-callers-only-0123456789";
/// In the pod template, where no secret should be and some have one.
const PLANTED: &str = "planted-in-the-pod-template-0123456789";

#[tokio::test]
async fn the_plugin_finds_the_broken_server_and_reports_without_secrets() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
        bed.secret("callers", json!({"token": TOKEN})).await?;
        let mut good = bed.api_key_server("good", &hq);
        good["spec"]["podTemplate"] = json!({"spec": {"containers": [
            {"name": "lenses-mcp-server", "env": [{"name": "PLANTED", "value": PLANTED}]},
        ]}});
        let url = mcp_url(&bed.apply_until_ready(&good).await?)?;
        let mut broken = bed.oauth_server("broken", &hq);
        broken["spec"]["lenses"]["caBundle"] =
            json!({"configMapKeyRef": {"name": "nowhere", "key": "ca.crt"}});
        bed.apply(&broken).await?;
        until(&bed.api::<LensesMcpServer>(), "broken", "a reason", |server| {
            server
                .and_then(|server| condition(server, "Ready"))
                .is_some_and(|c| c.status == "False")
        })
        .await?;

        status(&bed).await?;
        let namespace = ["--namespace", bed.namespace.as_str()];
        let connect = ["connect", "good", "--client", "claude-code"];
        let said = bed.lmcp(&[&connect[..], &namespace].concat(), "").await?;
        let command = format!("claude mcp add --transport http lenses {url} --header");
        assert!(said.out.starts_with(&command), "{said:?}");
        tools(&bed).await?;
        let said = bed.lmcp(&["version", "-o", "json"], "").await?;
        let versions: Vec<Value> = serde_json::from_str(&said.out)?;
        let found = |component: &str| {
            versions.iter().find(|one| one["component"] == component).cloned().unwrap_or_default()
        };
        assert_eq!(found("api")["found"], "the definition is that of this program", "{said:?}");
        assert_eq!(found("operator")["version"], found("client")["version"], "{said:?}");
        report(&bed).await
    })
    .await;
}

/// The broken one by name, with the reason.
async fn status(bed: &Bed) -> Result<(), Trouble> {
    let namespace = bed.namespace.as_str();
    let said = bed.lmcp(&["status", "-n", namespace, "-o", "json"], "").await?;
    assert_eq!(said.status, 1, "{said:?}");
    let servers: Vec<Value> = serde_json::from_str(&said.out)?;
    let states: Vec<_> = servers
        .iter()
        .map(|one| (one["name"].as_str(), one["ready"].as_str(), one["reason"].as_str()))
        .collect();
    let expected = [("broken", "False", "ReferenceNotFound"), ("good", "True", "Ready")];
    assert_eq!(states, expected.map(|(a, b, c)| (Some(a), Some(b), Some(c))), "{said:?}");
    let table = bed.lmcp(&["status", "-A"], "").await?;
    let line = format!("\n{namespace}/broken: spec.lenses.caBundle");
    assert!(table.out.contains(&line), "{table:?}");
    Ok(())
}

/// Those that the holder of the token is shown, and none without it.
async fn tools(bed: &Bed) -> Result<(), Trouble> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&bed.namespace);
    fs::create_dir_all(&directory)?;
    let file = directory.join("token");
    fs::write(&file, TOKEN)?;
    let tools = ["tools", "good", "--namespace", bed.namespace.as_str()];
    let file = file.display().to_string();
    let said = bed.lmcp(&[&tools[..], &["--token-file", &file]].concat(), "").await?;
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("\nlist_topics "), "{said:?}");
    let said = bed.lmcp(&tools, "").await?;
    assert_eq!((said.status, said.out.as_str()), (2, ""), "{said:?}");
    Ok(())
}

/// Every value of every Secret of the namespace, and what was planted, is in no file.
async fn report(bed: &Bed) -> Result<(), Trouble> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&bed.namespace).join("report");
    let path = directory.display().to_string();
    let report = ["report", "--namespace", bed.namespace.as_str(), "--directory", &path];
    let said = bed.lmcp(&report, "").await?;
    assert_eq!(said.status, 0, "{said:?}");
    let mut files = Vec::new();
    read(&directory, &mut files)?;
    let text = |end: &str| {
        files.iter().find(|(path, _)| path.ends_with(end)).map(|(_, text)| text.as_str())
    };
    assert!(text("good/deployments.yaml").is_some_and(|text| text.contains("PLANTED")));
    assert!(text("broken/lensesmcpserver.yaml").is_some_and(|text| text.contains("nowhere")));
    assert!(text("good/events.yaml").is_some());
    let is_log = |path: &str| Path::new(path).extension().is_some_and(|end| end == "log");
    let logs: Vec<_> = files.iter().filter(|(path, _)| is_log(path)).collect();
    assert!(logs.len() >= 2 && logs.iter().any(|(path, _)| path.contains("/good/logs/")));
    assert!(logs.iter().all(|(_, text)| !text.is_empty()), "a log is empty");
    assert!(text("gaps.txt").is_none(), "{:?}", text("gaps.txt"));

    let mut secrets = vec![PLANTED.to_owned(), TOKEN.to_owned(), SERVICE_ACCOUNT_TOKEN.to_owned()];
    for secret in bed.api::<Secret>().list(&ListParams::default()).await? {
        let data = serde_json::to_value(secret.data.unwrap_or_default())?;
        let values = data.as_object().into_iter().flatten();
        secrets.extend(values.filter_map(|(_, value)| value.as_str().map(str::to_owned)));
    }
    assert!(secrets.len() >= 6, "the namespace has Secrets of its own");
    for (path, text) in &files {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{path} has a secret");
        }
    }
    Ok(())
}

fn read(directory: &Path, files: &mut Vec<(String, String)>) -> Result<(), Trouble> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, files)?;
        } else {
            files.push((path.display().to_string(), fs::read_to_string(&path)?));
        }
    }
    Ok(())
}
