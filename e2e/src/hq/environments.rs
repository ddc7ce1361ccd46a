//! Environments and their agents: `/api/v1/environments`.

use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};
use uuid::Uuid;

use super::approvals::Approvals;
use super::connect::Connect;
use super::kafka::Kafka;
use super::problem::Problem;
use super::queries::Queries;
use super::streams::Streams;
use super::users::{Action, Caller};
use super::{Hq, lock};

pub(crate) mod consumer_groups;
pub(crate) mod create;

/// The most that the stand-in's licence allows.
const MAX_ENVIRONMENTS: usize = 100;

/// All environments, in the order in which HQ lists them. None ever goes.
pub(crate) struct Environments(Mutex<Vec<Environment>>);

/// One environment as HQ keeps it.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) tier: String,
    pub(crate) metadata: Value,
    pub(crate) id: Uuid,
    /// RFC 3339.
    pub(crate) created_at: String,
    /// Connected, or there is nobody to proxy to.
    pub(crate) agent: Option<Arc<Agent>>,
}

/// What an environment's connected agent reaches.
pub(crate) struct Agent {
    pub(crate) kafka: Mutex<Kafka>,
    pub(crate) queries: Queries,
    pub(crate) connect: Mutex<Connect>,
    pub(crate) streams: Mutex<Streams>,
    pub(crate) approvals: Mutex<Approvals>,
}

impl Environments {
    pub(crate) fn new(environments: Vec<Environment>) -> Self {
        Self(Mutex::new(environments))
    }

    /// All of them, as they are now.
    pub(crate) fn all(&self) -> Vec<Environment> {
        lock(&self.0).clone()
    }

    fn find(&self, name: &str) -> Result<Environment, Problem> {
        let found = lock(&self.0).iter().find(|environment| environment.name == name).cloned();
        found.ok_or_else(|| Problem::not_found(&format!("environment {name:?}")))
    }

    /// # Errors
    /// `conflict` when the name is taken, `licence_limitation` when there are too many.
    fn add(&self, environment: Environment) -> Result<(), Problem> {
        let mut all = lock(&self.0);
        if all.iter().any(|known| known.name == environment.name) {
            return Err(Problem::conflict(format!(
                "environment {:?} already exists",
                environment.name
            )));
        }
        if all.len() >= MAX_ENVIRONMENTS {
            return Err(Problem::licence_limitation(format!(
                "the licence allows {MAX_ENVIRONMENTS} environments"
            )));
        }
        all.push(environment);
        Ok(())
    }

    /// The agent that a proxied request goes to.
    ///
    /// # Errors
    /// `not_found` for an unknown environment, `agent_not_connected` when its agent is down.
    pub(crate) fn agent(&self, name: &str) -> Result<Arc<Agent>, Problem> {
        self.find(name)?.agent.ok_or_else(|| Problem::agent_not_connected(name))
    }
}

impl Environment {
    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "display_name": self.display_name,
            "lrn": format!("environments:environment:{}", self.name),
            "id": self.id,
            "created_at": self.created_at,
            "tier": self.tier,
            "metadata": self.metadata,
            "status": self.agent.as_deref().map_or_else(
                || json!({"agent_connected": false}), Agent::status
            ),
        })
    }
}

impl Agent {
    /// One that reaches this Kafka and nothing else.
    pub(crate) fn new(kafka: Kafka) -> Self {
        Self {
            kafka: Mutex::new(kafka),
            queries: Queries::default(),
            connect: Mutex::default(),
            streams: Mutex::default(),
            approvals: Mutex::default(),
        }
    }

    fn status(&self) -> Value {
        let kafka = lock(&self.kafka);
        json!({
            "agent_connected": true,
            "agent": {
                "version": "6.2.0",
                "metrics": {
                    "kafka": {"num_brokers": kafka.brokers()},
                    "data": {"num_topics": kafka.topics().count()},
                    "apps": {"num_consumers": kafka.groups().count()},
                    "connect": {"num_connectors": lock(&self.connect).connectors()},
                    "other": {"num_issues": 0},
                },
            },
        })
    }
}

/// `GET /api/v1/environments`
pub(crate) async fn list(
    State(hq): State<Arc<Hq>>,
    caller: Caller,
) -> Result<Json<Value>, Problem> {
    caller.may(Action::ListEnvironments, "environments:environment:*")?;
    let items: Vec<_> = lock(&hq.environments.0).iter().map(Environment::to_json).collect();
    Ok(Json(json!({"items": items})))
}

/// `GET /api/v1/environments/{name}`
pub(crate) async fn show(
    State(hq): State<Arc<Hq>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    caller.may(Action::GetEnvironment, &format!("environments:environment:{name}"))?;
    Ok(Json(hq.environments.find(&name)?.to_json()))
}
