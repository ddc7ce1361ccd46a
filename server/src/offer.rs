//! What this server offers: whoever runs it decides which scopes, tools and environments there are here at all.
//!
//! What is not offered is not listed and not asked for at sign-in; a call of it is answered with the setting that keeps
//! it away.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    str::FromStr,
};

use serde_json::{Map, Value};

use crate::{
    lenses::Name,
    scope::{Scope, ScopeSet},
    tools::{self, Tool},
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
            .chain(tools::registry().groups().map(|group| (format!("{group}/*"), Self::Group(group))));
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

/// What an [`Offer`] is made from; the default offers everything.
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
pub struct Offer {
    options: Options,
    withheld: HashMap<&'static str, Withheld>,
}

/// What keeps a tool or a call away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withheld {
    /// It needs a scope that is not offered.
    Scope,
    /// It does not only read.
    ReadOnly,
    /// It is not on the list of what is allowed.
    NotAllowed,
    /// It is on the list of what is denied.
    Denied,
    /// It is for an environment that is not offered.
    Environment,
}

impl Withheld {
    /// The variable that decides it.
    #[must_use]
    pub fn variable(self) -> &'static str {
        match self {
            Self::Scope => "MCP_SCOPES",
            Self::ReadOnly => "MCP_READ_ONLY",
            Self::NotAllowed => "MCP_TOOLS_ALLOW",
            Self::Denied => "MCP_TOOLS_DENY",
            Self::Environment => "MCP_ENVIRONMENTS",
        }
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scope => "it needs a scope that this server does not offer",
            Self::ReadOnly => "this server only reads",
            Self::NotAllowed => "it is not among the tools that this server offers",
            Self::Denied => "this server does not offer it",
            Self::Environment => "this server does not offer that environment",
        })?;
        write!(f, " ({})", self.variable())
    }
}

/// What keeps a caller from a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unavailable {
    /// Nobody can call it here.
    Withheld(Withheld),
    /// The caller's token lacks these scopes.
    Scopes(ScopeSet),
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Withheld(withheld) => withheld.fmt(f),
            Self::Scopes(scopes) => {
                write!(f, "the token lacks the scope `{scopes}`, which the user can allow by signing in again")
            }
        }
    }
}

impl Offer {
    /// The offer that `options` say.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut offer = Self { options, withheld: HashMap::new() };
        offer.withheld = tools::registry().iter().filter_map(|tool| Some((tool.name(), offer.decide(tool)?))).collect();
        offer
    }

    fn decide(&self, tool: &Tool) -> Option<Withheld> {
        let Options { allow, deny, .. } = &self.options;
        if deny.iter().any(|selector| selector.selects(tool)) {
            Some(Withheld::Denied)
        } else if !allow.is_empty() && !allow.iter().any(|selector| selector.selects(tool)) {
            Some(Withheld::NotAllowed)
        } else if !tool.is_visible(self.scopes()) {
            Some(self.beyond_scopes())
        } else {
            None
        }
    }

    /// The scopes that can be of use here: what metadata publishes, and a ceiling for every caller.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        if self.options.read_only { self.options.scopes.intersection(Scope::Read.into()) } else { self.options.scopes }
    }

    /// The environments to which this server is limited; `None` where it is not.
    #[must_use]
    pub fn environments(&self) -> Option<&BTreeSet<Name>> {
        Some(&self.options.environments).filter(|environments| !environments.is_empty())
    }

    /// Whether the environment of this name is offered.
    #[must_use]
    pub fn includes_environment(&self, name: &str) -> bool {
        self.environments().is_none_or(|environments| environments.iter().any(|offered| offered.as_str() == name))
    }

    /// What keeps `tool` away, whatever it is called with.
    #[must_use]
    pub fn withheld(&self, tool: &Tool) -> Option<Withheld> {
        self.withheld.get(tool.name()).copied()
    }

    /// What keeps a caller with `scopes` from `tool`, whatever it is called with.
    #[must_use]
    pub fn unavailable(&self, tool: &Tool, scopes: ScopeSet) -> Option<Unavailable> {
        if let Some(withheld) = self.withheld(tool) {
            return Some(Unavailable::Withheld(withheld));
        }
        let needed = tool.required_scopes(None);
        (!tool.is_visible(scopes.intersection(self.scopes()))).then_some(Unavailable::Scopes(needed))
    }

    /// What keeps this call of `tool` away.
    #[must_use]
    pub fn withheld_call(&self, tool: &Tool, arguments: Option<&Map<String, Value>>) -> Option<Withheld> {
        self.withheld(tool)
            .or_else(|| {
                let environment = tool.environment(arguments)?;
                (!self.includes_environment(environment)).then_some(Withheld::Environment)
            })
            .or_else(|| {
                let needed = tool.required_scopes(arguments);
                (!self.scopes().covers(needed)).then(|| self.beyond_scopes())
            })
    }

    /// The scopes that this call needs; `None` where there is no such tool here, so that sign-in asks nobody for more.
    #[must_use]
    pub fn required_scopes(&self, tool: &str, arguments: Option<&Map<String, Value>>) -> Option<ScopeSet> {
        let tool = tools::registry().find(tool)?;
        match self.withheld_call(tool, arguments) {
            Some(_) => None,
            None => Some(tool.required_scopes(arguments)),
        }
    }

    fn beyond_scopes(&self) -> Withheld {
        if self.options.read_only { Withheld::ReadOnly } else { Withheld::Scope }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selectors(texts: &[&str]) -> Vec<ToolSelector> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn withheld(offer: &Offer, tool: &str) -> Option<Withheld> {
        offer.withheld(tools::registry().find(tool).unwrap())
    }

    #[test]
    fn lists_name_tools_and_groups_and_denying_wins() {
        let offer = Offer::new(Options {
            allow: selectors(&["topics/*", "delete_consumer_group"]),
            deny: selectors(&["create_topic"]),
            ..Options::default()
        });
        for (tool, expected) in [
            ("list_topics", None),
            ("delete_consumer_group", None),
            ("create_topic", Some(Withheld::Denied)),
            ("list_environments", Some(Withheld::NotAllowed)),
            ("list_consumer_groups", Some(Withheld::NotAllowed)),
        ] {
            assert_eq!(withheld(&offer, tool), expected, "{tool}");
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
        let offer = Offer::new(Options { read_only: true, ..Options::default() });
        assert_eq!(offer.scopes(), Scope::Read.into());
        assert_eq!(withheld(&offer, "create_topic"), Some(Withheld::ReadOnly));
        assert_eq!(withheld(&offer, "execute_sql"), None);
        let sql = tools::registry().find("execute_sql").unwrap();
        for (statement, expected) in
            [("SELECT * FROM t", None), ("DROP TABLE t", Some(Withheld::ReadOnly)), ("what?", Some(Withheld::ReadOnly))]
        {
            let arguments = json!({ "environment": "dev", "sql": statement });
            assert_eq!(offer.withheld_call(sql, arguments.as_object()), expected, "{statement}");
        }
    }

    #[test]
    fn only_offered_environments_can_be_named_in_whichever_argument() {
        let environments = ["dev".parse().unwrap()].into();
        let offer = Offer::new(Options { environments, ..Options::default() });
        for (tool, arguments, expected) in [
            ("list_topics", json!({ "environment": "dev" }), None),
            ("list_topics", json!({ "environment": "prod" }), Some(Withheld::Environment)),
            ("list_topics", json!({ "environment": "DEV" }), Some(Withheld::Environment)),
            ("get_environment", json!({ "name": "prod" }), Some(Withheld::Environment)),
            ("get_environment", json!({ "name": "dev" }), None),
            // What names no environment fails on its arguments.
            ("list_topics", json!({}), None),
            ("list_environments", json!({}), None),
        ] {
            let tool = tools::registry().find(tool).unwrap();
            assert_eq!(offer.withheld_call(tool, arguments.as_object()), expected, "{tool:?} {arguments}");
        }
    }

    #[test]
    fn sign_in_asks_for_no_scope_for_what_is_not_offered() {
        let offer = Offer::new(Options { deny: selectors(&["list_topics"]), ..Options::default() });
        assert_eq!(offer.required_scopes("list_topics", None), None);
        assert_eq!(offer.required_scopes("get_topic", None), Some(Scope::Read.into()));
        assert_eq!(offer.required_scopes("rm_rf", None), None);
    }
}
