//! What both demos do as a person with an AI client: sign in, be refused, step up, call tools.

use serde_json::{Value, json};

use super::{
    Error,
    steps::{Shown, Steps},
};
use crate::client::{Application, Refusal, Session, Ticks};

/// Signs in to the server at `mcp_url` as an application named `name` and calls tools. Each is one
/// of the `steps`.
///
/// # Errors
/// The first step that fails.
pub(super) async fn call_tools(steps: &mut Steps, name: &str, mcp_url: &str) -> Result<(), Error> {
    let signing_in = Box::pin(sign_in(name, mcp_url, "bob"));
    let bob = steps.take("sign in as bob, who grants `read` only", signing_in).await?.0;
    steps.take("call list_topics", list_topics(&bob)).await?;
    let refused = steps.take("call create_topic: refused, with the scope it needs", refused(&bob));
    let scope = refused.await?.0;
    steps.take("step up and call create_topic again", step_up(&bob, &scope)).await?;
    steps.take("call execute_sql", execute_sql(&bob)).await.map(drop)
}

async fn sign_in(name: &str, mcp_url: &str, person: &str) -> Result<Shown<Session>, Error> {
    let session = Application::new(name, mcp_url, person)?.sign_in(Ticks::Only(&["read"])).await?;
    let words = format!(
        "401, metadata, registration, PKCE, login, consent, token; MCP {}, {} tools",
        session.protocol_version().unwrap_or_default(),
        session.tools().await?.len()
    );
    Ok(Shown(session, words))
}

async fn list_topics(session: &Session) -> Result<Shown<()>, Error> {
    let topics = result(session, "list_topics", json!({"environment": "development"})).await?;
    let names: Vec<_> = topics["result"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|topic| topic["topicName"].as_str())
        .collect();
    if names.is_empty() { Err("no topics".into()) } else { Ok(Shown((), names.join(", "))) }
}

fn new_topic() -> Value {
    json!({"environment": "development", "topic_name": "sandbox.demo"})
}

async fn refused(session: &Session) -> Result<Shown<String>, Error> {
    match session.call("create_topic", new_topic()).await {
        Err(Refusal::InsufficientScope { scope, .. }) => {
            let words = format!("403 insufficient_scope, scope=\"{scope}\"");
            Ok(Shown(scope, words))
        }
        other => Err(format!("expected 403 insufficient_scope, got {other:?}").into()),
    }
}

async fn step_up(session: &Session, scope: &str) -> Result<Shown<()>, Error> {
    session.step_up(scope).await?;
    let made = result(session, "create_topic", new_topic()).await?;
    Ok(Shown((), made["result"].as_str().unwrap_or_default().to_owned()))
}

async fn execute_sql(session: &Session) -> Result<Shown<()>, Error> {
    let sql = "SELECT * FROM orders LIMIT 3";
    let rows =
        result(session, "execute_sql", json!({"environment": "development", "sql": sql})).await?;
    let count = rows["result"].as_array().map_or(0, Vec::len);
    if count == 3 {
        Ok(Shown((), format!("{sql}: {count} rows")))
    } else {
        Err(format!("{count} rows for {sql}").into())
    }
}

async fn result(session: &Session, tool: &'static str, arguments: Value) -> Result<Value, Error> {
    let result = session.call(tool, arguments).await?;
    match (result.is_error, result.structured_content) {
        (Some(true), _) | (_, None) => Err(format!("{tool} answered {:?}", result.content).into()),
        (_, Some(value)) => Ok(value),
    }
}
