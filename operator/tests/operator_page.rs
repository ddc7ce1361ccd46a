//! `docs/operator.md`: written by hand but for the table of metrics. `make generate` writes it, by
//! running this with `UPDATE_DOCS=1`.

use std::{collections::BTreeMap, fmt::Write, fs, time::Duration};

use lenses_mcp_operator::metrics::{ConditionLabels, Gauges, Metrics, Outcome};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operator.md");

const HEAD: &str = include_str!("operator_page.md.in");

#[test]
fn the_page_of_the_operator_lists_every_metric() {
    let metrics = Metrics::default();
    // A family is shown once it has a series.
    metrics.reconciled(Outcome::Settled, 0.0);
    metrics.failed("read");
    metrics.requested("get", Some(200));
    metrics.checked("Secret", 1);
    let ready = ConditionLabels { condition: "Ready", status: "True" };
    let gauges = Gauges {
        conditions: BTreeMap::from([(ready, 1)]),
        oldest_verification: Some(Duration::ZERO),
        ..Gauges::default()
    };
    let text = metrics.encode(&gauges).unwrap();
    let about = |keyword: &str, name: &str| {
        let start = format!("# {keyword} {name} ");
        text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default()
    };
    let mut page = HEAD.to_owned();
    for name in text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()) {
        let suffix = match about("TYPE", name) {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let (kind, help) = (about("TYPE", name), about("HELP", name).trim_end_matches('.'));
        writeln!(page, "| `{name}{suffix}` | {kind} | {help} |").unwrap();
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, page).unwrap();
    } else {
        let committed = fs::read_to_string(PAGE).unwrap_or_default();
        assert!(committed == page, "docs/operator.md is out of date: run `make generate`");
    }
}
