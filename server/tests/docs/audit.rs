//! `docs/audit.md` and `docs/audit.schema.json`: the fields are those of the types that write them.

use std::fmt::Write;

use lenses_mcp_server::audit;
use serde_json::Value;

use crate::{cell, check};

const HEAD: &str = r#"# Audit

The server records who did what, from where, who decided, and how it ended. One line is one JSON object. The stream is not the log: no `LOG_LEVEL` changes it.
`MCP_AUDIT` says where the lines go:

| `MCP_AUDIT` | where |
|---|---|
| `stdout` | standard output. The default over HTTP; the log is on standard error |
| `file:/path` | the file at this absolute path, which is appended to |
| `off` | nowhere. The default over stdio, where standard output is the protocol: name a file there |

## What is recorded

| event | lines |
|---|---|
| a tool is called, a prompt is given, a resource is read | one at the end, however it ended |
| a change or a deletion, also by SQL | one more with `phase` `started`, before the request goes to Lenses HQ |
| a call is denied: by scope, policy, a limit, the user or HQ | one, with `decision` `denied` and who decided |
| a token is refused | one with `event` `sign_in`. A request without a token is not recorded: each sign-in begins with one |

Lines name environments, topics and other objects. They never hold another argument's value, a statement, a record, a token or a secret. A SQL statement is
recorded by its verbs, its tables and its SHA-256. A text that can be read in several ways has `AMBIGUOUS` in its classes, and only the tables before that place.

```json
{"schema":"lenses-mcp-audit/1","event":"call","request_id":"01a21ee2-9dd2-737a-ae29-b9158ad6e660","peer_address":"10.0.0.1","peer_port":4711,"client_address":"192.0.2.7","subject":"alice","client_id":"claude","token_fingerprint":"7123b71a","method":"tools/call","tool":"execute_sql","environment":"dev","objects":[{"kind":"table","name":"payments"}],"statement_classes":["DROP"],"statement_sha256":"f2944385416be6ce2b6112dc780cce2135737f15c1b6a769071fe522756bcd7e","phase":"finished","time":"2026-11-27T21:00:00.000000Z","decision":"allowed","decided_by":"user","outcome":"success","duration_ms":12.5}
```

Lenses HQ gets the request's id as `x-request-id`, and the client's `traceparent` if it has one, so that both records can be joined. Questions to HQ about
tokens have no id: one answer may serve several requests.

## Collect the stream

- **Kubernetes.** The lines are in the container's output. Container runtimes mark each line with its stream: select `stdout`. If your collector does not keep
  that mark, select the lines that begin with `{"schema":"lenses-mcp-audit/`.
- **Docker.** Without `-t`, `docker run` keeps the two streams apart:

```sh
docker run --rm -p 8000:8000 \
  -e OAUTH_ENABLED=true \
  -e LENSES_URL=https://lenses.example.com \
  -e MCP_ADVERTISED_URL=http://localhost:8000 \
  lensesio/lenses-mcp-server >audit.jsonl 2>server.log
```

- **A file.** Rotate it by rename or by truncation. Between two lines, the server opens the path anew if it leads to another file. On Kubernetes, mount a volume
  in `podTemplate` and let a sidecar read it:

```yaml
observability:
  audit:
    file:
      path: /var/log/lenses-mcp/audit.jsonl
podTemplate:
  spec:
    volumes:
      - name: audit
        emptyDir:
          sizeLimit: 1Gi
    containers:
      - name: lenses-mcp-server
        volumeMounts:
          - name: audit
            mountPath: /var/log/lenses-mcp
      - name: collector
        image: registry.example.com/collector:1
        volumeMounts:
          - name: audit
            mountPath: /var/log/lenses-mcp
            readOnly: true
```

## If the reader is slow

A thread of its own writes the lines, so that no request waits for a reader. At most 1 MiB waits. Further lines are dropped and counted in
`lenses_mcp_audit_lines_dropped_total`, as are lines that cannot be written, for example to a full disk. The log says how many were lost. Alert on that metric.

Refused tokens and refused calls may use half of that room. A flood of them cannot displace the lines of calls.

An idle server writes a line within 5 ms. At its end (SIGTERM included) the server waits up to one second until all is written. Only a process that is killed
(SIGKILL, out of memory) loses lines.

## Fields

A field that does not apply is absent. A text of a caller or of HQ is cut after 255 bytes and then ends with `…`; a line is shorter than 16 KiB. The JSON Schema:
[audit.schema.json](audit.schema.json). `schema` names its version. A field is never removed and never changes its meaning within a version. New fields may be
added: ignore those that you do not know.

| field | type | meaning |
|---|---|---|
"#;

#[test]
fn the_page_of_audit_documents_every_field_and_value() {
    let schema = audit::schema();
    let mut page = HEAD.to_owned();
    let mut values = String::new();
    for (name, field) in schema["properties"].as_object().unwrap() {
        let kind = match (&field["type"], &field["const"], &field["oneOf"]) {
            (Value::String(kind), ..) => kind.clone(),
            (_, Value::String(text), _) => format!("`{text}`"),
            (.., Value::Array(_)) => "string".to_owned(),
            _ => panic!("{name} has no type: {field}"),
        };
        let meaning = field["description"].as_str().unwrap();
        writeln!(page, "| `{name}` | {kind} | {} |", cell(meaning.trim_end_matches('.'))).unwrap();
        for value in field["oneOf"].as_array().into_iter().flatten() {
            let (text, meaning) = (&value["const"], value["description"].as_str().unwrap());
            let (text, meaning) = (text.as_str().unwrap(), meaning.trim_end_matches('.'));
            writeln!(values, "| `{name}` | `{text}` | {} |", cell(meaning)).unwrap();
        }
    }
    page.push_str("\n| field | value | meaning |\n|---|---|---|\n");
    page.push_str(&values);
    let outcomes = lenses_mcp_server::tools::Outcome::ALL.iter().map(|outcome| outcome.as_str());
    let outcomes: Vec<_> = outcomes.map(|outcome| format!("`{outcome}`")).collect();
    writeln!(page, "\n`outcome` is one of {}.", outcomes.join(", ")).unwrap();
    check("audit.md", &page);
    let example = HEAD.lines().find(|line| line.starts_with("{\"schema\"")).unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    jsonschema::validate(&schema, &example).unwrap();
    check("audit.schema.json", &format!("{}\n", serde_json::to_string_pretty(&schema).unwrap()));
}
