//! SQL processors of an agent, where they can be deployed, and what their pods log.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::agent_error::{AgentError, Refusal};
use super::lock;
use super::proxied::{Body, Proxied};
use super::users::Action;

/// Processors that an environment takes.
const MAX_PROCESSORS: usize = 1_000;
/// The Kubernetes clusters to deploy to, with their namespaces.
const TARGETS: [(&str, &[&str]); 1] = [("incluster", &["analytics", "lenses"])];

/// All SQL processors of an environment, by id.
#[derive(Debug, Default)]
pub(crate) struct Streams(BTreeMap<String, Processor>);

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
    name: String,
    sql: String,
    processor_id: Option<String>,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    deployment: Option<Deployment>,
}

impl CreateProcessor {
    fn check(self, created_by: String) -> Result<Processor, AgentError> {
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
    fn pods(&self) -> Vec<String> {
        match &self.deployment {
            Deployment::InProcess => Vec::new(),
            Deployment::Kubernetes { runners, .. } => {
                (0..*runners).map(|runner| format!("{}-{runner}", self.id)).collect()
            }
        }
    }

    fn runs_in(&self, in_cluster: &str, in_namespace: &str) -> bool {
        matches!(&self.deployment, Deployment::Kubernetes { cluster, namespace, .. }
            if cluster == in_cluster && namespace == in_namespace)
    }

    fn to_json(&self) -> Value {
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

    fn find(&self, id: &str) -> Result<&Processor, AgentError> {
        self.0.get(id).ok_or_else(|| not_found(id))
    }

    fn add(&mut self, processor: Processor) -> Result<Value, AgentError> {
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

fn not_found(id: &str) -> AgentError {
    AgentError::new(
        StatusCode::NOT_FOUND,
        "ProcessorNotFound",
        format!("SQL processor [{id}] not found"),
    )
}

/// `GET …/api/v2/streams`
pub(crate) async fn list(Proxied { agent, caller }: Proxied) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListProcessors, "sql-streaming:processor:*")?;
    let processors: Vec<_> = lock(&agent.streams).0.values().map(Processor::to_json).collect();
    Ok(Json(json!({"processors": processors})))
}

/// `GET …/api/v2/streams/{id}`
pub(crate) async fn show(
    Proxied { agent, caller }: Proxied,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListProcessors, &format!("sql-streaming:processor:{id}"))?;
    Ok(Json(lock(&agent.streams).find(&id)?.to_json()))
}

/// `POST …/api/v2/streams`: 201 with the processor, which runs at once.
pub(crate) async fn create(
    Proxied { agent, caller }: Proxied,
    Body(asked): Body<CreateProcessor>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    caller.may(Action::CreateProcessor, &format!("sql-streaming:processor:{}", asked.name))?;
    let processor = asked.check(caller.name)?;
    Ok((StatusCode::CREATED, Json(lock(&agent.streams).add(processor)?)))
}

/// `DELETE …/api/v1/streams/{id}`: 204.
pub(crate) async fn delete(
    Proxied { agent, caller }: Proxied,
    Path((_, id)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.may(Action::DeleteProcessor, &format!("sql-streaming:processor:{id}"))?;
    lock(&agent.streams).0.remove(&id).ok_or_else(|| not_found(&id))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET …/api/v1/deployment/targets`
pub(crate) async fn targets(Proxied { agent, caller }: Proxied) -> Result<Json<Value>, Refusal> {
    caller.may(Action::ListProcessors, "sql-streaming:processor:*")?;
    let kubernetes: Vec<_> = TARGETS
        .iter()
        .map(|(cluster, namespaces)| json!({"cluster": cluster, "namespaces": namespaces}))
        .collect();
    let connect: Vec<_> =
        lock(&agent.connect).clusters().map(|cluster| json!({"cluster": cluster})).collect();
    Ok(Json(json!({"kubernetes": kubernetes, "connect": connect})))
}

/// `GET …/api/v1/k8s/logs/{cluster}/{namespace}/{pod}/download`: plain text.
pub(crate) async fn logs(
    Proxied { agent, caller }: Proxied,
    Path((_, cluster, namespace, pod)): Path<(String, String, String, String)>,
) -> Result<String, Refusal> {
    caller.may(Action::GetPodLogs, &format!("kubernetes:pod:{cluster}/{namespace}/{pod}"))?;
    let streams = lock(&agent.streams);
    let runs_there = |processor: &&Processor| {
        processor.runs_in(&cluster, &namespace) && processor.pods().contains(&pod)
    };
    let processor = streams.0.values().find(runs_there).ok_or_else(|| {
        let error = format!("pod [{cluster}/{namespace}/{pod}] not found");
        AgentError::new(StatusCode::NOT_FOUND, "PodNotFound", error)
    })?;
    Ok(format!(
        "INFO processor {} starts\nINFO {}\nINFO state is RUNNING\n",
        processor.name, processor.sql
    ))
}
