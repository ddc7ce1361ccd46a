//! A resource in the making, and what is to be said of it.

use lenses_mcp_crds::SERVER_CONTAINER;
use serde_json::{Map, Value, json};

/// What was not converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// The key as it was written, such as `mcp.service.type` or `OTEL_EXPORTER`.
    pub(super) key: String,
    /// Why, and what to do if there is something to do.
    pub(super) text: String,
}

/// A resource in the making.
#[derive(Clone, Debug)]
pub(super) struct Conversion {
    pub(super) name: String,
    pub(super) namespace: String,
    spec: Value,
    /// What is not needed any more.
    pub(super) dropped: Vec<Note>,
    /// What somebody has to decide.
    pub(super) open: Vec<Note>,
    /// Commands that create the Secrets and `ConfigMaps` that the resource names.
    commands: Vec<String>,
    /// What to do with the resource, in order; a step is a sentence and its commands.
    pub(super) steps: Vec<String>,
}

impl Conversion {
    pub(super) fn new(name: &str, namespace: &str) -> Self {
        Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            spec: json!({}),
            dropped: Vec::new(),
            open: Vec::new(),
            commands: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Sets a field of the spec, such as `lenses.url`.
    pub(super) fn set(&mut self, field: &str, value: impl Into<Value>) {
        let mut at = &mut self.spec;
        for part in field.split('.') {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[part];
        }
        *at = value.into();
    }

    /// A field of the spec; null if it is not set.
    pub(super) fn get(&self, field: &str) -> &Value {
        field.split('.').fold(&self.spec, |at, part| &at[part])
    }

    /// Adds to a list of the spec.
    pub(super) fn push(&mut self, field: &str, item: Value) {
        let mut items = self.get(field).as_array().cloned().unwrap_or_default();
        items.push(item);
        self.set(field, items);
    }

    /// Adds a variable of the server's container.
    pub(super) fn add_pod_variable(&mut self, variable: &Value) {
        let field = "podTemplate.spec.containers";
        let mut container = self.get(field)[0].clone();
        if !container.is_object() {
            container = json!({ "name": SERVER_CONTAINER, "env": [] });
        }
        if let Some(variables) = container["env"].as_array_mut() {
            variables.push(variable.clone());
        }
        self.set(field, vec![container]);
    }

    pub(super) fn drop_key(&mut self, key: impl Into<String>, why: impl Into<String>) {
        self.dropped.push(Note { key: key.into(), text: why.into() });
    }

    pub(super) fn leave_open(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.open.push(Note { key: key.into(), text: what.into() });
    }

    /// The name of an object that is to be created, which begins with the resource's.
    pub(super) fn object_name(&self, suffix: &str) -> String {
        format!("{}-{suffix}", self.name)
    }

    /// A command `kubectl create ARGUMENTS` in the resource's namespace.
    pub(super) fn create(&mut self, kind: &str, name: &str, arguments: &str) {
        let namespace = &self.namespace;
        let command = format!("kubectl create {kind} {name} --namespace {namespace} {arguments}");
        if !self.commands.contains(&command) {
            self.commands.push(command);
        }
    }

    /// A command that creates a Secret of values that are asked for, so that none is in the history
    /// of the shell. Each is a key and the variable to type it into.
    pub(super) fn create_secret(&mut self, name: &str, kind: &str, keys: &[(&str, &str)]) {
        let reads: String =
            keys.iter().flat_map(|(_, variable)| ["read -rs ", variable, " && "]).collect();
        let literals: Vec<_> = keys
            .iter()
            .map(|(key, variable)| format!("--from-literal={key}=\"${variable}\""))
            .collect();
        let (namespace, literals) = (&self.namespace, literals.join(" "));
        let command = format!(
            "{reads}kubectl create secret {kind} {name} --namespace {namespace} {literals}"
        );
        if !self.commands.contains(&command) {
            self.commands.push(command);
        }
    }

    pub(super) fn resource(&self) -> Value {
        json!({
            "apiVersion": "mcp.lenses.io/v1alpha1",
            "kind": "LensesMcpServer",
            "metadata": { "name": self.name, "namespace": self.namespace },
            "spec": self.spec,
        })
    }

    /// All that is to be said, for people.
    pub(super) fn notes(&self) -> String {
        let mut text = String::new();
        let mut part = |heading: &str, lines: Vec<String>| {
            if !lines.is_empty() {
                text.extend([heading, "\n"]);
                text.extend(lines.iter().map(|line| format!("  {line}\n")));
                text.push('\n');
            }
        };
        let notes = |notes: &[Note]| -> Vec<_> {
            notes.iter().map(|Note { key, text }| format!("{key}: {text}")).collect()
        };
        part("Not converted, decide:", notes(&self.open));
        part("Not needed any more:", notes(&self.dropped));
        part("Secrets and ConfigMaps to create:", self.commands.clone());
        let steps = self.steps.iter().enumerate();
        let steps = steps.flat_map(|(at, step)| {
            let mut lines = step.lines();
            let first = format!("{}. {}", at + 1, lines.next().unwrap_or_default());
            std::iter::once(first).chain(lines.map(|line| format!("   {line}")))
        });
        part("Steps:", steps.collect());
        text
    }
}
