//! What this server offers: whoever runs it decides which scopes, tools and environments there are here at all.
//!
//! What is not offered is not listed and not asked for at sign-in; a call of it is answered with the setting that keeps
//! it away.

use std::{
    collections::{BTreeSet, HashMap},
    str::FromStr,
};

use serde_json::{Map, Value};

use crate::{
    lenses::Name,
    scope::{Scope, ScopeSet},
    tools::{self, Denied, Offer, Tool, Unavailable},
};

/// The tools that a setting names: one by its name, or all of a group as `group/*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolSelector {
    /// The tool of this name.
    Tool(&'static str),
    /// All tools of this group.
    Group(&'static str),
}

impl ToolSelector {
    fn selects(self, tool: &Tool) -> bool {
        match self {
            Self::Tool(name) => tool.name() == name,
            Self::Group(group) => tool.group() == group,
        }
    }
}

/// A text that selects no tool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no tool is called {given:?}; the nearest is {nearest}")]
pub struct UnknownTool {
    given: String,
    nearest: String,
}

impl FromStr for ToolSelector {
    type Err = UnknownTool;

    fn from_str(text: &str) -> Result<Self, UnknownTool> {
        let selectors = tools::registry()
            .iter()
            .map(|tool| (tool.name().to_owned(), Self::Tool(tool.name())))
            .chain(
                tools::registry().groups().map(|group| (format!("{group}/*"), Self::Group(group))),
            );
        let alike = |name: &str| strsim::jaro_winkler(name, text);
        let (nearest, selector) = selectors
            .max_by(|(one, _), (other, _)| alike(one).total_cmp(&alike(other)))
            .ok_or_else(|| UnknownTool { given: text.to_owned(), nearest: String::new() })?;
        if nearest == text {
            Ok(selector)
        } else {
            Err(UnknownTool { given: text.chars().take(64).collect(), nearest })
        }
    }
}

/// What an [`ToolPolicy`] is made from; the default offers everything.
#[derive(Debug, Clone)]
pub struct Options {
    /// `MCP_SCOPES`.
    pub scopes: ScopeSet,
    /// `MCP_READ_ONLY`: only what reads.
    pub read_only: bool,
    /// `MCP_TOOLS_ALLOW`: only these; empty for all.
    pub allow: Vec<ToolSelector>,
    /// `MCP_TOOLS_DENY`: not these, allowed or not.
    pub deny: Vec<ToolSelector>,
    /// `MCP_ENVIRONMENTS`: only these; empty for all.
    pub environments: BTreeSet<Name>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scopes: ScopeSet::ALL,
            read_only: false,
            allow: Vec::new(),
            deny: Vec::new(),
            environments: BTreeSet::new(),
        }
    }
}

/// The offer. Made at start and never changed.
#[derive(Debug, Clone, Default)]
pub struct ToolPolicy {
    options: Options,
    denied: HashMap<&'static str, Denied>,
}

impl ToolPolicy {
    /// The offer that `options` say.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut policy = Self { options, denied: HashMap::new() };
        policy.denied = tools::registry()
            .iter()
            .filter_map(|tool| Some((tool.name(), policy.decide(tool)?)))
            .collect();
        policy
    }

    fn decide(&self, tool: &Tool) -> Option<Denied> {
        let Options { allow, deny, .. } = &self.options;
        if deny.iter().any(|selector| selector.selects(tool)) {
            Some(Denied::DenyList)
        } else if !allow.is_empty() && !allow.iter().any(|selector| selector.selects(tool)) {
            Some(Denied::AllowList)
        } else if !tool.is_visible(self.scopes()) {
            Some(self.beyond_scopes())
        } else {
            None
        }
    }

    /// The scopes that can be of use here: what metadata publishes, and a ceiling for every caller.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        if self.options.read_only {
            self.options.scopes.intersection(Scope::Read.into())
        } else {
            self.options.scopes
        }
    }

    /// The environments to which this server is limited; `None` where it is not.
    #[must_use]
    pub fn environments(&self) -> Option<&BTreeSet<Name>> {
        Some(&self.options.environments).filter(|environments| !environments.is_empty())
    }

    /// Whether the environment of this name is offered.
    #[must_use]
    pub fn includes_environment(&self, name: &str) -> bool {
        self.environments()
            .is_none_or(|environments| environments.iter().any(|offered| offered.as_str() == name))
    }

    /// What keeps `tool` away, whatever it is called with.
    #[must_use]
    pub fn denied(&self, tool: &Tool) -> Option<Denied> {
        self.denied.get(tool.name()).copied()
    }

    /// What keeps a caller with `scopes` from `tool`, whatever it is called with.
    #[must_use]
    pub fn unavailable(&self, tool: &Tool, scopes: ScopeSet) -> Option<Unavailable> {
        if let Some(denied) = self.denied(tool) {
            return Some(Unavailable::Denied(denied));
        }
        let needed = tool.required_scopes(None);
        (!tool.is_visible(scopes.intersection(self.scopes())))
            .then_some(Unavailable::Scopes(needed))
    }

    /// What keeps this call of `tool` away.
    #[must_use]
    pub fn denied_call(
        &self,
        tool: &Tool,
        arguments: Option<&Map<String, Value>>,
    ) -> Option<Denied> {
        self.denied(tool)
            .or_else(|| {
                let environment = tool.environment(arguments)?;
                (!self.includes_environment(environment)).then_some(Denied::Environment)
            })
            .or_else(|| {
                let needed = tool.required_scopes(arguments);
                (!self.scopes().covers(needed)).then(|| self.beyond_scopes())
            })
    }

    /// The scopes that this call needs; `None` where there is no such tool here, so that sign-in asks nobody for more.
    #[must_use]
    pub fn required_scopes(
        &self,
        tool: &str,
        arguments: Option<&Map<String, Value>>,
    ) -> Option<ScopeSet> {
        let tool = tools::registry().find(tool)?;
        match self.denied_call(tool, arguments) {
            Some(_) => None,
            None => Some(tool.required_scopes(arguments)),
        }
    }

    fn beyond_scopes(&self) -> Denied {
        if self.options.read_only { Denied::ReadOnly } else { Denied::Scope }
    }
}

impl Offer for ToolPolicy {
    fn scopes(&self) -> ScopeSet {
        self.scopes()
    }

    fn environments(&self) -> Option<&BTreeSet<Name>> {
        self.environments()
    }

    fn includes_environment(&self, name: &str) -> bool {
        self.includes_environment(name)
    }

    fn unavailable(&self, tool: &str, scopes: ScopeSet) -> Option<Unavailable> {
        self.unavailable(tools::registry().find(tool)?, scopes)
    }
}

#[cfg(test)]
mod tests {
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
}
