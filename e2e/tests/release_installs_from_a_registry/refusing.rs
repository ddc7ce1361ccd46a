//! Registries that give no image: one that wants credentials, one that forbids, one that lacks the
//! image, and one that never answers.

use axum::{Json, Router, http::StatusCode};
use kube::Api;
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::bed::{
    Bed, OPERATOR_RELEASE, Trouble, condition, prove_without_operator, until,
};
use serde_json::json;
use tokio::net::TcpListener;

use super::{RELEASE, install, is_refused, namespaces, uninstall};
use crate::registry::{PULL_SECRET, Registry, THIS};

#[tokio::test]
async fn an_image_that_no_registry_gives_is_told_in_the_status() {
    prove_without_operator(|bed| async move {
        let _release = RELEASE.lock().await;
        let registry = Registry::start().await?;
        registry.push(true).await?;
        namespaces(&bed, &registry).await?;
        bed.kubectl(&["delete", "secret", PULL_SECRET], None).await?;
        install(&registry, OPERATOR_RELEASE, THIS).await?;
        // The namespace of the server lacks the pull secret that the chart names.
        let hq = bed.hq().await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        bed.apply(&manifest).await?;
        until_said(&bed, "mcp", "ImagePullFailed", "401 Unauthorized").await?;
        registry.pull_secret(&bed, &bed.namespace).await?;
        bed.until_ready("mcp").await?;

        let cases = [
            ("forbidden", format!("{}/server:1", forbidding().await?), "403 Forbidden"),
            ("lacking", registry.image("nothing:1"), "not found"),
            ("hanging", format!("{}/server:1", hanging().await?), "Pulling image"),
        ];
        for (name, image, _) in &cases {
            manifest["metadata"]["name"] = json!(name);
            manifest["spec"]["image"] = json!(image);
            bed.apply(&manifest).await?;
        }
        for (name, image, said) in &cases {
            let reason = if *name == "hanging" { "RolloutInProgress" } else { "ImagePullFailed" };
            let message = until_said(&bed, name, reason, said).await?;
            assert!(message.contains(image), "{name}: {message}");
            let status = bed.lmcp(&["status", "--namespace", &bed.namespace], "").await?;
            assert!(status.out.contains(&message), "{name}: {}", status.out);
        }
        uninstall(OPERATOR_RELEASE).await?;

        // Of an operator without an image, Helm names the Deployment.
        let nothing = ["--set", "image.repository=lensesio/nothing", "--timeout", "15s"];
        let unavailable = registry.helm(&["install", OPERATOR_RELEASE], THIS, &nothing).await;
        is_refused(&unavailable, "lenses-mcp-operator not ready");
        uninstall(OPERATOR_RELEASE).await
    })
    .await;
}

async fn until_said(bed: &Bed, name: &str, reason: &str, said: &str) -> Result<String, Trouble> {
    let what = format!("{reason} with {said:?}");
    let shown = |server: &LensesMcpServer| {
        let available = condition(server, "Available")?;
        (available.reason == reason && available.message.contains(said))
            .then(|| available.message.clone())
    };
    let servers: Api<LensesMcpServer> = bed.api();
    let seen = until(&servers, name, &what, |server| server.and_then(shown).is_some()).await;
    seen?.as_ref().and_then(shown).ok_or_else(|| "the resource is gone".into())
}

/// The address of a registry that forbids everything, as those in clouds do.
async fn forbidding() -> Result<String, Trouble> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    let denied = json!({"errors": [{"code": "DENIED", "message": "requested access is denied"}]});
    let routes = Router::new().fallback(async move || (StatusCode::FORBIDDEN, Json(denied)));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(address)
}

/// The address of a registry that accepts connections and never answers.
async fn hanging() -> Result<String, Trouble> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            connections.push(connection);
        }
    });
    Ok(address)
}
