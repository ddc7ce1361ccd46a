//! `docs/operation.md`: written by hand but for the table of metrics.

use std::{fmt::Write, fs, path::Path, time::Duration};

use lenses_mcp_server::{
    access_log::Route,
    auth::CacheHit,
    completion::Source,
    lenses::LensesOutcome,
    limits::Slots,
    mcp::{OperationLabels, Revision, Transport},
    metrics::Metrics,
    tls::Certificate,
    tools::Outcome,
    traces::Target,
};
use prometheus_client::encoding::text::encode;
use regex::Regex;

use crate::{cell, check};

const HEAD: &str = include_str!("operation.md.in");

#[test]
fn the_page_of_operation_lists_every_metric() {
    let metrics = Metrics::new();
    // A family is shown once it has a series.
    metrics.http.request_answered(Route::Mcp, 200, Duration::ZERO);
    metrics.auth.introspection_cache_hit(CacheHit::Cached);
    metrics.mcp.tool_called("list_topics", Outcome::Success, Duration::ZERO);
    metrics.mcp.prompt_asked("topics", Outcome::Success);
    metrics.mcp.resource_read("topics", Outcome::Success);
    metrics.mcp.completed(Source::Topic, Outcome::Success);
    metrics.lenses.lenses_called("list_topics", LensesOutcome::Success, Duration::ZERO, None);
    let operation = OperationLabels {
        method: "ping",
        target: Target::Nothing,
        failure: None,
        transport: Transport::Tcp,
        revision: Revision::V2025_11_25,
    };
    metrics.mcp.operation_ended(&operation, Duration::ZERO, None);
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    metrics.tls.in_use(Certificate::Listener, &[key.cert.der().clone()]);
    let _bound = Slots::new(1, metrics.limits.clone());
    let _listener = metrics.connections.of("mcp");
    let mut text = String::new();
    encode(&mut text, metrics.registry()).unwrap();
    for family in families() {
        // MCP's own metrics have no prefix.
        let shown = ["lenses_mcp_", ""].map(|prefix| format!("# HELP {prefix}{family}"));
        assert!(shown.iter().any(|line| text.contains(line)), "{family} has no series here");
    }
    let mut page = format!("{HEAD}\n| metric | type | what it counts |\n|---|---|---|\n");
    let about = |keyword: &str, name: &str| {
        let start = format!("# {keyword} {name} ");
        text.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default().to_owned()
    };
    for name in text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()) {
        let (kind, help) = (about("TYPE", name), about("HELP", name));
        let suffix = if kind == "counter" { "_total" } else { "" };
        writeln!(page, "| `{name}{suffix}` | {kind} | {} |", cell(help.trim_end_matches('.')))
            .unwrap();
    }
    check("operation.md", &page);
}

/// What the server's code registers. A family without a series is not in the exposition.
fn families() -> Vec<String> {
    let name = Regex::new(r#"\.register(?:_with_unit)?\(\s*"([a-z_]+)""#).unwrap();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut families = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            families.extend(name.captures_iter(&text).map(|found| found[1].to_owned()));
        }
    }
    assert!(families.len() > 20, "{families:?}");
    families
}
