//! `docs/operator.md`: written by hand but for the table of metrics. `make generate` writes it, by
//! running this with `UPDATE_DOCS=1`.

use std::{collections::BTreeMap, fmt::Write, fs, time::Duration};

use lenses_mcp_operator::metrics::{ConditionLabels, Gauges, Metrics, Outcome};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operator.md");

const HEAD: &str = "\
# Operating the operator

What the process `lenses-mcp-operator run` tells about itself. Install it with
[its chart](../charts/lenses-mcp-operator/README.md). The servers that it runs have
[a page of their own](operation.md).

## Settings and exit status

`lenses-mcp-operator run --help` lists the settings. Each is a flag and an environment variable. All
of them are checked before anything starts.

| exit status | meaning |
|---|---|
| 0 | SIGTERM or SIGINT ended it |
| 1 | it could not go on: the admin port is taken, or the Lease was lost. The log says what |
| 78 | a setting cannot be used. Standard error names the flag, the environment variable and the value of the chart |

## Log

On standard error: JSON (`log.format: json`, the default), or text. Text has colours on a terminal
only, and none if `NO_COLOR` is set.

## Probes

On the admin port, 9090:

| path | what it says |
|---|---|
| `/livez` | 200: the process answers |
| `/readyz` | 200: the process waits for the Lease that another process holds, or it holds the Lease and has listed every kind once. 503 with a reason: it has not reached the API server or the Lease, or a kind could not be listed |
| `/metrics` | the metrics below, for Prometheus |

## The Lease

One process at a time works. The others wait, and take over within 19 seconds if the Lease is no
longer renewed, or at once if it was given up. A Lease that was deleted is made again by the process
that works.

## Metrics

OpenMetrics. Labels have few values, fixed in the code: no resource has a series of its own. Only the
process that works has anything to say of resources, verifications and upgrades. `process_*` is read
from Linux at each scrape.

| metric | type | what it counts |
|---|---|---|
";

#[test]
fn the_page_of_the_operator_lists_every_metric() {
    let metrics = Metrics::default();
    // A family is shown once it has a series.
    metrics.reconciled(Outcome::Settled, 0.0);
    metrics.failed("read");
    metrics.requested("get", Some(200));
    metrics.missed("Secret", 1);
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
