//! What a client sees when HQ is away: wait and come back, not "throw your token away".

use lenses_mcp_e2e::{
    bed::{mcp_url, prove},
    client::{Application, Refusal, Ticks},
};
use serde_json::json;

#[tokio::test]
async fn a_lost_hq_is_503_with_retry_after_until_it_is_back() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let made = bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let alice =
            Application::new("Claude", &mcp_url(&made)?, "alice")?.sign_in(Ticks::AsAsked).await?;
        for away in [
            json!({"down": true}),
            json!({"introspection": {"status": 500}}),
            json!({"introspection": "garbage"}),
            json!({"introspection": "html"}),
            json!({"introspection": "refuse"}),
        ] {
            hq.set_faults(&away).await?;
            match alice.call("list_environments", json!({})).await {
                Err(Refusal::Status { status: 503, retry_after: Some(_) }) => {}
                other => return Err(format!("with HQ {away} the client got {other:?}").into()),
            }
            hq.set_faults(&json!({})).await?;
            let result = alice.call("list_environments", json!({})).await?;
            assert_ne!(result.is_error, Some(true), "after {away}: {result:?}");
        }
        Ok(())
    })
    .await;
}
