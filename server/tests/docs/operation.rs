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

const HEAD: &str = "\
# Operating the server

What a running server tells about itself. The admin port (`ADMIN_PORT`: 9090 in the operator's pods, 9464 elsewhere) is for the cluster and not for callers: it has no sign-in, and nothing
secret is on it. Nowhere below is a token, a value of an argument, a statement or a record.

## Log

On standard error, as text or JSON (`LOG_FORMAT`), for a person to read or a collector to parse. Calls of tools, prompts and resources are recorded in the
[audit stream](audit.md), which is not the log. A request that has an audit line and is answered with 200 has no line in the log, unless `LOG_LEVEL` is `debug`
or `trace`. Each line has the request's `id`, which the client has as `x-request-id`.

| message | what it says |
|---|---|
| `answered` | `method`, `path` (the route, never the query), `status`, `elapsed_ms`, what sign-in decided (`sign_in`), the token's fingerprint (`token`), `subject`, `client_id`, the MCP method (`rpc`), `tool`. `(unknown)` stands for a method or a tool that this server does not have. Status 499: the client went away |
| `tool called`, `prompt asked for`, `resource read` | in place of the audit line, if `MCP_AUDIT=off`: `name`, `outcome`, `duration_ms` |

A thread of its own writes the log, so a standard error that nobody reads blocks nothing. At most
1 MiB waits to be written. Further lines are dropped and counted (`log_lines_dropped` below). Once
the log is read again, it says how many were lost.

An idle server writes a line within 5 ms. At its end (SIGTERM included) the server waits up to one
second until everything is written. Only a process that is killed (SIGKILL, out of memory) loses
lines.

A line is at most `MCP_LOG_LINE_MAX_BYTES` long. A text that does not fit ends with `…`. The JSON
line then has a member `truncated`; the text line ends with `… (cut)`.

A fingerprint is the first eight hex digits of the token's SHA-256: enough to follow one token through the log, no help in guessing it.

## Probes and diagnostics

| path on the admin port | what it says |
|---|---|
| `/livez` | 200: the process answers |
| `/readyz` | 200: it can take requests. 503 with a reason: it was told to stop, or it turns callers away ([below](#connections)). The health of HQ is HQ's |
| `/metrics` | the metrics below, for Prometheus |
| `/diagnostics` | each link to HQ and each setting of HQ's that sign-in needs, with result, reason and remedy; asked anew at most every 10 s; and HQ's version, asked anew at most once a minute |

```console
kubectl port-forward deploy/lenses-mcp 9090 &
curl -s http://localhost:9090/diagnostics
```

The port answers to `localhost`, to the address at which it is dialled (as the kubelet and Prometheus dial a pod), and to the hosts of the MCP endpoint on any port
(`MCP_ALLOWED_HOSTS`). Any other `Host` gets 403, so that no web page can read it by a name of its own.

If `ADMIN_PORT` is not set and another program has port 9464, the server logs a warning and starts without these endpoints.

## Proxies

`HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` hold for Lenses HQ (its API, its websocket, sign-in) and for the collector of traces. Loopback addresses are reached directly, unless
`MCP_PROXY_LOOPBACK=true`. A websocket over plain HTTP is opened by CONNECT. Only `http://` proxies are used. `MCP_PROXY_USERNAME` and `MCP_PROXY_PASSWORD` are the credentials for
a proxy whose URL has none; either may be in a file (`..._FILE`). The log at the start and `--check` say which address is reached through
which proxy, without the credentials.

## Connections

| bound | setting | what happens to one more, or to one that takes longer |
|---|---|---|
| connections of one address | `MCP_CONNECTIONS_PER_ADDRESS` | the longest-idle connection of that address is closed |
| all connections | 4 × `MCP_MAX_CONCURRENT_REQUESTS` | the longest-idle connection is closed |
| head of a request, TLS handshake | `MCP_HEAD_TIMEOUT` | the connection is closed |
| write without progress | `MCP_WRITE_TIMEOUT` | the connection is closed |
| time between two requests | `MCP_IDLE_TIMEOUT` | the connection is closed |

- A connection is idle if it has no request, if the head of its request is not complete, if the
  server reads the rest of a refused body, or if its client has taken nothing of a response for 5 s.
- Any other connection with a request in flight is never closed for another. If none is idle, the new
  connection is closed.
- IPv6 clients are counted by their /64 network, because a client chooses addresses in it freely.
- A pipelined request waits until the response before it has been written.
- The admin port has the same times and 32 connections. If none of them is idle, the one whose
  request has taken the longest is closed, so that a probe always gets an answer.

`/readyz` answers 503 if new connections have been closed for 5 s because all are busy, and if that
is still so. A shorter peak does not change it.

Behind a load balancer or an ingress, all connections come from a few addresses. List these in
`MCP_TRUSTED_PROXIES`. They are then not bounded per address, and the server takes the address of
the client from their `Forwarded` (RFC 7239) or `X-Forwarded-For` header:

- The server reads the header from the right and skips trusted proxies. The first other address is
  the client.
- If that part of the header is malformed, or if the two headers disagree, the client is the proxy.
- From any other peer, both headers are ignored.

List only proxies that set or append one of the two headers. A proxy that passes on what the client
sent lets the client choose its address.

## Requests and memory

| bound | setting | what happens beyond it |
|---|---|---|
| requests and streams of one user | `MCP_CONCURRENT_REQUESTS_PER_USER` | 429 with `Retry-After` |
| requests and streams in total | `MCP_MAX_CONCURRENT_REQUESTS` | 503 with `Retry-After` |
| requests of one user per minute | `MCP_CALLS_PER_MINUTE_PER_USER` | 429 with `Retry-After` |
| bytes of one body | `MCP_MAX_BODY_BYTES` | 413 |
| JSON values and keys of one body | 20,000 | JSON-RPC error -32600 |
| nesting of one body | 64 levels | JSON-RPC error -32600 |
| time from the head to the end of a body | `MCP_BODY_TIMEOUT` | 408, and the connection is closed |
| bytes of bodies, of HQ's replies and of answers in memory | `MCP_MEMORY_BUDGET_BYTES` | wait up to 1 s; then 503 for a body or an answer, an error of the tool for a reply |
| calls that wait for the user's answer to a question | 8 for one user, 64 in total | an error of the tool: try again once the open questions are answered |

- The order is: sign-in, calls per minute, body, message, scope, place of the user, place in total.
  A request that waits for HQ's word on its token, or for its body, takes no place of others.
- A client's answer to a question needs no place: the call that waits for it may have the last one.
- An answer counts, with the replies of HQ that it is made of, until the client has taken all of it.
  A short one, of up to 16 KiB, is never refused.
- A user is the token's `sub`, else its `client_id`. Without both, and with an API key, it is the
  client's address.
- One user can have a quarter of the memory budget. One reply of HQ can have as much. By default
  the budget is a quarter of the memory limit of the container.
- An eighth of the budget is kept for bodies and replies of up to 16 KiB, so that they do not wait
  behind long ones.
- Each request counts as a call, whatever its method, because HQ is asked about its token.
- `limit` shows the bounds that a setting sets. `limit_in_flight` shows what is in use of the places
  and of the memory budget, in total. `limit_exceeded` counts what each of them refused. The calls
  per minute have `calls_per_minute_per_user_limit` and `calls_rate_limited` ([metrics](#metrics)).
  A refusal for JSON values, keys or nesting is not counted.

`/readyz` answers 503 if requests have been refused for 5 s because all places in total are taken,
and if that is still so.

## Traces

`OTEL_ENABLED=true` sends spans over OTLP to `OTEL_EXPORTER_OTLP_ENDPOINT` (all variables: [settings](settings.md#traces)).

Names are those of OpenTelemetry's [conventions for MCP](https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md).

| span | attributes |
|---|---|
| each method, such as `tools/list` | `mcp.method.name`, `mcp.protocol.version`, `jsonrpc.request.id`, `network.transport` (`tcp`, or `pipe` over stdio) |
| `tools/call TOOL` | the same, `gen_ai.operation.name`, `gen_ai.tool.name`, `lenses.outcome` (as of `tool_calls` below) |
| `prompts/get PROMPT` | those of each method, `gen_ai.prompt.name`, `lenses.outcome` (as of `prompts_asked` below) |
| `resources/read KIND` | those of each method, `lenses.resource`: the kind, never the URI; `lenses.outcome` (as of `resource_reads` below) |
| `lenses OPERATION`, below the method | `lenses.operation`, `error.type` if it failed (an outcome of `lenses_calls` below) |

A method that failed has the status `ERROR` and `error.type`: `tool_error` for a tool's result that is an error, the code of a JSON-RPC error (also in
`rpc.response.status_code`), or `cancelled`. What this server does not know, such as a misspelt tool, is `(unknown)`.

A request joins the trace of its client: `traceparent` in the request's `_meta`, else the HTTP header. HQ is sent `traceparent` in turn; without
`OTEL_ENABLED`, that of the client as it is. Sign-in is not in a trace:
it comes before there is a call; its time is in `introspection_duration`. Whether an unsampled client is traced is for `OTEL_TRACES_SAMPLER` to say.

A collector that is slow or gone hinders nothing: at most 2048 spans wait, more are dropped, and the log says so once until it works again. Settings of traces
that can't be used are a warning at start, and no spans.

## Metrics

OpenMetrics. Labels have few values, fixed in the code: no caller can make a new series.

`mcp_server_operation_duration_seconds` is `mcp.server.operation.duration` of OpenTelemetry's conventions, with their names for labels: `mcp_method_name`,
`gen_ai_tool_name`, `gen_ai_prompt_name`, `lenses_resource`, `error_type`, `rpc_response_status_code`, `network_transport`, `mcp_protocol_version`. A bucket names the last
sampled trace that fell into it as an exemplar (`trace_id`); Prometheus keeps it with `--enable-feature=exemplar-storage`. `process_*` is read from Linux at each scrape.
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
