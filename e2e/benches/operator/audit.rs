//! The operator's requests, from the API server's audit log.

use std::{collections::BTreeMap, fmt};

use lenses_mcp_e2e::{
    bed::{OPERATOR_NAMESPACE, OPERATOR_RELEASE},
    cluster::{AuditEvent, Cluster},
};

/// How many requests there were, by verb and resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts(BTreeMap<String, usize>);

/// All of the operator's so far but the lease and the watches.
pub(crate) fn requests(cluster: &Cluster) -> Counts {
    let operator = format!("system:serviceaccount:{OPERATOR_NAMESPACE}:{OPERATOR_RELEASE}");
    let mut counts = Counts::default();
    for event in cluster.audit_events().unwrap() {
        let AuditEvent { user, verb, object_ref: Some(object), .. } = event.unwrap() else { continue };
        if user.username == operator && verb != "watch" && object.resource != "leases" {
            *counts.0.entry(format!("{verb} {}", object.in_rules())).or_default() += 1;
        }
    }
    counts
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
