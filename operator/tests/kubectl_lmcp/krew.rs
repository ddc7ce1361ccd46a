//! `release/krew`: the manifest names each archive with its checksum.

use std::{path::Path, process::Command};

use lenses_mcp_crds::yaml;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{directory, err, root, run};

fn krew(dist: &Path) -> std::process::Output {
    let mut script = Command::new(root().join("release/krew"));
    script.env("DIST", dist).env("VERSION", "1.2.3").env("SOURCE", "https://git.example.com/mcp");
    run(&mut script, "")
}

#[test]
fn the_manifest_for_krew_names_each_archive_with_its_checksum() {
    let dist = directory("krew");
    let archives = [
        ("x86_64-unknown-linux-gnu", "linux", "amd64", "kubectl-lmcp"),
        ("aarch64-unknown-linux-gnu", "linux", "arm64", "kubectl-lmcp"),
        ("aarch64-apple-darwin", "darwin", "arm64", "kubectl-lmcp"),
        ("x86_64-pc-windows-gnu", "windows", "amd64", "kubectl-lmcp.exe"),
    ];
    for (triple, ..) in archives {
        std::fs::write(dist.join(format!("kubectl-lmcp-1.2.3-{triple}.tar.gz")), triple).unwrap();
    }
    let output = krew(&dist);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let text = std::fs::read_to_string(dist.join("lmcp.yaml")).unwrap();
    let manifest: Value = yaml::from_documents(&text).unwrap().pop().unwrap();
    assert_eq!(manifest["metadata"]["name"], "lmcp");
    assert_eq!(manifest["spec"]["version"], "v1.2.3");
    assert!(!text.contains("${"), "{text}");
    let platforms = manifest["spec"]["platforms"].as_array().unwrap();
    assert_eq!(platforms.len(), archives.len());
    for (triple, os, architecture, program) in archives {
        let digest = Sha256::digest(triple.as_bytes());
        let digits: Vec<_> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let checksum = digits.concat();
        let platform = json!({
            "selector": { "matchLabels": { "os": os, "arch": architecture } },
            "uri": format!("https://git.example.com/mcp/releases/download/v1.2.3/kubectl-lmcp-1.2.3-{triple}.tar.gz"),
            "sha256": checksum,
            "bin": program,
        });
        assert!(platforms.contains(&platform), "{platform} is not in {text}");
    }
}

#[test]
fn without_an_archive_there_is_no_manifest() {
    let dist = directory("krew-empty");
    let output = krew(&dist);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("has no archive of the plugin"), "{}", err(&output));
    assert!(!dist.join("lmcp.yaml").exists());
}
