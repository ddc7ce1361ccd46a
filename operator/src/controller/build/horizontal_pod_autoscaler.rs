//! The `HorizontalPodAutoscaler` of `spec.autoscaling`. It scales the Deployment, whose `replicas` is then left to it.

use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec,
    MetricTarget, ResourceMetricSource,
};
use lenses_mcp_crds::Autoscaling;

use super::metadata;
use crate::controller::validate::ValidServer;

pub(super) fn build(server: &ValidServer, autoscaling: &Autoscaling) -> HorizontalPodAutoscaler {
    let metrics =
        autoscaling.cpu_target().map(cpu).into_iter().chain(autoscaling.metrics.iter().cloned());
    HorizontalPodAutoscaler {
        metadata: metadata(server),
        spec: Some(HorizontalPodAutoscalerSpec {
            scale_target_ref: CrossVersionObjectReference {
                api_version: Some("apps/v1".to_owned()),
                kind: "Deployment".to_owned(),
                name: server.name.clone(),
            },
            min_replicas: Some(autoscaling.min_replicas),
            max_replicas: autoscaling.max_replicas,
            metrics: Some(metrics.collect()),
            behavior: autoscaling.behavior.clone(),
        }),
        ..HorizontalPodAutoscaler::default()
    }
}

fn cpu(utilization: i32) -> MetricSpec {
    MetricSpec {
        type_: "Resource".to_owned(),
        resource: Some(ResourceMetricSource {
            name: "cpu".to_owned(),
            target: MetricTarget {
                type_: "Utilization".to_owned(),
                average_utilization: Some(utilization),
                ..MetricTarget::default()
            },
        }),
        ..MetricSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controller::fixtures::{metadata_json, oauth_server, valid};

    fn of(autoscaling: Value) -> Value {
        let autoscaling = serde_json::from_value(autoscaling).unwrap();
        serde_json::to_value(build(&valid(&oauth_server()), &autoscaling)).unwrap()
    }

    #[test]
    fn the_whole_object() {
        let cpu = json!({ "type": "Resource", "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 80 } } });
        let wanted = json!({
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": metadata_json(),
            "spec": {
                "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "team-mcp" },
                "minReplicas": 2,
                "maxReplicas": 9,
                "metrics": [cpu],
            },
        });
        assert_eq!(of(json!({ "minReplicas": 2, "maxReplicas": 9 })), wanted);
    }

    #[test]
    fn further_metrics_stand_beside_the_cpu_target_or_in_its_place() {
        let calls = json!({ "type": "Pods", "pods": { "metric": { "name": "calls" }, "target": { "type": "AverageValue", "averageValue": "100" } } });
        let behavior = json!({ "scaleDown": { "stabilizationWindowSeconds": 60 } });
        let spec = |fields: Value| of(fields)["spec"].clone();
        let alone = spec(json!({ "maxReplicas": 9, "metrics": [calls], "behavior": behavior }));
        assert_eq!(
            (&alone["minReplicas"], &alone["metrics"], &alone["behavior"]),
            (&json!(1), &json!([calls]), &behavior)
        );
        let both =
            spec(json!({ "maxReplicas": 9, "metrics": [calls], "targetCPUUtilization": 60 }));
        assert_eq!(both["metrics"][0]["resource"]["target"]["averageUtilization"], 60);
        assert_eq!(both["metrics"][1], calls);
    }
}
