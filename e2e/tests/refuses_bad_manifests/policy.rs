//! Specs whose tools, audit or limits are bad.

use serde_json::{Value, json};

use super::Bad;

pub(super) fn parts() -> Vec<Bad> {
    const NO_MATCH: &str = "should match";
    let oauth = |value: Value| json!({"auth": {"oauth": value}});
    let tools = |field: &str, value: Value| json!({"tools": {field: value}});
    let limits = |field: &str, value: Value| json!({"limits": {field: value}});
    vec![
        ("a tool that is none", tools("allow", json!(["list_topic"])), "\"list_topics\""),
        ("a group that is none", tools("deny", json!(["topic/*"])), "\"topics/*\""),
        ("a tool twice", tools("deny", json!(["execute_sql", "execute_sql"])), "Duplicate value"),
        (
            "a confirmation that is none",
            tools("confirm", json!("always")),
            "supported values: \"destructive\", \"required\", \"never\"",
        ),
        (
            "a rule that says nothing",
            tools("rules", json!([{"environments": ["prod*"]}])),
            "a rule says nothing",
        ),
        (
            "a rule for all before another",
            tools(
                "rules",
                json!([
                    {"environments": ["*"], "scopes": []}, {"environments": ["a"], "scopes": []}
                ]),
            ),
            "write it last",
        ),
        (
            "a rule for no environment",
            tools("rules", json!([{"environments": [], "scopes": []}])),
            "at least 1 items",
        ),
        (
            "a rule for what is no name",
            tools("rules", json!([{"environments": ["prod:"], "scopes": []}])),
            NO_MATCH,
        ),
        (
            "a rule with a scope that is none",
            tools("rules", json!([{"environments": ["a"], "scopes": ["admin"]}])),
            "supported values: \"read\", \"write\", \"delete\"",
        ),
        ("a client id with a comma", oauth(json!({"allowedClients": ["a,b"]})), NO_MATCH),
        (
            "two audit outputs",
            json!({"observability": {"audit": {"stdout": {}, "disabled": {}}}}),
            "exactly one of audit.stdout",
        ),
        (
            "an audit file on no volume",
            json!({"observability": {"audit": {"file": {"path": "/var/log/a"}}}}),
            "is on no volume",
        ),
        (
            "an audit file by a relative path",
            json!({"observability": {"audit": {"file": {"path": "audit.jsonl"}}}}),
            NO_MATCH,
        ),
        ("two environments in one", tools("environments", json!(["dev,prod"])), NO_MATCH),
        ("no row", limits("sqlMaxRows", json!(0)), "greater than or equal to 1"),
        (
            "a query longer than its request",
            limits("sqlTimeout", json!("1m")),
            "lower the one or raise the other",
        ),
        (
            "a request shorter than its query",
            limits("requestTimeout", json!("10s")),
            "lower the one or raise the other",
        ),
        ("a request of two hours", limits("requestTimeout", json!("2h")), "from 1s to 1h"),
        ("a query of no time", limits("sqlTimeout", json!("0s")), "from 1s to 1h"),
        (
            "a reply of ten bytes",
            limits("responseMaxBytes", json!(10)),
            "greater than or equal to 1024",
        ),
        (
            "calls below zero",
            limits("callsPerMinutePerUser", json!(-1)),
            "greater than or equal to 0",
        ),
        (
            "no call at a time",
            limits("concurrentCallsPerUser", json!(0)),
            "greater than or equal to 1",
        ),
        ("a body of 64 bytes", limits("bodyMaxBytes", json!(64)), "greater than or equal to 1024"),
        (
            "a body of a gigabyte",
            limits("bodyMaxBytes", json!(1 << 30)),
            "less than or equal to 67108864",
        ),
        ("no connection", limits("connectionsPerAddress", json!(0)), "greater than or equal to 1"),
        (
            "failed sign-ins below zero",
            limits("failedSignInsPerMinute", json!(-1)),
            "greater than or equal to 0",
        ),
        ("a proxy by its name", limits("trustedProxies", json!(["proxy"])), NO_MATCH),
        ("everyone a proxy", limits("trustedProxies", json!(["::/0"])), "trusts every client"),
    ]
}
