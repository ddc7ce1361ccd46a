//! What this server offers: whoever runs it decides which scopes, tools and environments there are
//! here at all.
//!
//! What is not offered is not listed and not asked for at sign-in; a call of it is answered with
//! the setting that keeps it away.

mod glob;
mod rules;
mod selector;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

pub use self::{
    glob::Glob,
    rules::{Confirm, EnvironmentRule, EnvironmentRules, RulesError},
    selector::{ToolSelector, UnknownTool},
};
use crate::{
    lenses::Name,
    scope::{Scope, ScopeSet},
    tools::{self, Denied, Offer, Tool, Unavailable},
};

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
    /// `MCP_ENVIRONMENT_RULES`: what holds in some environments besides.
    pub rules: EnvironmentRules,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scopes: ScopeSet::ALL,
            read_only: false,
            allow: Vec::new(),
            deny: Vec::new(),
            environments: BTreeSet::new(),
            rules: EnvironmentRules::default(),
        }
    }
}

/// The offer. Made at start and never changed.
#[derive(Debug, Clone)]
pub struct ToolPolicy {
    options: Options,
    denied: HashMap<&'static str, Denied>,
    scopes: ScopeSet,
}

impl Default for ToolPolicy {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl ToolPolicy {
    /// The offer that `options` say.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let read_only = ScopeSet::from(Scope::Read);
        let ceiling = if options.read_only { read_only } else { ScopeSet::ALL };
        let scopes = options.scopes.intersection(ceiling);
        let mut policy = Self { options, denied: HashMap::new(), scopes };
        policy.denied = tools::registry()
            .iter()
            .filter_map(|tool| Some((tool.name(), policy.decide(tool)?)))
            .collect();
        // What no rule offers is of no use, and nobody is asked for it.
        policy.scopes = policy.scopes_of_use();
        policy
    }

    /// The scopes that some call needs.
    fn scopes_of_use(&self) -> ScopeSet {
        let Some(rules) = self.all_rules() else { return self.scopes };
        let offered = tools::registry().iter().filter(|tool| self.denied(tool).is_none());
        let elsewhere = offered
            .filter(|tool| !tool.has_environment())
            .map(|tool| tool.required_scopes(None))
            .fold(ScopeSet::NONE, ScopeSet::union);
        let in_rules = rules.iter().map(|rule| rule.scopes()).fold(elsewhere, ScopeSet::union);
        self.scopes.intersection(in_rules)
    }

    /// The rules that hold somewhere; `None` if there may be an environment without a rule.
    fn all_rules(&self) -> Option<Vec<&EnvironmentRule>> {
        let rules = &self.options.rules;
        match self.environments() {
            Some(named) => named.iter().map(|name| rules.of(name.as_str())).collect(),
            None => rules.are_for_all().then(|| rules.iter().collect()),
        }
    }

    fn decide(&self, tool: &Tool) -> Option<Denied> {
        let Options { allow, deny, .. } = &self.options;
        if deny.iter().any(|selector| selector.selects(tool)) {
            Some(Denied::DenyList)
        } else if !allow.is_empty() && !allow.iter().any(|selector| selector.selects(tool)) {
            Some(Denied::AllowList)
        } else if !tool.is_visible(self.scopes()) {
            Some(self.beyond_scopes())
        } else if tool.has_environment() {
            // Not listed if no environment has it.
            let rules = self.all_rules()?;
            let everywhere = rules.iter().all(|rule| !rule.offers(tool, self.scopes));
            (everywhere && !tool.works_without_environment()).then_some(Denied::EverywhereByRule)
        } else {
            None
        }
    }

    /// The scopes that can be of use here: what metadata publishes, and a ceiling for every caller.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        self.scopes
    }

    /// What is said of asking the user before `tool` runs, for the environment of this call.
    #[must_use]
    pub fn confirm(&self, tool: &Tool, arguments: &Map<String, Value>) -> Option<Confirm> {
        self.options.rules.of(tool.environment(Some(arguments))?)?.confirm()
    }

    /// The environments to which this server is limited; `None` where it is not.
    #[must_use]
    pub fn environments(&self) -> Option<&BTreeSet<Name>> {
        Some(&self.options.environments).filter(|environments| !environments.is_empty())
    }

    /// Whether the environment of this name is offered.
    #[must_use]
    pub fn includes_environment(&self, name: &str) -> bool {
        self.hides_environment(name).is_none()
    }

    /// The variable that keeps the environment of this name away.
    #[must_use]
    pub fn hides_environment(&self, name: &str) -> Option<&'static str> {
        let is_listed =
            |listed: &BTreeSet<Name>| listed.iter().any(|offered| offered.as_str() == name);
        if !self.environments().is_none_or(is_listed) {
            return Some(Denied::Environment.variable());
        }
        let rule = self.options.rules.of(name)?;
        rule.scopes().is_empty().then(|| Denied::ScopeByRule(rule.scopes()).variable())
    }

    /// Whether some call of `tool` may be for the environment of this name.
    #[must_use]
    pub fn offers_in(&self, name: &str, tool: &str) -> bool {
        let tool = tools::registry().find(tool);
        tool.is_some_and(|tool| self.denied_in(name, tool, None).is_none())
    }

    /// What keeps `tool` away from the environment of this name.
    fn denied_in(
        &self,
        name: &str,
        tool: &Tool,
        arguments: Option<&Map<String, Value>>,
    ) -> Option<Denied> {
        let listed = self.environments();
        if listed.is_some_and(|listed| !listed.iter().any(|offered| offered.as_str() == name)) {
            return Some(Denied::Environment);
        }
        let rule = self.options.rules.of(name)?;
        if !rule.names(tool) {
            Some(Denied::ToolByRule)
        } else if rule.scopes().covers(tool.required_scopes(arguments)) {
            None
        } else {
            Some(Denied::ScopeByRule(rule.scopes()))
        }
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
            .or_else(|| self.denied_in(tool.environment(arguments)?, tool, arguments))
            .or_else(|| {
                let needed = tool.required_scopes(arguments);
                (!self.scopes().covers(needed)).then(|| self.beyond_scopes())
            })
    }

    /// The scopes that this call needs; `None` where there is no such tool here, so that sign-in
    /// asks nobody for more.
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

    fn offers_in(&self, name: &str, tool: &str) -> bool {
        self.offers_in(name, tool)
    }

    fn depends_on_environment(&self) -> bool {
        self.environments().is_some() || self.options.rules.iter().next().is_some()
    }

    fn unavailable(&self, tool: &str, scopes: ScopeSet) -> Option<Unavailable> {
        self.unavailable(tools::registry().find(tool)?, scopes)
    }

    fn unavailable_in(
        &self,
        environment: &str,
        tool: &str,
        scopes: ScopeSet,
    ) -> Option<Unavailable> {
        let tool = tools::registry().find(tool)?;
        self.unavailable(tool, scopes).or_else(|| {
            let denied = tool.has_environment().then(|| self.denied_in(environment, tool, None));
            denied.flatten().map(Unavailable::Denied)
        })
    }
}
