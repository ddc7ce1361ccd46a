//! Rules for environments: `prod*: read; staging-*: read write, confirm=required; *: read`.
//!
//! A rule has patterns of names, a colon, and what holds there: scopes (`none` for none),
//! `confirm=`, `allow=` and `deny=`, with commas between them. The first rule that matches an
//! environment decides. What it does not say is as the general settings have it, and it never
//! offers more than they do.

use std::str::FromStr;

use super::{Glob, ToolSelector};
use crate::{
    scope::{Scope, ScopeSet},
    tools::Tool,
};

/// Most rules.
const RULES_MAX: usize = 64;

/// When the user is asked before a tool runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// Before what cannot be undone, if the client can ask.
    Destructive,
    /// Before what cannot be undone; refused if the client can't ask.
    Required,
    /// Never.
    Never,
}

impl Confirm {
    /// Each with the word that settings have for it.
    pub const WORDS: [(&'static str, Self); 3] =
        [("destructive", Self::Destructive), ("required", Self::Required), ("never", Self::Never)];
}

/// What holds in some environments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentRule {
    environments: Vec<Glob>,
    scopes: Option<ScopeSet>,
    confirm: Option<Confirm>,
    allow: Vec<ToolSelector>,
    deny: Vec<ToolSelector>,
}

impl EnvironmentRule {
    /// The scopes that it offers.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        self.scopes.unwrap_or(ScopeSet::ALL)
    }

    /// When the user is asked, if it says so.
    #[must_use]
    pub fn confirm(&self) -> Option<Confirm> {
        self.confirm
    }

    /// Whether its lists of tools let `tool` through.
    #[must_use]
    pub fn names(&self, tool: &Tool) -> bool {
        let selects = |selector: &ToolSelector| selector.selects(tool);
        (self.allow.is_empty() || self.allow.iter().any(selects)) && !self.deny.iter().any(selects)
    }

    /// Whether it lets some call of `tool` through, where the server offers `scopes`.
    #[must_use]
    pub fn offers(&self, tool: &Tool, scopes: ScopeSet) -> bool {
        self.names(tool) && tool.is_visible(scopes.intersection(self.scopes()))
    }

    fn matches(&self, environment: &str) -> bool {
        self.environments.iter().any(|glob| glob.matches(environment))
    }

    fn is_for_all(&self) -> bool {
        self.environments.iter().any(Glob::is_for_all)
    }
}

/// The rules, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentRules(Vec<EnvironmentRule>);

impl EnvironmentRules {
    /// The rule that decides for `environment`.
    #[must_use]
    pub fn of(&self, environment: &str) -> Option<&EnvironmentRule> {
        self.0.iter().find(|rule| rule.matches(environment))
    }

    /// Whether every environment has a rule.
    #[must_use]
    pub fn are_for_all(&self) -> bool {
        self.0.last().is_some_and(EnvironmentRule::is_for_all)
    }

    /// The rules.
    pub fn iter(&self) -> impl Iterator<Item = &EnvironmentRule> {
        self.0.iter()
    }
}

/// What is wrong with the rules, and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule}: {fault}")]
pub struct RulesError {
    /// Which rule, counted from 1, the one that is missing too.
    pub rule: usize,
    /// What is wrong with it.
    pub fault: String,
}

impl FromStr for EnvironmentRules {
    type Err = RulesError;

    fn from_str(text: &str) -> Result<Self, RulesError> {
        let mut rules: Vec<EnvironmentRule> = Vec::new();
        let texts = text.split(';').map(str::trim).filter(|rule| !rule.is_empty());
        for (position, text) in texts.enumerate() {
            let number = position + 1;
            let error = |fault| RulesError { rule: number, fault };
            if position == RULES_MAX {
                return Err(error(format!("write at most {RULES_MAX} rules")));
            }
            let rule = rule(text).map_err(error)?;
            for (earlier, other) in rules.iter().enumerate() {
                let known = |glob: &&Glob| other.environments.contains(glob);
                let earlier = earlier + 1;
                if other.is_for_all() {
                    return Err(error(format!(
                        "it is never used, because rule {earlier} is for every environment: write \
                         that one last"
                    )));
                }
                if let Some(glob) = rule.environments.iter().find(known) {
                    return Err(error(format!(
                        "\"{glob}\" is never used, because rule {earlier} has it too: write one \
                         rule for it"
                    )));
                }
            }
            rules.push(rule);
        }
        if rules.is_empty() {
            let fault = "it is missing: write environments, a colon and what holds there, such as \
                         prod*: read";
            return Err(RulesError { rule: 1, fault: fault.to_owned() });
        }
        Ok(Self(rules))
    }
}

fn rule(text: &str) -> Result<EnvironmentRule, String> {
    let Some((patterns, offer)) = text.split_once(':') else {
        return Err(format!(
            "{:?} has no colon: write environments, a colon and what holds there, such as \
             prod*: read",
            shown(text)
        ));
    };
    let globs = words(patterns).map(str::parse).collect::<Result<Vec<Glob>, _>>();
    let environments = globs.map_err(|error| error.to_string())?;
    if environments.is_empty() {
        return Err("write a pattern of environments' names before the colon, such as *".to_owned());
    }
    let mut rule = EnvironmentRule { environments, ..EnvironmentRule::default() };
    let mut is_none = false;
    let mut key_before = None;
    for item in offer.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let key = item.split_once('=').map(|(key, _)| key.trim());
        let key_before = std::mem::replace(&mut key_before, key);
        match item.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
            None => {
                for word in words(item) {
                    is_none |= word == "none";
                    let scopes = if word == "none" {
                        ScopeSet::NONE
                    } else {
                        scope(word, key_before)?.into()
                    };
                    rule.scopes = Some(rule.scopes.unwrap_or_default().union(scopes));
                }
            }
            Some(("confirm", value)) if rule.confirm.is_none() => {
                rule.confirm = Some(confirm(value)?);
            }
            Some(("allow", value)) if rule.allow.is_empty() => rule.allow = selectors(value)?,
            Some(("deny", value)) if rule.deny.is_empty() => rule.deny = selectors(value)?,
            Some((key @ ("confirm" | "allow" | "deny"), _)) => {
                return Err(format!("{key}= is there twice: write it once"));
            }
            Some((key, _)) => {
                return Err(format!(
                    "{:?} is not known: write confirm=, allow= or deny=",
                    shown(key)
                ));
            }
        }
    }
    if is_none && rule.scopes != Some(ScopeSet::NONE) {
        return Err("it has none and other scopes: write one of them".to_owned());
    }
    let EnvironmentRule { scopes, confirm, allow, deny, .. } = &rule;
    if scopes.is_none() && confirm.is_none() && allow.is_empty() && deny.is_empty() {
        return Err("it says nothing: write scopes (read, write, delete, or none), confirm=, \
                    allow= or deny= after the colon"
            .to_owned());
    }
    Ok(rule)
}

/// With blanks or commas between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', ',']).filter(|word| !word.is_empty())
}

/// `key_before` is what the item before sets: a list of tools there goes on up to the next comma.
fn scope(word: &str, key_before: Option<&str>) -> Result<Scope, String> {
    word.parse().map_err(|_| match key_before {
        Some(key @ ("allow" | "deny")) if word.parse::<ToolSelector>().is_ok() => {
            format!(
                "{:?} is not a scope: write the tools after {key}= with blanks between them, \
                     not commas",
                shown(word)
            )
        }
        _ => format!("{:?} is not a scope: write read, write and delete, or none", shown(word)),
    })
}

fn confirm(word: &str) -> Result<Confirm, String> {
    let known = Confirm::WORDS.iter().find(|(known, _)| *known == word);
    known.map(|(_, confirm)| *confirm).ok_or_else(|| {
        format!("confirm={:?} is not known: write destructive, required or never", shown(word))
    })
}

fn selectors(text: &str) -> Result<Vec<ToolSelector>, String> {
    let selectors = words(text).map(str::parse).collect::<Result<Vec<ToolSelector>, _>>();
    match selectors {
        Ok(selectors) if selectors.is_empty() => {
            Err("write names of tools or group/* after allow= and deny=".to_owned())
        }
        Ok(selectors) => Ok(selectors),
        Err(error) => Err(error.to_string()),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}
