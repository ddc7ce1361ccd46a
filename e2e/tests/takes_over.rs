//! Two operators: one works, the other takes over within seconds.

use k8s_openapi::api::{coordination::v1::Lease, core::v1::Pod};
use kube::{Api, ResourceExt, api::DeleteParams};
use lenses_mcp_e2e::bed::{Bed, INSTALL, OPERATOR_NAMESPACE, Trouble, helm, prove, until};

#[tokio::test]
async fn a_standby_replaces_a_lost_leader_and_the_servers_keep_running() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let before = bed.apply_until_ready(&bed.oauth_server("before", &hq)).await?;
        operators(2).await?;

        let leader = holder(&bed, |_| true).await?;
        let pods: Api<Pod> = Api::namespaced(bed.client.clone(), OPERATOR_NAMESPACE);
        pods.delete(&leader, &DeleteParams::default()).await?;
        holder(&bed, |holder| holder != leader).await?;

        bed.apply_until_ready(&bed.oauth_server("after", &hq)).await?;
        let untouched = bed.api::<lenses_mcp_crds::LensesMcpServer>().get("before").await?;
        assert_eq!(untouched.resource_version(), before.resource_version());
        operators(1).await
    })
    .await;
}

async fn operators(count: u8) -> Result<(), Trouble> {
    let replicas = format!("replicas={count}");
    helm(&[&INSTALL[..], &["--set", &replicas]].concat()).await.map(drop)
}

/// The pod that holds the Lease, once `wanted` is true of it.
async fn holder(bed: &Bed, wanted: impl Fn(&str) -> bool) -> Result<String, Trouble> {
    let leases: Api<Lease> = Api::namespaced(bed.client.clone(), OPERATOR_NAMESPACE);
    let of = |lease: Option<&Lease>| {
        lease?.spec.as_ref()?.holder_identity.clone().filter(|holder| !holder.is_empty())
    };
    let lease = until(&leases, "lenses-mcp-operator", "another holder", |lease| {
        of(lease).is_some_and(|holder| wanted(&holder))
    });
    of(lease.await?.as_ref()).ok_or_else(|| "nobody holds the lease".into())
}
