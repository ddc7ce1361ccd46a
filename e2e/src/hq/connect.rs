//! What an agent sees of Kafka Connect: clusters, the plugins that they have, and connectors with
//! their tasks.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::agent_error::AgentError;

#[cfg(test)]
mod tests;
pub(crate) mod validate;

use validate::Plugin;

/// Connectors that a cluster takes.
const MAX_CONNECTORS: usize = 1_000;

/// All Kafka Connect clusters of an environment.
#[derive(Debug, Default)]
pub(crate) struct Connect {
    pub(crate) clusters: BTreeMap<String, BTreeMap<String, Connector>>,
}

/// How a connector or a task is, in Kafka Connect's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Running,
    Paused,
    Stopped,
    Failed,
}

/// A connector.
#[derive(Debug, Clone)]
pub(crate) struct Connector {
    pub(crate) state: State,
    pub(crate) config: Map<String, Value>,
    pub(crate) tasks: Vec<Task>,
}

/// One of a connector's tasks; its number is its place.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) state: State,
    /// Why it failed.
    pub(crate) trace: Option<&'static str>,
}

/// What can be done to a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Start,
    Stop,
    Restart,
    Pause,
    Resume,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
        }
    }
}

impl Action {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "start" => Self::Start,
            "stop" => Self::Stop,
            "restart" => Self::Restart,
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            _ => return None,
        })
    }
}

impl Connector {
    /// One that runs, with as many tasks as its settings say.
    pub(crate) fn running(config: Map<String, Value>) -> Self {
        let mut connector = Self { state: State::Running, config, tasks: Vec::new() };
        connector.set(State::Running);
        connector
    }

    /// Brings it into `state`, and those of its tasks that have not failed. A stopped connector has
    /// no tasks.
    fn set(&mut self, state: State) {
        self.state = state;
        if state == State::Stopped {
            self.tasks.clear();
        } else if self.tasks.is_empty() {
            self.tasks = (0..self.tasks_max()).map(|_| Task { state, trace: None }).collect();
        }
        for task in self.tasks.iter_mut().filter(|task| task.state != State::Failed) {
            task.state = state;
        }
    }

    fn tasks_max(&self) -> usize {
        self.text("tasks.max").and_then(|count| count.parse().ok()).unwrap_or(1)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.config.get(name).and_then(Value::as_str)
    }

    pub(crate) fn class(&self) -> &str {
        self.text("connector.class").unwrap_or_default()
    }

    pub(crate) fn to_json(&self, cluster: &str, name: &str) -> Value {
        let task = |(id, task): (usize, &Task)| {
            let worker = format!("{cluster}-{}:8083", id % 2);
            json!({"id": id, "state": task.state.name(), "workerId": worker, "trace": task.trace})
        };
        json!({
            "cluster": cluster,
            "name": name,
            "className": self.class(),
            "type": Plugin::find(self.class()).map(|plugin| plugin.kind),
            "state": self.state.name(),
            "tasks": self.tasks.iter().enumerate().map(task).collect::<Vec<_>>(),
            "config": self.config,
        })
    }
}

impl Connect {
    pub(crate) fn new(clusters: &[&str], connectors: Vec<(&str, &str, Connector)>) -> Self {
        let mut connect = Self {
            clusters: clusters.iter().map(|name| ((*name).to_owned(), BTreeMap::new())).collect(),
        };
        for (cluster, name, connector) in connectors {
            if let Some(cluster) = connect.clusters.get_mut(cluster) {
                cluster.insert(name.to_owned(), connector);
            }
        }
        connect
    }

    /// The names of the clusters.
    pub(crate) fn clusters(&self) -> impl Iterator<Item = &str> {
        self.clusters.keys().map(String::as_str)
    }

    /// How many connectors there are in all.
    pub(crate) fn connectors(&self) -> usize {
        self.clusters.values().map(BTreeMap::len).sum()
    }

    pub(crate) fn cluster(
        &mut self,
        name: &str,
    ) -> Result<&mut BTreeMap<String, Connector>, AgentError> {
        self.clusters.get_mut(name).ok_or_else(|| {
            let error = format!("Kafka Connect cluster [{name}] not found");
            AgentError::new(StatusCode::NOT_FOUND, "ConnectClusterNotFound", error)
        })
    }

    pub(crate) fn connector(
        &mut self,
        cluster: &str,
        name: &str,
    ) -> Result<&mut Connector, AgentError> {
        self.cluster(cluster)?.get_mut(name).ok_or_else(|| not_found(cluster, name))
    }

    /// # Errors
    /// No such cluster, settings that its plugin does not take, a name that is taken, or too many.
    pub(crate) fn create(
        &mut self,
        cluster: &str,
        name: &str,
        config: Map<String, Value>,
    ) -> Result<Value, AgentError> {
        let connectors = self.cluster(cluster)?;
        let faults = validate::faults(&config);
        if !faults.is_empty() {
            return Err(AgentError::invalid(
                faults.into_iter().map(|fault| ("configuration", fault)).collect(),
            ));
        }
        if connectors.contains_key(name) {
            let error = format!("connector [{name}] already exists in cluster [{cluster}]");
            return Err(AgentError::new(StatusCode::CONFLICT, "ConnectorAlreadyExists", error));
        }
        if connectors.len() >= MAX_CONNECTORS {
            let error =
                format!("cluster [{cluster}] takes no more than {MAX_CONNECTORS} connectors");
            return Err(AgentError::new(StatusCode::BAD_REQUEST, "PolicyViolation", error));
        }
        let connector = Connector::running(config);
        let shown = connector.to_json(cluster, name);
        connectors.insert(name.to_owned(), connector);
        Ok(shown)
    }

    pub(crate) fn act(
        &mut self,
        cluster: &str,
        name: &str,
        action: Action,
    ) -> Result<(), AgentError> {
        let connector = self.connector(cluster, name)?;
        match action {
            Action::Stop => connector.set(State::Stopped),
            Action::Pause => connector.set(State::Paused),
            Action::Start | Action::Resume => connector.set(State::Running),
            // As in Kafka Connect: the connector alone, not its tasks.
            Action::Restart => connector.state = State::Running,
        }
        Ok(())
    }

    pub(crate) fn restart_task(
        &mut self,
        cluster: &str,
        name: &str,
        id: &str,
    ) -> Result<(), AgentError> {
        let connector = self.connector(cluster, name)?;
        let task = id.parse::<usize>().ok().and_then(|id| connector.tasks.get_mut(id)).ok_or_else(
            || {
                let error = format!("connector [{name}] has no task {id}");
                AgentError::new(StatusCode::NOT_FOUND, "TaskNotFound", error)
            },
        )?;
        *task = Task { state: State::Running, trace: None };
        Ok(())
    }

    pub(crate) fn delete(&mut self, cluster: &str, name: &str) -> Result<(), AgentError> {
        self.cluster(cluster)?.remove(name).map(|_| ()).ok_or_else(|| not_found(cluster, name))
    }
}

fn not_found(cluster: &str, name: &str) -> AgentError {
    let error = format!("connector [{name}] not found in cluster [{cluster}]");
    AgentError::new(StatusCode::NOT_FOUND, "ConnectorNotFound", error)
}
