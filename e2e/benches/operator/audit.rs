//! The operator's requests, from the API server's audit log.

use std::{collections::BTreeMap, fmt};

use lenses_mcp_e2e::{bed::operator_requests, cluster::Cluster};

/// How many requests there were, by verb and resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts(BTreeMap<String, usize>);

/// All of the operator's so far but the lease and the watches.
pub(crate) fn requests(cluster: &Cluster) -> Counts {
    Counts(
        operator_requests(cluster, |verb, object| verb != "watch" && object.resource != "leases")
            .unwrap(),
    )
}

impl Counts {
    pub(crate) fn since(&self, before: &Self) -> Self {
        let less = |(of, count): (&String, &usize)| {
            let new = count - before.0.get(of).unwrap_or(&0);
            (new > 0).then(|| (of.clone(), new))
        };
        Self(self.0.iter().filter_map(less).collect())
    }

    pub(crate) fn writes(&self) -> usize {
        let reads = |of: &str| of.starts_with("get ") || of.starts_with("list ");
        self.0.iter().filter(|(of, _)| !reads(of)).map(|(_, count)| count).sum()
    }

    /// Writes of the resources' status.
    pub(crate) fn of_status(&self) -> usize {
        self.0
            .iter()
            .filter(|(of, _)| of.ends_with("lensesmcpservers/status"))
            .map(|(_, n)| n)
            .sum()
    }

    pub(crate) fn total(&self) -> usize {
        self.0.values().sum()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<_> = self.0.iter().map(|(of, count)| format!("{of} {count}")).collect();
        f.write_str(&each.join(", "))
    }
}
