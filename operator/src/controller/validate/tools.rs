//! The names in `spec.tools`. The schema lists them; this is for a CRD that is older than the
//! operator, and tells the nearest.

use lenses_mcp_crds::{EnvironmentRule, Tools, tools::selectors};

use super::Rejection;

pub(super) fn check(tools: &Tools, rejections: &mut Vec<Rejection>) {
    let of_rules = tools.rules.iter().flat_map(|EnvironmentRule { allow, deny, .. }| {
        [("spec.tools.rules.allow", allow), ("spec.tools.rules.deny", deny)]
    });
    let named = [("spec.tools.allow", &tools.allow), ("spec.tools.deny", &tools.deny)];
    for (field, name) in named
        .into_iter()
        .chain(of_rules)
        .flat_map(|(field, names)| names.iter().map(move |name| (field, name)))
    {
        let alike = |known: &str| strsim::jaro_winkler(known, name);
        let nearest = selectors()
            .max_by(|one, other| alike(one).total_cmp(&alike(other)))
            .unwrap_or_default();
        if nearest != name {
            let message = format!("no tool is called {name:?}; the nearest is {nearest}");
            rejections.push(Rejection::InvalidSpec { field, message });
        }
    }
    check_environments(&tools.rules, rejections);
}

/// The server does not start with a rule that is never used.
fn check_environments(rules: &[EnvironmentRule], rejections: &mut Vec<Rejection>) {
    for (position, rule) in rules.iter().enumerate() {
        for environment in &rule.environments {
            let earlier = rules.iter().take(position).position(|other| {
                let decides = |known: &String| known == environment || known == "*";
                other.environments.iter().any(decides)
            });
            if let Some(earlier) = earlier {
                let message = format!(
                    "{environment:?} of rule {} is never used, because rule {} decides: leave it \
                     out",
                    position + 1,
                    earlier + 1
                );
                let field = "spec.tools.rules.environments";
                rejections.push(Rejection::InvalidSpec { field, message });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refused(tools: Value) -> Vec<String> {
        let mut rejections = Vec::new();
        check(&serde_json::from_value(tools).unwrap(), &mut rejections);
        rejections.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_name_that_no_tool_has_is_refused_with_the_nearest() {
        let good = json!({ "allow": ["topics/*"], "deny": ["execute_sql"] });
        assert_eq!(refused(good), Vec::<String>::new());
        let rules = json!([{ "environments": ["a"], "allow": ["topic"], "deny": ["sql"] }]);
        assert_eq!(
            refused(json!({ "allow": ["list_topic"], "deny": ["topic/*"], "rules": rules })),
            [
                "spec.tools.allow: no tool is called \"list_topic\"; the nearest is list_topics",
                "spec.tools.deny: no tool is called \"topic/*\"; the nearest is topics/*",
                "spec.tools.rules.allow: no tool is called \"topic\"; the nearest is topics/*",
                "spec.tools.rules.deny: no tool is called \"sql\"; the nearest is sql/*",
            ]
        );
    }

    #[test]
    fn an_unused_rule_is_refused_and_names_the_rule_that_decides() {
        let rule = |environment: &str| json!({ "environments": [environment], "scopes": [] });
        let refused = |environments: &[&str]| {
            let rules: Vec<_> = environments.iter().copied().map(rule).collect();
            refused(json!({ "rules": rules }))
        };
        assert_eq!(refused(&["a", "b*", "*"]), Vec::<String>::new());
        for (environments, words) in [
            (&["a", "a"][..], "\"a\" of rule 2 is never used, because rule 1 decides"),
            (&["a", "*", "b"], "\"b\" of rule 3 is never used, because rule 2 decides"),
        ] {
            let refused = refused(environments);
            assert!(refused.len() == 1 && refused[0].contains(words), "{refused:?}");
        }
    }
}
