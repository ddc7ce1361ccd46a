//! `docs/operation.md`: written by hand but for the table of metrics.

use std::{fmt::Write, time::Duration};

use lenses_mcp_server::{
    access_log::Route, auth::CacheHit, completion::Source, lenses::LensesOutcome, metrics::Metrics,
    tools::Outcome,
};
use prometheus_client::encoding::text::encode;

use crate::{cell, check};

const HEAD: &str = "\
# Operating the server

What a running server tells about itself. The admin port (`ADMIN_PORT`, 9090) is for the cluster and not for callers: it has no sign-in, and nothing
secret is on it. Nowhere below is a token, a value of an argument, a statement or a record.

## Log

On standard error, as text or JSON (`LOG_FORMAT`), for a person to read or a collector to parse. A request leaves one line, with its `id`, which the client
has as `x-request-id`: an audit line where it came as far as a tool, a prompt or a resource, and `answered` otherwise. A call that is answered with another status
than 200, or with a stream, leaves both; with `LOG_LEVEL=debug` each does.

| message | what it says |
|---|---|
| `answered` | `method`, `path` (the route, never the query), `status`, `elapsed_ms`, what sign-in decided (`sign_in`), the token's fingerprint (`token`), `subject`, `client_id`, the MCP method (`rpc`), `tool`. Status 499: the client went away |
| `tool called`, `prompt asked for`, `resource read` | the audit line: `subject`, `client_id`, `fingerprint` (the token's), `tool`, `prompt` or the kind of `resource`, the names of its `arguments`, `outcome`, `duration_ms` |

Lines of requests are written as soon as the server has a moment; while it has none they wait together, at most 16 KiB of them. A server that is idle has written
everything. What waits is written too when the server ends by itself (SIGTERM included) and before any other line, such as that of a panic; only a process that
is killed (SIGKILL, out of memory) loses it.
A fingerprint is the first eight hex digits of the token's SHA-256: enough to follow one token through the log, no help in guessing it.

## Probes and diagnostics

| path on the admin port | what it says |
|---|---|
| `/livez` | 200: the process answers |
| `/readyz` | 200: it is configured and listens; 503 once it was told to stop. The health of HQ is HQ's |
| `/metrics` | the metrics below, for Prometheus |
| `/diagnostics` | each link to HQ and each setting of HQ's that sign-in needs, with result, reason and remedy; asked anew at most every 10 s |

```console
kubectl exec deploy/anything-with-curl -- curl -s http://lenses-mcp:9090/diagnostics
```

## Traces

`OTEL_ENABLED=true` sends spans over OTLP to `OTEL_EXPORTER_OTLP_ENDPOINT` (all variables: [settings](settings.md#traces)).

| span | attributes |
|---|---|
| `tools/list` | `mcp.method.name`, `mcp.protocol.version` |
| `tools/call TOOL` | the same, `gen_ai.operation.name`, `gen_ai.tool.name`, `error.type` if it failed (an outcome of `tool_calls` below) |
| `prompts/get PROMPT` | those of `tools/list`, `gen_ai.prompt.name`, `error.type` if it failed (an outcome of `prompts_asked` below) |
| `resources/read KIND` | those of `tools/list`, `lenses.resource`: the kind, never the URI; `error.type` if it failed (an outcome of `resource_reads` below) |
| `lenses OPERATION`, below the call | `lenses.operation`, `error.type` if it failed (an outcome of `lenses_calls` below) |

A request joins the trace of its client: `traceparent` in the request's `_meta`, else the HTTP header. HQ is sent `traceparent` in turn. Sign-in is not in a trace:
it comes before there is a call; its time is in `introspection_duration`. Whether an unsampled client is traced is for `OTEL_TRACES_SAMPLER` to say.

A collector that is slow or gone hinders nothing: at most 2048 spans wait, more are dropped, and the log says so once until it works again. Settings of traces
that can't be used are a warning at start, and no spans.

## Metrics

OpenMetrics. Labels have few values, fixed in the code: no caller can make a new series.
";

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
    metrics.lenses.lenses_called("list_topics", LensesOutcome::Success, Duration::ZERO);
    let mut text = String::new();
    encode(&mut text, metrics.registry()).unwrap();
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
