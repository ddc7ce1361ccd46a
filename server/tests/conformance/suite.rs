//! The suite itself: run as a process of Node, its verdicts read from the files that it writes.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::Path,
    process::{Output, Stdio},
};

use serde::Deserialize;
use tokio::process::Command;

use crate::endpoint::Endpoint;

/// One check of a scenario, as the suite writes it.
#[derive(Debug, Deserialize)]
struct Check {
    id: String,
    status: String,
    #[serde(rename = "errorMessage")]
    error_message: Option<String>,
}

/// What the suite found.
pub(crate) struct Verdicts {
    scenarios: BTreeMap<String, Vec<Check>>,
    /// What the suite itself says is of an extension of MCP: it runs these too and counts their
    /// failures in its total, but no revision requires them, and the server announces no extension.
    of_extensions: Vec<String>,
}

/// Runs what `revision` requires of servers against `endpoint`. The suite's output is kept under
/// `target/conformance/REVISION`, its summary printed.
pub(crate) async fn run(endpoint: &Endpoint, revision: &str) -> Verdicts {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("conformance");
    let results = home.join(revision);
    if results.exists() {
        fs::remove_dir_all(&results).unwrap();
    }
    fs::create_dir_all(&results).unwrap();

    let programs = home.join("suite/node_modules/.bin");
    let output = Command::new(programs.join("node"))
        .arg(programs.join("conformance"))
        .args(["server", "--url", &endpoint.url, "--requirements", revision, "--output-dir"])
        .arg(&results)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    let Output { stdout, stderr, .. } = output.unwrap_or_else(|error| {
        panic!("{}: {error}; `make conformance` installs the suite", programs.display())
    });
    fs::write(results.join("output.txt"), [stdout.as_slice(), &stderr].concat()).unwrap();
    let stdout = String::from_utf8_lossy(&stdout);
    let summary = stdout.split_once("=== SUMMARY ===").map(|(_, summary)| summary);
    let summary = summary.unwrap_or_else(|| panic!("no summary in {}", results.display()));
    println!("{revision}:{summary}");
    Verdicts { scenarios: read(&results), of_extensions: of_extensions(summary) }
}

/// From the end of the summary, where the suite lists what no revision requires, each with its
/// reason: `  ✗ SCENARIO (extension)`. What stands there for another reason counts here all the
/// same.
fn of_extensions(summary: &str) -> Vec<String> {
    let scenarios = summary
        .lines()
        .filter_map(|line| line.strip_suffix(" (extension)")?.split_whitespace().next_back());
    scenarios.map(str::to_owned).collect()
}

/// The checks of each scenario: one directory each, named `server-SCENARIO-TIME`.
fn read(results: &Path) -> BTreeMap<String, Vec<Check>> {
    let directories = fs::read_dir(results)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir());
    directories.map(|directory| (scenario(&directory), checks(&directory))).collect()
}

fn scenario(directory: &Path) -> String {
    let name = directory.file_name().unwrap().to_str().unwrap();
    // The time is 24 characters long.
    name.strip_prefix("server-").unwrap().split_at(name.len() - "server-".len() - 25).0.to_owned()
}

fn checks(directory: &Path) -> Vec<Check> {
    serde_json::from_slice(&fs::read(directory.join("checks.json")).unwrap()).unwrap()
}

impl Verdicts {
    /// That each of `count` scenarios, all but those of extensions, found nothing: no failure, and
    /// no warning, which is what the suite calls a SHOULD that is not met. Each proved something,
    /// but for those that are `not_applicable`, which proved nothing.
    pub(crate) fn assert_passed(&self, count: usize, not_applicable: &[&str]) {
        let mut found = String::new();
        let mut passed = 0;
        for (scenario, checks) in &self.scenarios {
            if self.of_extensions.contains(scenario) {
                continue;
            }
            let bad = checks
                .iter()
                .filter(|check| matches!(check.status.as_str(), "FAILURE" | "WARNING"));
            let before = found.len();
            for Check { id, status, error_message } in bad {
                let _ = writeln!(
                    found,
                    "{status} {scenario}: {id}: {}",
                    error_message.as_deref().unwrap_or_default()
                );
            }
            let proved = checks
                .iter()
                .any(|check| check.status == "SUCCESS" && check.id != "wire-schema-valid");
            if proved == not_applicable.contains(&scenario.as_str()) {
                let _ = writeln!(found, "PROVED SOMETHING: {proved} {scenario}");
            }
            passed += usize::from(found.len() == before);
        }
        assert_eq!(found, "");
        assert_eq!(passed, count, "another number of scenarios than this version of the suite has");
    }
}
