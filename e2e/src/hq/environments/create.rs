//! `POST /api/v1/environments`: an environment whose agent has yet to be installed, with the key
//! that it will connect with.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Environment;
use crate::hq::Hq;
use crate::hq::problem::Problem;
use crate::hq::secret;
use crate::hq::users::{Action, Caller};

const TIERS: [&str; 3] = ["development", "staging", "production"];

/// The body of an environment's creation.
#[derive(Debug, Deserialize)]
struct CreateEnvironment {
    name: String,
    display_name: Option<String>,
    tier: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

impl CreateEnvironment {
    /// Every field that is wrong.
    fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let legal = |character: char| {
            character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-'
        };
        if !(1..=63).contains(&self.name.len())
            || !self.name.chars().all(legal)
            || self.name.starts_with('-')
            || self.name.ends_with('-')
        {
            let rule = "must be 1 to 63 characters of a-z, 0-9 and '-', with no '-' at either end"
                .to_owned();
            faults.push(("name", rule));
        }
        if self
            .display_name
            .as_ref()
            .is_some_and(|name| name.trim().is_empty() || name.chars().count() > 200)
        {
            faults.push(("display_name", "must be 1 to 200 characters".to_owned()));
        }
        if !TIERS.contains(&self.tier.as_str()) {
            faults
                .push(("tier", format!("is {:?}: must be one of {}", self.tier, TIERS.join(", "))));
        }
        if let Some((name, _)) = self.metadata.iter().find(|(_, value)| !value.is_string()) {
            faults.push(("metadata", format!("{name:?} must be a string")));
        }
        faults
    }
}

/// 201 with the environment and its `agent_key`, which is shown this once.
pub(crate) async fn create(
    State(hq): State<Arc<Hq>>,
    caller: Caller,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let asked: CreateEnvironment = serde_json::from_slice(&body)
        .map_err(|error| Problem::invalid_parameter(format!("body: {error}")))?;
    caller.may(Action::CreateEnvironment, &format!("environments:environment:{}", asked.name))?;
    let faults = asked.faults();
    if !faults.is_empty() {
        return Err(Problem::validation(faults));
    }
    let environment = Environment {
        display_name: asked.display_name.unwrap_or_else(|| asked.name.clone()),
        name: asked.name,
        tier: asked.tier,
        metadata: asked.metadata.into(),
        id: Uuid::new_v4(),
        created_at: Timestamp::now().to_string(),
        agent: None,
    };
    let mut reply = environment.to_json();
    hq.environments.add(environment)?;
    if let Some(fields) = reply.as_object_mut() {
        fields.insert("agent_key".to_owned(), secret::generate("agent_key").into());
    }
    Ok((StatusCode::CREATED, Json(reply)))
}
