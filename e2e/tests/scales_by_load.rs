//! Autoscaling: who says how many pods there are, and that the number does not jump when that
//! changes.

use k8s_openapi::api::{
    apps::v1::Deployment, autoscaling::v2::HorizontalPodAutoscaler, policy::v1::PodDisruptionBudget,
};
use kube::{
    Api,
    api::{DeleteParams, PostParams},
};
use lenses_mcp_e2e::bed::{condition, prove, until};
use serde_json::{Value, json};

#[tokio::test]
async fn autoscaling_takes_over_and_gives_back_the_replicas_without_a_jump() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        manifest["spec"]["replicas"] = json!(2);
        bed.apply_until_ready(&manifest).await?;
        let deployments: Api<Deployment> = bed.api();
        let generation = deployments.get("mcp").await?.metadata.generation;

        manifest["spec"]["autoscaling"] = json!({"minReplicas": 2, "maxReplicas": 4});
        bed.apply_until_ready(&manifest).await?;
        let scalers: Api<HorizontalPodAutoscaler> = bed.api();
        until(&scalers, "mcp", "an autoscaler", |scaler| scaler.is_some()).await?;
        let handed_over = deployments.get("mcp").await?;
        // One generation, for the annotation that says who scales; a jump and back would be two
        // more.
        let one_more = generation.map(|generation| generation + 1);
        assert_eq!((replicas(&handed_over), handed_over.metadata.generation), (Some(2), one_more));

        // As the autoscaler does it: through the scale subresource of the Deployment.
        bed.kubectl(&["scale", "deployment/mcp", "--replicas=3"], None).await?;
        manifest["spec"]["endpoint"] = json!({"allowedOrigins": ["https://inspector.example.com"]});
        bed.apply_until_ready(&manifest).await?;
        assert_eq!(
            replicas(&deployments.get("mcp").await?),
            Some(3),
            "a change of the spec took the number back"
        );

        remove(&mut manifest, "autoscaling");
        manifest["spec"]["replicas"] = json!(1);
        let refusal =
            bed.apply(&manifest).await.err().ok_or("a jump to one pod was accepted")?.to_string();
        assert!(refusal.contains("autoscaling is taken away: write replicas"), "{refusal}");
        manifest["spec"]["replicas"] = json!(3);
        bed.apply_until_ready(&manifest).await?;
        until(&scalers, "mcp", "no autoscaler", |scaler| scaler.is_none()).await?;
        assert_eq!(replicas(&deployments.get("mcp").await?), Some(3));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn unwanted_objects_go_and_foreign_ones_are_reported_if_in_conflict() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let scalers: Api<HorizontalPodAutoscaler> = bed.api();
        let theirs: HorizontalPodAutoscaler = serde_json::from_value(json!({
            "metadata": {"name": "mcp"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "theirs"},
                "maxReplicas": 2
            },
        }))?;
        let theirs = scalers.create(&PostParams::default(), &theirs).await?;

        let mut manifest = bed.oauth_server("mcp", &hq);
        manifest["spec"]["replicas"] = json!(2);
        bed.apply_until_ready(&manifest).await?;
        let budgets: Api<PodDisruptionBudget> = bed.api();
        until(&budgets, "mcp", "a disruption budget of two pods", |budget| budget.is_some())
            .await?;
        manifest["spec"]["replicas"] = json!(1);
        bed.apply(&manifest).await?;
        until(&budgets, "mcp", "no disruption budget of one pod", |budget| budget.is_none())
            .await?;

        manifest["spec"]["autoscaling"] = json!({"maxReplicas": 2});
        bed.apply(&manifest).await?;
        let refused = bed.until_reason("mcp", "Accepted", "NameTaken").await?;
        let message = &condition(&refused, "Accepted").ok_or("no condition")?.message;
        assert!(message.contains("HorizontalPodAutoscaler mcp"), "{message}");
        assert_eq!(scalers.get("mcp").await?.spec, theirs.spec);
        scalers.delete("mcp", &DeleteParams::background()).await?;
        bed.apply_until_ready(&manifest).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_changed_or_deleted_autoscaler_or_disruption_budget_is_restored() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        manifest["spec"]["autoscaling"] = json!({"minReplicas": 2, "maxReplicas": 4});
        bed.apply_until_ready(&manifest).await?;
        let (scalers, budgets) =
            (bed.api::<HorizontalPodAutoscaler>(), bed.api::<PodDisruptionBudget>());
        let (scaler, budget) = (scalers.get("mcp").await?.spec, budgets.get("mcp").await?.spec);
        let as_scaled =
            |seen: Option<&HorizontalPodAutoscaler>| seen.is_some_and(|seen| seen.spec == scaler);
        let as_budgeted =
            |seen: Option<&PodDisruptionBudget>| seen.is_some_and(|seen| seen.spec == budget);
        for (kind, change) in
            [("hpa", r#"{"spec":{"maxReplicas":9}}"#), ("pdb", r#"{"spec":{"maxUnavailable":2}}"#)]
        {
            bed.kubectl(&["patch", kind, "mcp", "--type=merge", "--patch", change], None).await?;
            until(&scalers, "mcp", "the autoscaler as it was", as_scaled).await?;
            until(&budgets, "mcp", "the budget as it was", as_budgeted).await?;
            bed.kubectl(&["delete", kind, "mcp"], None).await?;
            until(&scalers, "mcp", "the autoscaler again", as_scaled).await?;
            until(&budgets, "mcp", "the budget again", as_budgeted).await?;
        }
        Ok(())
    })
    .await;
}

fn replicas(deployment: &Deployment) -> Option<i32> {
    deployment.spec.as_ref()?.replicas
}

fn remove(manifest: &mut Value, field: &str) {
    if let Some(spec) = manifest["spec"].as_object_mut() {
        spec.remove(field);
    }
}
