//! The three scopes that HQ knows.

use std::collections::BTreeSet;
use std::fmt;

/// A scope of HQ, in the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// See topics, environments, connectors and metadata.
    Read,
    /// Create and update them.
    Write,
    /// Delete them.
    Delete,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Delete];

    /// As it is written in a `scope` parameter.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }

    /// What a person is told on the consent form.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Read => "Read-only access to topics, environments, connectors, and metadata",
            Self::Write => "Create and update connectors, topics, and other resources",
            Self::Delete => "Delete connectors, topics, and other resources",
        }
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Every scope.
    #[must_use]
    pub fn all() -> Self {
        Self(Scope::ALL.into())
    }

    /// Reads a space-separated list (RFC 6749 §3.3). A scope that HQ does not know is ignored,
    /// which that section allows; the token reply tells what was granted.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        Self(
            list.split(' ')
                .filter_map(|name| Scope::ALL.into_iter().find(|scope| scope.as_str() == name))
                .collect(),
        )
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each scope, in order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    /// What both hold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(&self.0 & &other.0)
    }

    /// What either holds.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        Self(&self.0 | &other.0)
    }

    /// Whether `other` holds all of these.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Scope::as_str).collect();
        formatter.write_str(&names.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_list_keeps_what_is_known_in_order() {
        for (list, kept) in [
            ("read", "read"),
            ("delete read", "read delete"),
            ("read read", "read"),
            ("offline_access", ""),
            ("", ""),
            ("READ  write", "write"),
        ] {
            assert_eq!(Scopes::parse(list).to_string(), kept, "{list:?}");
        }
    }
}
