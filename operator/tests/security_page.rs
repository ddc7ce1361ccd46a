//! The page on security names the tests that hold its statements.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of all functions in the crates' sources and tests.
fn functions() -> BTreeSet<String> {
    let mut directories: Vec<_> =
        ["crds", "operator", "server", "e2e"].map(|name| root().join(name)).to_vec();
    let mut names = BTreeSet::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).unwrap();
                let after = text.split("fn ").skip(1);
                names.extend(
                    after.filter_map(|rest| Some(rest.split_once('(')?.0.trim().to_owned())),
                );
            }
        }
    }
    names
}

#[test]
fn every_statement_names_a_test_that_exists() {
    let page = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let functions = functions();
    let mut statements = 0;
    for table in page.split("| statement | test |\n|---|---|\n").skip(1) {
        for row in table.lines().take_while(|line| line.starts_with('|')) {
            let tests = row.trim_end_matches('|').rsplit_once("| ").unwrap().1;
            let named: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty(), "no test is named: {row}");
            for test in named {
                assert!(functions.contains(test), "there is no test {test}: {row}");
            }
            statements += 1;
        }
    }
    assert!(statements >= 25, "{statements} statements");
}
