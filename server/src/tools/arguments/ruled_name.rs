//! Names whose rule is known: what can be no such name is refused before anything is asked.

use std::{borrow::Cow, fmt, marker::PhantomData, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::lenses::Name;

/// What the names of one kind of thing look like.
pub(in crate::tools) trait Rule: Send + Sync + 'static {
    /// The longest name, in characters.
    const MAX: usize;
    /// A regular expression that every name matches.
    const PATTERN: &'static str;
    /// The rule, after "must be".
    const WORDS: &'static str;

    /// Whether a name may hold `c`.
    fn takes(c: char) -> bool;

    /// Whether a name may begin or end with `c`.
    fn takes_at_an_end(c: char) -> bool {
        Self::takes(c)
    }
}

/// A name that keeps the rule `R`.
#[derive(Deserialize)]
#[serde(try_from = "String", bound = "")]
pub(in crate::tools) struct RuledName<R: Rule>(Name, PhantomData<R>);

impl<R: Rule> RuledName<R> {
    pub(in crate::tools) fn into_name(self) -> Name {
        self.0
    }
}

impl<R: Rule> Clone for RuledName<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<R: Rule> fmt::Debug for RuledName<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<R: Rule> fmt::Display for RuledName<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<R: Rule> Deref for RuledName<R> {
    type Target = Name;

    fn deref(&self) -> &Name {
        &self.0
    }
}

impl<R: Rule> TryFrom<String> for RuledName<R> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let name = Name::try_from(text).map_err(|fault| fault.to_string())?;
        let text = name.as_str();
        if text.chars().count() <= R::MAX
            && text.chars().all(R::takes)
            && text.starts_with(R::takes_at_an_end)
            && text.ends_with(R::takes_at_an_end)
        {
            Ok(Self(name, PhantomData))
        } else {
            Err(format!("must be {}, at most {} of them", R::WORDS, R::MAX))
        }
    }
}

impl<R: Rule> JsonSchema for RuledName<R> {
    fn schema_name() -> Cow<'static, str> {
        R::PATTERN.into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": R::MAX,
            "pattern": R::PATTERN,
        })
    }
}

/// Kafka's rule for topics (`org.apache.kafka.common.internals.Topic`).
pub(in crate::tools) struct TopicRule;

impl Rule for TopicRule {
    const MAX: usize = 249;
    const PATTERN: &'static str = "^[a-zA-Z0-9._-]+$";
    const WORDS: &'static str = "ASCII letters, digits, `.`, `_` and `-`";

    fn takes(c: char) -> bool {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
    }
}

/// The name of a topic.
pub(in crate::tools) type TopicName = RuledName<TopicRule>;

/// Lenses' rule for new environments. It makes addresses of their names, so that they are DNS
/// labels (RFC 1123 §2.1) in lower case.
pub(in crate::tools) struct EnvironmentRule;

impl Rule for EnvironmentRule {
    const MAX: usize = 63;
    const PATTERN: &'static str = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";
    const WORDS: &'static str =
        "lower-case letters (a-z), digits and hyphens, with no hyphen at either end";

    fn takes(c: char) -> bool {
        c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
    }

    fn takes_at_an_end(c: char) -> bool {
        c != '-'
    }
}

/// The name of a new environment.
pub(in crate::tools) type EnvironmentName = RuledName<EnvironmentRule>;

/// As [`EnvironmentRule`], and what earlier releases of Lenses may have let through.
pub(in crate::tools) struct KnownEnvironmentRule;

impl Rule for KnownEnvironmentRule {
    const MAX: usize = 255;
    const PATTERN: &'static str = "^[a-zA-Z0-9._-]+$";
    const WORDS: &'static str = "ASCII letters, digits, `-`, `_` and `.`";

    fn takes(c: char) -> bool {
        TopicRule::takes(c)
    }
}

/// The name of an environment that there is.
pub(in crate::tools) type KnownEnvironmentName = RuledName<KnownEnvironmentRule>;

/// Kubernetes' rule for pods and namespaces: a DNS subdomain (RFC 1123 §2.1).
pub(in crate::tools) struct KubernetesRule;

impl Rule for KubernetesRule {
    const MAX: usize = 253;
    const PATTERN: &'static str = "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$";
    const WORDS: &'static str =
        "lower-case letters (a-z), digits, `-` and `.`, with a letter or digit at each end";

    fn takes(c: char) -> bool {
        EnvironmentRule::takes(c) || c == '.'
    }

    fn takes_at_an_end(c: char) -> bool {
        c.is_ascii_alphanumeric()
    }
}

/// The name of a pod or namespace.
pub(in crate::tools) type KubernetesName = RuledName<KubernetesRule>;

#[cfg(test)]
mod tests {
    use super::*;

    fn is_taken<R: Rule>(name: &str) -> bool {
        let taken = RuledName::<R>::try_from(name.to_owned()).is_ok();
        let pattern = regex::Regex::new(R::PATTERN).unwrap();
        let meets = pattern.is_match(name) && name.len() <= R::MAX && !matches!(name, "." | "..");
        // The schema says what is checked. A `$` takes a line break at the end too.
        assert!(taken == meets || name.ends_with('\n'), "{name:?}");
        taken
    }

    #[test]
    fn names_are_taken_by_the_rule_of_what_they_name() {
        for (name, topic, environment, known_environment, kubernetes) in [
            ("a", true, true, true, true),
            ("dev-2", true, true, true, true),
            ("a--b", true, true, true, true),
            ("orders.v2", true, false, true, true),
            ("_schemas", true, false, true, false),
            ("Dev_2", true, false, true, false),
            ("-dev", true, false, true, false),
            ("dev-", true, false, true, false),
            ("...", true, false, true, false),
            (&"x".repeat(63), true, true, true, true),
            (&"x".repeat(64), true, false, true, true),
            (&"x".repeat(249), true, false, true, true),
            (&"x".repeat(250), false, false, true, true),
            (&"x".repeat(254), false, false, true, false),
        ] {
            let taken = (
                is_taken::<TopicRule>(name),
                is_taken::<EnvironmentRule>(name),
                is_taken::<KnownEnvironmentRule>(name),
                is_taken::<KubernetesRule>(name),
            );
            assert_eq!(taken, (topic, environment, known_environment, kubernetes), "{name}");
        }
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_ruled_name() {
        for name in [
            "",
            ".",
            "..",
            "..;",
            "a;b",
            "dev/../prod",
            "a/b",
            "a?b",
            "a#b",
            "%2e%2e",
            "a b",
            "dév",
            "a\\b",
            "dev\n",
            "a\0",
            &"x".repeat(256),
        ] {
            assert!(!is_taken::<TopicRule>(name), "{name:?}");
            assert!(!is_taken::<EnvironmentRule>(name), "{name:?}");
            assert!(!is_taken::<KnownEnvironmentRule>(name), "{name:?}");
            assert!(!is_taken::<KubernetesRule>(name), "{name:?}");
        }
    }
}
