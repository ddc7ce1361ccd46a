//! An HQ that only a proxy with credentials can reach: its name is known to nobody else.

#![cfg(target_os = "linux")]

mod forward_proxy;

use forward_proxy::{ForwardProxy, PASSWORD, USERNAME};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{condition, mcp_url, prove, until},
    client::{Application, Ticks},
};
use serde_json::json;

/// Where the proxy finds HQ.
const OUTSIDE: &str = "hq.outside.test";
/// Lets the operator use the credentials for its own checks.
const LABEL: [&str; 4] = ["label", "secret", "proxy", "mcp.lenses.io/operator-may-read=true"];

#[tokio::test]
async fn tools_sql_sign_in_and_verification_go_through_the_proxy() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let proxy = ForwardProxy::start(OUTSIDE, &bed.host(hq.name())).await?;
        bed.secret("proxy", json!({"username": USERNAME, "password": "another"})).await?;
        bed.kubectl(&LABEL, None).await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        manifest["spec"]["lenses"] = json!({
            "url": format!("http://{OUTSIDE}:9991"),
            "advertisedUrl": hq.issuer(),
            "proxy": {"url": proxy.url(), "credentialsSecretRef": {"name": "proxy"}},
        });
        manifest["spec"]["verification"] = json!({"interval": "10s"});
        bed.apply(&manifest).await?;
        let servers = bed.api::<LensesMcpServer>();
        until(&servers, "mcp", "a proxy that refuses", |server| {
            server
                .and_then(|server| condition(server, "LensesReachable"))
                .is_some_and(|condition| condition.status == "False")
        })
        .await?;
        assert_eq!(proxy.asked(), [""; 0], "without the password");

        let of_server = ["get", "pods", "-l", "app.kubernetes.io/instance=mcp", "-o", "name"];
        let with_the_wrong_password = bed.kubectl(&of_server, None).await?;
        bed.kubectl(&["delete", "secret", "proxy"], None).await?;
        bed.secret("proxy", json!({"username": USERNAME, "password": PASSWORD})).await?;
        bed.kubectl(&LABEL, None).await?;
        let made = bed.until_ready("mcp").await?;
        // Pods with the wrong password serve until the new ones are ready.
        for pod in with_the_wrong_password.lines() {
            bed.kubectl(&["wait", "--for=delete", pod, "--timeout=90s"], None).await?;
        }
        let application = Application::new("Claude", &mcp_url(&made)?, "alice")?;
        let session = application.sign_in(Ticks::AsAsked).await?;
        let sql = json!({"environment": "development", "sql": "SELECT * FROM orders LIMIT 1"});
        for (tool, arguments) in [("list_environments", json!({})), ("execute_sql", sql)] {
            let result = session.call(tool, arguments).await?;
            assert_ne!(result.is_error, Some(true), "{tool}: {result:?}");
        }
        // The websocket, and what is not one: nobody else knows where HQ is.
        let asked = proxy.asked();
        let tunnels = asked.iter().filter(|asked| **asked == format!("CONNECT {OUTSIDE}:9991"));
        assert!(tunnels.clone().count() > 0 && tunnels.count() < asked.len(), "{asked:?}");
        Ok(())
    })
    .await;
}
