//! The `PodDisruptionBudget`: how many pods a drain of nodes may take at a time.

use k8s_openapi::{
    api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec},
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};
use lenses_mcp_crds::DisruptionBudget;

use super::metadata;
use crate::{controller::validate::ValidServer, names::selector};

pub(super) fn build(server: &ValidServer, budget: &DisruptionBudget) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata: metadata(server),
        spec: Some(PodDisruptionBudgetSpec {
            selector: Some(LabelSelector {
                match_labels: Some(selector(&server.name)),
                ..LabelSelector::default()
            }),
            min_available: budget.min_available.clone(),
            max_unavailable: budget
                .max_unavailable
                .clone()
                .or_else(|| budget.min_available.is_none().then_some(IntOrString::Int(1))),
            // A pod that does not serve is no reason to keep a node from being drained.
            unhealthy_pod_eviction_policy: Some("AlwaysAllow".to_owned()),
        }),
        ..PodDisruptionBudget::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{metadata_json, oauth_server, valid};

    #[test]
    fn the_whole_object_with_each_budget() {
        for (budget, min_available, max_unavailable) in [
            (json!({}), json!(null), json!(1)),
            (json!({ "maxUnavailable": "25%" }), json!(null), json!("25%")),
            (json!({ "minAvailable": 2 }), json!(2), json!(null)),
        ] {
            let mut server = oauth_server();
            server.spec.disruption_budget = serde_json::from_value(budget).unwrap();
            let mut spec = json!({
                "selector": { "matchLabels": {
                    "app.kubernetes.io/name": "lenses-mcp-server", "app.kubernetes.io/instance": "team-mcp",
                } },
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            });
            for (name, value) in
                [("minAvailable", min_available), ("maxUnavailable", max_unavailable)]
            {
                if !value.is_null() {
                    spec[name] = value;
                }
            }
            let wanted = json!({
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": metadata_json(),
                "spec": spec,
            });
            assert_eq!(
                serde_json::to_value(build(&valid(&server), &server.spec.disruption_budget))
                    .unwrap(),
                wanted
            );
        }
    }
}
