//! A cluster's name, and what on this machine carries it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The longest name: with the prefix it must fit where a path of a Unix socket does.
const LONGEST: usize = 30;

/// The environment variable that every process of a cluster carries, those of `cluster exec`
/// included.
pub(super) const MARKER: &str = "LENSES_MCP_E2E_CLUSTER";

/// The name of a cluster; `e2e` unless told. Clusters of different names live side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterName(String);

/// A name that a cluster cannot have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cluster name {0:?} must be 1 to {LONGEST} lower-case letters, digits and '-', with a letter \
     or digit at both ends"
)]
pub struct ClusterNameError(String);

impl ClusterName {
    /// Where the cluster's configuration, keys, logs and sockets are while it is up.
    pub(super) fn run_directory(&self) -> PathBuf {
        PathBuf::from("/run").join(self.qualified())
    }

    /// The name with the prefix that sets it apart from other software's: directory and cgroup have
    /// it.
    pub(super) fn qualified(&self) -> String {
        format!("lenses-mcp-e2e-{self}")
    }
}

impl Default for ClusterName {
    fn default() -> Self {
        Self("e2e".to_owned())
    }
}

impl fmt::Display for ClusterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ClusterName {
    type Err = ClusterNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let good = (1..=LONGEST).contains(&name.len())
            && name.chars().all(inner)
            && !name.starts_with('-')
            && !name.ends_with('-');
        if good { Ok(Self(name.to_owned())) } else { Err(ClusterNameError(name.to_owned())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_valid_for_a_directory_a_cgroup_and_a_host() {
        for good in ["e2e", "a", "7", "two-words", "a-1", &"x".repeat(LONGEST)] {
            assert_eq!(
                good.parse::<ClusterName>().map(|name| name.to_string()),
                Ok(good.to_owned())
            );
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a_b",
            "a.b",
            "../x",
            "a/b",
            "a b",
            "é",
            "a\n",
            &"x".repeat(LONGEST + 1),
        ] {
            assert_eq!(bad.parse::<ClusterName>(), Err(ClusterNameError(bad.to_owned())));
        }
    }

    #[test]
    fn different_names_share_no_place() {
        let (one, other): (ClusterName, ClusterName) =
            ("one".parse().unwrap(), "other".parse().unwrap());
        assert_ne!(one.run_directory(), other.run_directory());
        assert_eq!(one.run_directory(), PathBuf::from("/run/lenses-mcp-e2e-one"));
    }
}
