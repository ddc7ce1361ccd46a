//! The commands of the pages, typed in a cluster with one server.

#![cfg(target_os = "linux")]

#[expect(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]
#[expect(dead_code, reason = "the operator's tests use the rest")]
#[path = "../../operator/tests/docs/blocks.rs"]
mod blocks;

use std::fs;

use lenses_mcp_e2e::bed::{
    Authority, Bed, OPERATOR_NAMESPACE, SERVICE_ACCOUNT_TOKEN, Trouble, prove,
};
use serde_json::json;

/// What names this file above a block.
const THIS: &str = "e2e/tests/runs_documented_commands.rs";
/// The server of the pages.
const NAME: &str = "lenses-mcp";
const CALLERS_TOKEN: &str = "token-of-the-callers-in-the-pages";

#[tokio::test]
async fn every_documented_command_of_a_cluster_succeeds() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
        bed.secret("lenses-mcp-callers", json!({"token": CALLERS_TOKEN})).await?;
        let mut server = bed.api_key_server(NAME, &hq);
        server["spec"]["auth"]["apiKey"]["callers"]["tokenSecretRef"]["name"] =
            json!("lenses-mcp-callers");
        bed.apply_until_ready(&server).await?;

        let person = Person::new(&bed).await?;
        let mut documented: Vec<_> = blocks::all()
            .into_iter()
            .filter(|block| block.test.as_deref() == Some(THIS) && block.no_test.is_none())
            .collect();
        assert!(documented.len() >= 25, "{} blocks", documented.len());
        // Last, because it replaces the pods that the others examine.
        documented.sort_by_key(|block| block.text.contains("rotate-sealing-key"));
        for block in documented {
            person
                .types(&block.text)
                .await
                .map_err(|error| format!("{}: {error}", block.place()))?;
        }
        Ok(())
    })
    .await;
}

/// Somebody at a terminal, in a directory of their own.
struct Person<'a> {
    bed: &'a Bed,
    home: String,
}

impl<'a> Person<'a> {
    async fn new(bed: &'a Bed) -> Result<Self, Trouble> {
        let home = format!("{}/{}", env!("CARGO_TARGET_TMPDIR"), bed.namespace);
        fs::create_dir_all(format!("{home}/.cursor"))?;
        let certificate = Authority::new()?.secret("unused", "mcp.example.com")?;
        for name in ["tls.crt", "tls.key"] {
            let pem = certificate["stringData"][name].as_str().ok_or(name)?;
            fs::write(format!("{home}/{name}"), pem)?;
        }
        fs::write(format!("{home}/token"), CALLERS_TOKEN)?;
        let config = format!("{home}/kubeconfig");
        bed.shell(&format!("kubectl config view --raw --flatten >{config}")).await?;
        let context = format!("config set-context --current --namespace {}", bed.namespace);
        bed.shell(&format!("kubectl --kubeconfig {config} {context}")).await?;
        Ok(Self { bed, home })
    }

    /// Types the commands, with real names where the pages have placeholders.
    async fn types(&self, commands: &str) -> Result<(), Trouble> {
        let Self { bed, home } = self;
        let namespace = format!("--namespace {OPERATOR_NAMESPACE} ");
        let commands = commands
            .replace("--namespace lenses-mcp-operator ", &namespace)
            .replace("NAMESPACE", &bed.namespace)
            .replace("NAME", NAME)
            .replace("SECRET", "lenses")
            .replace("TOOL", "list_topics")
            .replace("/usr/local/bin", home);
        let script = format!(
            "set -euo pipefail\n\
             cd {home}\n\
             export HOME={home} KUBECONFIG={home}/kubeconfig\n\
             # Nothing found is an answer.\n\
             grep() {{ command grep \"$@\" || [ $? = 1 ]; }}\n\
             {commands}"
        );
        let file = format!("{home}/script");
        fs::write(&file, script)?;
        bed.shell(&format!("bash {file}")).await.map(drop)
    }
}
