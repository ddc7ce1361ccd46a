//! The charts: their versions are the operator's, and their schemas and READMEs are made from their
//! values. `make generate` writes these, by running this with `UPDATE_CHARTS=1`.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it must be")]

mod monitoring;
mod readme;
mod schema;
mod values;

use std::{fs, path::PathBuf};

const CHARTS: [&str; 2] = ["lenses-mcp-operator", "lenses-mcp-servers"];

fn path(chart: &str, file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../charts").join(chart).join(file)
}

fn text(chart: &str, file: &str) -> String {
    fs::read_to_string(path(chart, file)).unwrap()
}

/// Compares a file of a chart with what is made from its values, or writes it.
fn check(chart: &str, file: &str, made: &str) {
    if std::env::var_os("UPDATE_CHARTS").is_some() {
        fs::write(path(chart, file), made).unwrap();
    } else {
        let committed = fs::read_to_string(path(chart, file)).unwrap_or_default();
        assert!(committed == made, "charts/{chart}/{file} is out of date: run `make generate`");
    }
}

/// The version is written in Cargo.toml alone; everything else that names it is made from there.
#[test]
fn charts_have_the_version_of_the_workspace() {
    for chart in CHARTS {
        let with_version = |line: &str| match line.split_once(": ") {
            Some((key @ ("version" | "appVersion"), _)) => {
                format!("{key}: {}\n", env!("CARGO_PKG_VERSION"))
            }
            _ => format!("{line}\n"),
        };
        let made: String = text(chart, "Chart.yaml").lines().map(with_version).collect();
        check(chart, "Chart.yaml", &made);
    }
}

#[test]
fn the_schema_is_made_from_the_values() {
    for chart in CHARTS {
        let values = values::read(&text(chart, "values.yaml")).unwrap();
        check(chart, "values.schema.json", &schema::of(&values));
    }
}

#[test]
fn the_readme_lists_every_value() {
    for chart in CHARTS {
        let values = values::read(&text(chart, "values.yaml")).unwrap();
        check(chart, "README.md", &readme::with_table(&text(chart, "README.md"), &values));
    }
}
