//! Sign-in: from a 401 to a tool result, by clients that know nothing but the MCP URL.

use lenses_mcp_e2e::{
    bed::{Bed, SERVICE_ACCOUNT_TOKEN, Trouble, mcp_url, prove},
    client::{Application, Refusal, Revision, Session, Ticks},
};
use rmcp::model::CallToolResult;
use serde_json::{Value, json};

const DEVELOPMENT: &str = "development";

#[tokio::test]
async fn a_client_with_only_the_url_calls_tools_in_both_revisions() {
    prove(|bed| async move {
        let url = oauth_server(&bed).await?;
        for (revision, version) in
            [(Revision::V2026_07_28, "2026-07-28"), (Revision::V2025_11_25, "2025-11-25")]
        {
            let session = Application::new("Claude", &url, "alice")?
                .speaking(revision)
                .sign_in(Ticks::AsAsked)
                .await?;
            assert_eq!(session.protocol_version().as_deref(), Some(version));

            let environments = structured(&session.call("list_environments", json!({})).await?);
            let names: Vec<_> =
                items(&environments["result"]).filter_map(|item| item["name"].as_str()).collect();
            assert!(names.contains(&DEVELOPMENT), "{names:?}");

            let topic = format!("made.by.{}", version.replace('-', "."));
            let made = json!({"environment": DEVELOPMENT, "topic_name": topic, "partitions": "2"});
            assert_ne!(session.call("create_topic", made).await?.is_error, Some(true));
            let seen = json!({"environment": DEVELOPMENT, "topic_name": topic});
            let seen = structured(&session.call("get_topic", seen).await?);
            assert_eq!(seen["topicName"], topic.as_str(), "{seen}");

            let sql = json!({"environment": DEVELOPMENT, "sql": "SELECT * FROM orders LIMIT 3"});
            let rows = structured(&session.call("execute_sql", sql).await?);
            assert_eq!(items(&rows["result"]).count(), 3, "{rows}");
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_read_only_token_learns_the_missing_scope_and_steps_up() {
    prove(|bed| async move {
        let url = oauth_server(&bed).await?;
        let bob = Application::new("VS Code", &url, "bob")?.sign_in(Ticks::Only(&["read"])).await?;
        let listed = tool_names(&bob).await?;
        assert!(listed.contains(&"list_topics".to_owned()), "{listed:?}");
        assert!(
            !listed.contains(&"create_topic".to_owned()),
            "a tool that the token may not call: {listed:?}"
        );

        let arguments = json!({"environment": DEVELOPMENT, "topic_name": "sandbox.bob"});
        let Err(Refusal::InsufficientScope { scope, challenge }) =
            bob.call("create_topic", arguments.clone()).await
        else {
            return Err(
                "a read-only token created a topic, or was not told the scope to ask for".into()
            );
        };
        assert!(scope.split(' ').any(|scope| scope == "write"), "{challenge}");
        assert!(challenge.contains("resource_metadata="), "{challenge}");

        bob.step_up(&scope).await?;
        let made = bob.call("create_topic", arguments).await?;
        assert_ne!(made.is_error, Some(true), "{made:?}");
        assert!(tool_names(&bob).await?.contains(&"create_topic".to_owned()));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_users_rights_in_lenses_hold_whatever_scopes_the_token_has() {
    prove(|bed| async move {
        let url = oauth_server(&bed).await?;
        let bob = Application::new("Cursor", &url, "bob")?.sign_in(Ticks::AsAsked).await?;
        let refused = bob
            .call(
                "delete_consumer_group",
                json!({"environment": DEVELOPMENT, "group_id": "billing"}),
            )
            .await?;
        assert_eq!(refused.is_error, Some(true), "{refused:?}");
        let said = serde_json::to_string(&refused.content)?;
        assert!(said.contains("Lenses HQ does not allow this"), "{said}");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_revoked_application_is_out_at_its_next_call() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let made = bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let alice =
            Application::new("Claude", &mcp_url(&made)?, "alice")?.sign_in(Ticks::AsAsked).await?;
        let before = alice.call("list_environments", json!({})).await?;
        assert_ne!(before.is_error, Some(true), "{before:?}");

        let token = alice.access_token().await?;
        let applications = hq.applications(&token).await?;
        let application =
            items(&applications["items"]).next().ok_or("HQ knows no connected application")?;
        hq.revoke_application(
            &token,
            application["id"].as_str().ok_or("an application without an id")?,
        )
        .await?;

        match alice.call("list_environments", json!({})).await {
            Err(Refusal::Challenge(challenge)) => {
                assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
            }
            other => return Err(format!("a revoked application got {other:?}").into()),
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn with_an_api_key_only_the_callers_token_lets_callers_in() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.secret("lenses", json!({"api-key": SERVICE_ACCOUNT_TOKEN})).await?;
        bed.secret("callers", json!({"token": "for-callers-only-0123456789"})).await?;
        let manifest = bed.api_key_server("mcp", &hq);
        let url = mcp_url(&bed.apply_until_ready(&manifest).await?)?;
        let application = Application::new("a script", &url, "alice")?;
        for wrong in [None, Some("for-callers-only-012345678"), Some(SERVICE_ACCOUNT_TOKEN)] {
            let refusal = application.connect(wrong).await.err();
            assert!(matches!(refusal, Some(Refusal::Challenge(_))), "{wrong:?} got {refusal:?}");
        }
        let session = application.connect(Some("for-callers-only-0123456789")).await?;
        assert_ne!(
            session.call("list_topics", json!({"environment": DEVELOPMENT})).await?.is_error,
            Some(true)
        );
        Ok(())
    })
    .await;
}

async fn oauth_server(bed: &Bed) -> Result<String, Trouble> {
    let hq = bed.hq().await?;
    mcp_url(&bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?)
}

async fn tool_names(session: &Session) -> Result<Vec<String>, Refusal> {
    Ok(session.tools().await?.into_iter().map(|tool| tool.name.into_owned()).collect())
}

fn structured(result: &CallToolResult) -> Value {
    assert_ne!(result.is_error, Some(true), "{result:?}");
    result.structured_content.clone().unwrap_or_default()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}
