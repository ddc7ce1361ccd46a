//! What is offered, and what keeps the rest away.

use serde_json::json;

use super::*;

fn selectors(texts: &[&str]) -> Vec<ToolSelector> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn denied(policy: &ToolPolicy, tool: &str) -> Option<Denied> {
    policy.denied(tools::registry().find(tool).unwrap())
}

#[test]
fn lists_name_tools_and_groups_and_denying_wins() {
    let policy = ToolPolicy::new(Options {
        allow: selectors(&["topics/*", "delete_consumer_group"]),
        deny: selectors(&["create_topic"]),
        ..Options::default()
    });
    for (tool, expected) in [
        ("list_topics", None),
        ("delete_consumer_group", None),
        ("create_topic", Some(Denied::DenyList)),
        ("list_environments", Some(Denied::AllowList)),
        ("list_consumer_groups", Some(Denied::AllowList)),
    ] {
        assert_eq!(denied(&policy, tool), expected, "{tool}");
    }
}

#[test]
fn a_name_that_no_tool_has_is_refused_with_the_nearest() {
    for (text, nearest) in [
        ("list_topic", "list_topics"),
        ("topics/", "topics/*"),
        ("topic/*", "topics/*"),
        ("get_topics", "get_topic"),
        ("LIST_TOPICS", ""),
    ] {
        let error = text.parse::<ToolSelector>().unwrap_err();
        assert!(error.nearest.starts_with(nearest), "{text}: {error}");
    }
}

#[test]
fn read_only_leaves_what_reads_and_of_sql_the_statements_that_read() {
    let policy = ToolPolicy::new(Options { read_only: true, ..Options::default() });
    assert_eq!(policy.scopes(), Scope::Read.into());
    assert_eq!(denied(&policy, "create_topic"), Some(Denied::ReadOnly));
    assert_eq!(denied(&policy, "execute_sql"), None);
    let sql = tools::registry().find("execute_sql").unwrap();
    for (statement, expected) in [
        ("SELECT * FROM t", None),
        ("DROP TABLE t", Some(Denied::ReadOnly)),
        ("what?", Some(Denied::ReadOnly)),
    ] {
        let arguments = json!({ "environment": "dev", "sql": statement });
        assert_eq!(policy.denied_call(sql, arguments.as_object()), expected, "{statement}");
    }
}

#[test]
fn only_offered_environments_can_be_named_in_whichever_argument() {
    let environments = ["dev".parse().unwrap()].into();
    let policy = ToolPolicy::new(Options { environments, ..Options::default() });
    for (tool, arguments, expected) in [
        ("list_topics", json!({ "environment": "dev" }), None),
        ("list_topics", json!({ "environment": "prod" }), Some(Denied::Environment)),
        ("list_topics", json!({ "environment": "DEV" }), Some(Denied::Environment)),
        ("get_environment", json!({ "name": "prod" }), Some(Denied::Environment)),
        ("get_environment", json!({ "name": "dev" }), None),
        // What names no environment fails on its arguments.
        ("list_topics", json!({}), None),
        ("list_environments", json!({}), None),
    ] {
        let tool = tools::registry().find(tool).unwrap();
        assert_eq!(
            policy.denied_call(tool, arguments.as_object()),
            expected,
            "{tool:?} {arguments}"
        );
    }
}

#[test]
fn sign_in_asks_for_no_scope_for_what_is_not_offered() {
    let policy =
        ToolPolicy::new(Options { deny: selectors(&["list_topics"]), ..Options::default() });
    assert_eq!(policy.required_scopes("list_topics", None), None);
    assert_eq!(policy.required_scopes("get_topic", None), Some(Scope::Read.into()));
    assert_eq!(policy.required_scopes("rm_rf", None), None);
}

fn ruled(rules: &str) -> ToolPolicy {
    ToolPolicy::new(Options { rules: rules.parse().unwrap(), ..Options::default() })
}

#[test]
fn the_first_rule_that_matches_an_environment_decides() {
    let rules = "prod*: read, deny=execute_sql; staging-*: read write, allow=topics/* \
                 execute_sql; vault: none; sandbox: confirm=never; *: read write delete";
    let policy = ruled(rules);
    let read = Scope::Read.into();
    let by_scope = |scopes| Some(Denied::ScopeByRule(scopes));
    let read_write = [Scope::Read, Scope::Write].into_iter().collect();
    for (tool, environment, expected) in [
        ("list_topics", "prod-eu", None),
        ("list_topics", "PROD", None),
        ("create_topic", "prod", by_scope(read)),
        ("create_topic", "Prod-eu", by_scope(read)),
        ("execute_sql", "prod", Some(Denied::ToolByRule)),
        ("create_topic", "staging-1", None),
        ("delete_consumer_group", "staging-1", Some(Denied::ToolByRule)),
        ("list_topics", "vault", by_scope(ScopeSet::NONE)),
        ("delete_consumer_group", "sandbox", None),
        ("delete_consumer_group", "dev", None),
    ] {
        let tool = tools::registry().find(tool).unwrap();
        let arguments = json!({ "environment": environment });
        let found = policy.denied_call(tool, arguments.as_object());
        assert_eq!(found, expected, "{tool:?} in {environment}");
    }
    let sql = tools::registry().find("execute_sql").unwrap();
    let drop = json!({ "environment": "staging-1", "sql": "DROP TABLE t" });
    assert_eq!(policy.denied_call(sql, drop.as_object()), by_scope(read_write));
    assert!(policy.includes_environment("prod") && !policy.includes_environment("vault"));
    assert!(policy.offers_in("prod", "get_topic") && !policy.offers_in("prod", "execute_sql"));
}

#[test]
fn a_rule_offers_no_more_than_the_general_settings() {
    let rules = "*: read write delete, allow=topics/*".parse().unwrap();
    let deny = selectors(&["get_topic"]);
    let policy = ToolPolicy::new(Options { rules, deny, read_only: true, ..Options::default() });
    for (tool, expected) in [
        ("list_topics", None),
        ("get_topic", Some(Denied::DenyList)),
        ("create_topic", Some(Denied::ReadOnly)),
        ("list_datasets", Some(Denied::EverywhereByRule)),
        ("list_environments", None),
    ] {
        assert_eq!(denied(&policy, tool), expected, "{tool}");
    }
}

#[test]
fn what_no_rule_offers_anywhere_is_not_listed_and_not_asked_for() {
    let (read, all) = (ScopeSet::from(Scope::Read), ScopeSet::ALL);
    let read_write = [Scope::Read, Scope::Write].into_iter().collect();
    for (rules, environments, scopes, create, delete) in [
        ("prod: read", &[][..], all, None, None),
        (
            "prod: read",
            &["prod"],
            read,
            Some(Denied::EverywhereByRule),
            Some(Denied::EverywhereByRule),
        ),
        ("prod: read", &["prod", "dev"], all, None, None),
        ("*: read write", &[], read_write, None, Some(Denied::EverywhereByRule)),
        ("dev: read write delete; *: read", &[], all, None, None),
        ("*: read write delete, deny=topics/*", &[], all, Some(Denied::EverywhereByRule), None),
    ] {
        let policy = ToolPolicy::new(Options {
            rules: rules.parse().unwrap(),
            environments: environments.iter().map(|name| name.parse().unwrap()).collect(),
            ..Options::default()
        });
        assert_eq!(policy.scopes(), scopes, "{rules}");
        assert_eq!(denied(&policy, "create_topic"), create, "{rules}");
        assert_eq!(denied(&policy, "delete_consumer_group"), delete, "{rules}");
        assert_eq!(denied(&policy, "diagnose"), None, "{rules}");
    }
}

#[test]
fn a_rule_says_when_the_user_is_asked_in_its_environments() {
    let policy = ruled("prod: confirm=required; dev*: confirm=never; *: read write delete");
    let tool = tools::registry().find("delete_consumer_group").unwrap();
    for (environment, expected) in
        [("prod", Some(Confirm::Required)), ("dev-1", Some(Confirm::Never)), ("other", None)]
    {
        let arguments = json!({ "environment": environment });
        assert_eq!(policy.confirm(tool, arguments.as_object().unwrap()), expected);
    }
}

#[test]
fn a_bad_rule_is_named_with_what_to_write() {
    for (rules, rule, words) in [
        ("prod", 1, "has no colon"),
        (": read", 1, "pattern of environments' names before the colon"),
        ("*: read; ", 0, ""),
        ("prod*:", 1, "it says nothing"),
        ("a: read; b: raed", 2, "\"raed\" is not a scope"),
        ("a: read none", 1, "none and other scopes"),
        ("a: confirm=always", 1, "write destructive, required or never"),
        ("a: confirm=never, confirm=never", 1, "confirm= is there twice"),
        ("a: allow=topics", 1, "no tool is called \"topics\"; the nearest is topics/*"),
        ("a: deny=", 1, "write names of tools"),
        ("a: only=topics/*", 1, "\"only\" is not known"),
        ("pröd: read", 1, "is no pattern"),
        ("*: read; prod: write", 2, "rule 1 is for every environment"),
        ("a b: read; b: write", 2, "rule 1 has it too"),
    ] {
        match rules.parse::<EnvironmentRules>() {
            Ok(_) => assert_eq!(rule, 0, "{rules}"),
            Err(error) => {
                assert!(error.to_string().contains(words), "{rules}: {error}");
                assert_eq!(error.rule, rule, "{rules}: {error}");
            }
        }
    }
    let many = (0..65).map(|number| format!("e{number}: read")).collect::<Vec<_>>().join(";");
    assert_eq!(many.parse::<EnvironmentRules>().unwrap_err().rule, 65);
}

#[test]
fn what_spans_environments_knows_where_it_is_offered() {
    let policy = ruled("prod*: write; vault: read, deny=consumer-groups/*; *: read");
    let tool = "find_lagging_consumer_groups";
    for (environment, offered) in [("prod", false), ("vault", false), ("dev", true)] {
        assert_eq!(policy.offers_in(environment, tool), offered, "{environment}");
    }
    assert!(policy.depends_on_environment());
    assert!(!ToolPolicy::default().depends_on_environment());
}
