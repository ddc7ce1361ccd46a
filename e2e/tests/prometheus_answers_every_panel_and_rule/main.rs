//! A real Prometheus has data for every panel and every alert. A real Prometheus Operator makes its
//! configuration from what the chart and the operator create, and a real kube-state-metrics names
//! resources. `make prometheus` runs this.

#![cfg(target_os = "linux")]

mod monitors;
mod prometheus;
mod questions;
mod state_metrics;

use std::time::{Duration, Instant};

use lenses_mcp_e2e::{
    bed::{Authority, Bed, Hq, INSTALL, Trouble, helm, mcp_url, prove},
    client::{Application, Session, Ticks, client_trusting},
};
use prometheus::Prometheus;
use reqwest::StatusCode;
use serde_json::json;

/// Where `make prometheus` puts the programs.
const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools");
/// The label by which the Prometheus selects monitors and rules.
const LABEL: &str = "release";
const LABEL_VALUE: &str = "prometheus";
/// How long a question may stay without data under traffic.
const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test]
async fn every_panel_and_every_alert_has_data_in_a_real_prometheus() {
    prove(|bed| async move {
        monitors::install_api(&bed).await?;
        install_operator_with_monitoring().await?;
        let (hq, authority) = (bed.hq().await?, Authority::new()?);
        let url = serve(&bed, &hq, &authority).await?;
        break_another(&bed, &hq).await?;

        let _state_metrics = state_metrics::start(&bed).await?;
        let (settings, _monitors) = monitors::settings(&bed).await?;
        let prometheus = Prometheus::start(&bed, &settings).await?;
        prometheus.until_targets_are_up(monitors::jobs(&bed).len()).await?;

        let alice = Application::new("Claude", &url, "alice")?.trusting(authority.pem());
        let alice = alice.sign_in(Ticks::AsAsked).await?;
        let stranger = client_trusting(&authority.pem())?;
        let mut open = questions::all(&bed, &prometheus).await?;
        println!("{} questions", open.len());
        let end = Instant::now() + PATIENCE;
        while !open.is_empty() {
            assert!(Instant::now() < end, "no data for {open:#?}");
            traffic(&hq, &alice, &stranger, &url).await?;
            open = prometheus.without_data(open).await?;
        }
        questions::name_what_is_not_ready(&bed, &prometheus, "broken").await?;
        helm(&INSTALL).await.map(drop)
    })
    .await;
}

/// With all that the chart has for monitoring.
async fn install_operator_with_monitoring() -> Result<(), Trouble> {
    let mut values = Vec::new();
    for object in ["serviceMonitor", "podMonitor", "prometheusRule"] {
        values.push(format!("metrics.{object}.enabled=true"));
        values.push(format!("metrics.{object}.labels.{LABEL}={LABEL_VALUE}"));
    }
    for monitor in ["serviceMonitor", "podMonitor"] {
        values.push(format!("metrics.{monitor}.interval=1s"));
    }
    values.push("metrics.dashboards.enabled=true".to_owned());
    values.push("metrics.customResourceState.enabled=true".to_owned());
    let set = values.iter().flat_map(|value| ["--set", value.as_str()]);
    helm(&INSTALL.into_iter().chain(set).collect::<Vec<_>>()).await.map(drop)
}

/// A server with its own certificate, and the URL at which clients find it.
async fn serve(bed: &Bed, hq: &Hq, authority: &Authority) -> Result<String, Trouble> {
    bed.apply(&authority.config_map("authorities")).await?;
    bed.apply(&authority.secret("certificate", &bed.host("mcp"))?).await?;
    let mut manifest = bed.oauth_server("mcp", hq);
    manifest["spec"]["lenses"]["caBundle"] =
        json!({"configMapKeyRef": {"name": "authorities", "key": "ca.crt"}});
    manifest["spec"]["endpoint"] = json!({"tls": {"secretName": "certificate"}});
    let monitor = json!({"labels": {LABEL: LABEL_VALUE}, "interval": "1s"});
    manifest["spec"]["observability"] = json!({"metrics": {"serviceMonitor": monitor}});
    mcp_url(&bed.apply_until_ready(&manifest).await?)
}

/// A resource of which the API server refuses an object, so that its reconciles fail.
async fn break_another(bed: &Bed, hq: &Hq) -> Result<(), Trouble> {
    bed.apply(&json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "no-more"},
        "spec": {"hard": {"count/deployments.apps": "0"}},
    }))
    .await?;
    let in_force = "--for=jsonpath={.status.hard}";
    bed.kubectl(&["wait", in_force, "resourcequota/no-more", "--timeout=30s"], None).await?;
    bed.apply(&bed.oauth_server("broken", hq)).await?;
    bed.until_reason("broken", "Ready", "ApplyFailed").await.map(drop)
}

/// Calls, and a token that HQ is asked about while it does not answer.
async fn traffic(
    hq: &Hq,
    alice: &Session,
    stranger: &reqwest::Client,
    url: &str,
) -> Result<(), Trouble> {
    alice.call("list_environments", json!({})).await?;
    let sql = json!({"environment": "development", "sql": "SELECT * FROM orders LIMIT 3"});
    alice.call("execute_sql", sql).await?;
    hq.set_faults(&json!({"oauth": {"status": 503}})).await?;
    let answer = stranger.post(url).bearer_auth("nobodys-token").json(&json!({})).send().await?;
    hq.set_faults(&json!({})).await?;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    Ok(())
}
