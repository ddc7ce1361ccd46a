//! A client that calls without a pause sees no failed call, whatever is done to the server and the
//! operator.

use std::time::Duration;

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::{ResourceExt, api::ListParams};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{Authority, Bed, OPERATOR_NAMESPACE, Trouble, condition, mcp_url, prove, until},
    client::{Application, Clients, Ticks, client_trusting},
};
use reqwest::tls::TlsInfo;
use serde_json::json;

/// How many clients of each kind call at the same time.
const OF_EACH_KIND: usize = 2;

#[tokio::test]
async fn no_call_fails_through_rollout_scale_certificate_change_and_operator_restart() {
    prove(|bed| async move {
        let (hq, authority) = (bed.hq().await?, Authority::new()?);
        bed.apply(&authority.config_map("authorities")).await?;
        bed.apply(&authority.secret("certificate", &bed.host("mcp"))?).await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        manifest["spec"]["lenses"]["caBundle"] = json!({
            "configMapKeyRef": {"name": "authorities", "key": "ca.crt"}
        });
        manifest["spec"]["endpoint"] = json!({"tls": {"secretName": "certificate"}});
        // Calls without a pause are more than a person makes: any number is allowed.
        manifest["spec"]["limits"] = json!({"callsPerMinutePerUser": 0});
        let url = mcp_url(&bed.apply_until_ready(&manifest).await?)?;
        let alice = Application::new("Claude", &url, "alice")?
            .trusting(authority.pem())
            .sign_in(Ticks::AsAsked)
            .await?;
        let caller = Application::new("caller", &url, "alice")?.trusting(authority.pem());
        let mut clients = Clients::default();
        let token = alice.access_token().await?;
        clients.start(&caller, &token, OF_EACH_KIND, Duration::ZERO).await?;

        // Another pod template: every pod is replaced.
        let memory = json!({
            "spec": {"resources": {"requests": {"memory": "65Mi"}, "limits": {"memory": "200Mi"}}}
        });
        bed.kubectl(
            &["patch", "lensesmcpserver", "mcp", "--type=merge", "-p", &memory.to_string()],
            None,
        )
        .await?;
        settled(&bed, 1).await?;
        clients.still_call("a rollout").await?;

        bed.kubectl(&["scale", "lensesmcpserver/mcp", "--replicas=3"], None).await?;
        settled(&bed, 3).await?;
        bed.kubectl(&["scale", "lensesmcpserver/mcp", "--replicas=1"], None).await?;
        settled(&bed, 1).await?;
        clients.still_call("scaling up and down").await?;

        bed.kubectl(&["rollout", "restart", "deployment/mcp"], None).await?;
        bed.kubectl(&["rollout", "status", "deployment/mcp", "--timeout=90s"], None).await?;
        settled(&bed, 1).await?;
        clients.still_call("kubectl rollout restart").await?;

        let (pods, before) = (serving(&bed).await?, served_certificate(&url, &authority).await?);
        bed.apply(&authority.secret("certificate", &bed.host("mcp"))?).await?;
        until_another_is_served(&url, &authority, &before).await?;
        assert_eq!(
            serving(&bed).await?,
            pods,
            "a new certificate needs no new pods and no restart"
        );
        clients.still_call("a change of the certificate").await?;

        let operator = ["--namespace", OPERATOR_NAMESPACE];
        bed.kubectl(
            &[&operator[..], &["rollout", "restart", "deployment/lenses-mcp-operator"]].concat(),
            None,
        )
        .await?;
        bed.kubectl(
            &[&operator[..], &["rollout", "status", "deployment/lenses-mcp-operator"]].concat(),
            None,
        )
        .await?;
        clients.still_call("a restart of the operator").await?;

        let calls = clients.end().await?;
        println!("{calls} calls, none failed");
        Ok(())
    })
    .await;
}

/// The spec as it is now serves with that many pods.
async fn settled(bed: &Bed, replicas: i32) -> Result<(), Trouble> {
    until(&bed.api::<LensesMcpServer>(), "mcp", "Ready for the new spec", |server| {
        server.is_some_and(|server| {
            let ready = condition(server, "Ready");
            let status = server.status.as_ref();
            ready.is_some_and(|c| {
                c.status == "True" && c.observed_generation == server.metadata.generation
            }) && status.is_some_and(|status| {
                (status.replicas, status.ready_replicas) == (replicas, replicas)
            })
        })
    })
    .await?;
    // And the pods that were before it are gone.
    until(&bed.api::<Deployment>(), "mcp", "no pod too many", |deployment| {
        let status = deployment.and_then(|deployment| deployment.status.as_ref());
        status.is_some_and(|status| {
            status.replicas == Some(replicas) && status.terminating_replicas.unwrap_or(0) == 0
        })
    })
    .await
    .map(drop)
}

/// The server's pods that are to stay, each with how often it was restarted.
async fn serving(bed: &Bed) -> Result<Vec<(String, i32)>, Trouble> {
    let pods = bed
        .api::<Pod>()
        .list(&ListParams::default().labels("app.kubernetes.io/instance=mcp"))
        .await?;
    let stays = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
    let restarts = |pod: &Pod| {
        let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
        containers.into_iter().flatten().map(|container| container.restart_count).sum()
    };
    let mut pods: Vec<_> = stays.map(|pod| (pod.name_any(), restarts(pod))).collect();
    pods.sort();
    Ok(pods)
}

/// What a client that comes now is shown.
async fn served_certificate(url: &str, authority: &Authority) -> Result<Vec<u8>, Trouble> {
    let answer = client_trusting(&authority.pem())?.get(url).send().await?;
    let certificate = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    certificate.map(<[u8]>::to_vec).ok_or_else(|| "no certificate was shown".into())
}

/// The kubelet brings a changed Secret into pods within about a minute and a half.
async fn until_another_is_served(
    url: &str,
    authority: &Authority,
    before: &[u8],
) -> Result<(), Trouble> {
    let another = async {
        while served_certificate(url, authority).await? == before {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    };
    tokio::time::timeout(Duration::from_mins(3), another).await?
}
