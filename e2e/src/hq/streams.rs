//! SQL processors of an agent, where they can be deployed, and what their pods log.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::agent_error::AgentError;

/// Processors that an environment takes.
const MAX_PROCESSORS: usize = 1_000;
/// The Kubernetes clusters to deploy to, with their namespaces.
pub(crate) const TARGETS: [(&str, &[&str]); 1] = [("incluster", &["analytics", "lenses"])];

/// All SQL processors of an environment, by id.
#[derive(Debug, Default)]
pub(crate) struct Streams(pub(crate) BTreeMap<String, Processor>);

/// A SQL processor.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Processor {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) sql: String,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) deployment: Deployment,
    pub(crate) created_by: String,
}

/// Where a processor runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "mode", content = "details")]
pub(crate) enum Deployment {
    #[serde(rename = "IN_PROC")]
    InProcess,
    #[serde(rename = "KUBERNETES")]
    Kubernetes { runners: u32, cluster: String, namespace: String },
}

/// The body of a creation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateProcessor {
    pub(crate) name: String,
    sql: String,
    processor_id: Option<String>,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    deployment: Option<Deployment>,
}

impl CreateProcessor {
    pub(crate) fn check(self, created_by: String) -> Result<Processor, AgentError> {
        let mut faults = Vec::new();
        if self.name.trim().is_empty() {
            faults.push(("name", "must not be empty".to_owned()));
        }
        let sql = self.sql.to_uppercase();
        if !(sql.contains("INSERT INTO") && sql.contains("SELECT STREAM")) {
            faults.push(("sql", "must be INSERT INTO … SELECT STREAM …".to_owned()));
        }
        if let Some(Deployment::Kubernetes { runners, cluster, namespace }) = &self.deployment {
            let is_target = TARGETS.iter().any(|(known, namespaces)| {
                cluster == known && namespaces.contains(&namespace.as_str())
            });
            if !is_target {
                faults.push(("deployment", format!("there is no target {cluster}/{namespace}")));
            }
            if !(1..=100).contains(runners) {
                faults.push(("deployment", format!("runners is {runners}: must be from 1 to 100")));
            }
        }
        match self.deployment {
            Some(deployment) if faults.is_empty() => Ok(Processor {
                id: self
                    .processor_id
                    .unwrap_or_else(|| format!("lsql-{}", Uuid::new_v4().simple())),
                name: self.name,
                sql: self.sql,
                description: self.description,
                tags: self.tags,
                deployment,
                created_by,
            }),
            Some(_) => Err(AgentError::invalid(faults)),
            None => {
                faults.push(("deployment", "is required".to_owned()));
                Err(AgentError::invalid(faults))
            }
        }
    }
}

impl Processor {
    pub(crate) fn pods(&self) -> Vec<String> {
        match &self.deployment {
            Deployment::InProcess => Vec::new(),
            Deployment::Kubernetes { runners, .. } => {
                (0..*runners).map(|runner| format!("{}-{runner}", self.id)).collect()
            }
        }
    }

    pub(crate) fn runs_in(&self, in_cluster: &str, in_namespace: &str) -> bool {
        matches!(&self.deployment, Deployment::Kubernetes { cluster, namespace, .. }
            if cluster == in_cluster && namespace == in_namespace)
    }

    pub(crate) fn to_json(&self) -> Value {
        let runners: Vec<_> = self
            .pods()
            .iter()
            .map(|pod| json!({"id": pod, "pod": pod, "state": "RUNNING"}))
            .collect();
        let mut shown = json!(self);
        shown["state"] = "RUNNING".into();
        shown["runners"] = runners.into();
        shown
    }
}

impl Streams {
    pub(crate) fn new(processors: Vec<Processor>) -> Self {
        Self(processors.into_iter().map(|processor| (processor.id.clone(), processor)).collect())
    }

    pub(crate) fn find(&self, id: &str) -> Result<&Processor, AgentError> {
        self.0.get(id).ok_or_else(|| not_found(id))
    }

    pub(crate) fn add(&mut self, processor: Processor) -> Result<Value, AgentError> {
        if self.0.contains_key(&processor.id) {
            let error = format!("SQL processor [{}] already exists", processor.id);
            return Err(AgentError::new(StatusCode::CONFLICT, "ProcessorAlreadyExists", error));
        }
        if self.0.len() >= MAX_PROCESSORS {
            let error =
                format!("the environment takes no more than {MAX_PROCESSORS} SQL processors");
            return Err(AgentError::new(StatusCode::BAD_REQUEST, "PolicyViolation", error));
        }
        let shown = processor.to_json();
        self.0.insert(processor.id.clone(), processor);
        Ok(shown)
    }
}

pub(crate) fn not_found(id: &str) -> AgentError {
    AgentError::new(
        StatusCode::NOT_FOUND,
        "ProcessorNotFound",
        format!("SQL processor [{id}] not found"),
    )
}
