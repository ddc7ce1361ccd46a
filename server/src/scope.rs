//! The three OAuth scopes that Lenses HQ grants and this server offers.

use std::{fmt, str::FromStr};

/// One OAuth scope of the Lenses MCP contract. None contains another: a token for `write` may not
/// read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// See topics, groups, connectors, records and metadata.
    Read,
    /// Create and change them.
    Write,
    /// Delete them.
    Delete,
}

impl Scope {
    /// Every scope, in the order in which they are published.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Delete];

    /// The scope as it stands in tokens, metadata and challenges.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that is not one of the scopes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a scope; the scopes are read, write and delete")]
pub struct UnknownScope(pub String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// A set of scopes. Prints as the space-separated list of RFC 6749 §3.3, in published order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(u8);

impl ScopeSet {
    /// No scope at all.
    pub const NONE: Self = Self(0);
    /// Every scope.
    pub const ALL: Self = Self(0b111);

    /// Whether `scope` is in the set.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether every scope of `needed` is in the set.
    #[must_use]
    pub const fn covers(self, needed: Self) -> bool {
        self.0 & needed.0 == needed.0
    }

    /// Scopes in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Scopes in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes, in published order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }

    /// Reads a token's `scope` value (RFC 7662 §2.2). Scopes that are not ours are passed over: a
    /// token may hold more than this server knows.
    #[must_use]
    pub fn from_token(text: &str) -> Self {
        text.split_ascii_whitespace().filter_map(|word| word.parse::<Scope>().ok()).collect()
    }
}

impl From<Scope> for ScopeSet {
    fn from(scope: Scope) -> Self {
        Self(scope.bit())
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_in_published_order_whatever_the_order_it_was_made_in() {
        let set: ScopeSet = [Scope::Delete, Scope::Read].into_iter().collect();
        assert_eq!(set.to_string(), "read delete");
        assert_eq!(ScopeSet::NONE.to_string(), "");
    }

    #[test]
    fn reads_a_tokens_scopes_and_passes_over_those_of_others() {
        assert_eq!(
            ScopeSet::from_token("  write openid read "),
            [Scope::Read, Scope::Write].into_iter().collect()
        );
        assert_eq!(ScopeSet::from_token("READ"), ScopeSet::NONE);
    }

    #[test]
    fn no_scope_contains_another() {
        let write = ScopeSet::from(Scope::Write);
        assert!(!write.covers(Scope::Read.into()));
        assert!(ScopeSet::ALL.covers(write));
        assert!(write.covers(ScopeSet::NONE));
    }
}
