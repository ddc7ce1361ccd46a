//! The statements that are not a SELECT, done at once.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::scan::{is_known, table};
use super::statement::Statement;
use crate::hq::environments::Agent;
use crate::hq::kafka::Kafka;
use crate::hq::kafka::new_topic::NewTopic;
use crate::hq::lock;
use crate::hq::users::{Action, Caller};

/// What a statement answers.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Values of rows.
    Rows(Vec<Value>),
    /// It was done: a sentence.
    Done(String),
}

/// What IAM is asked before a statement: the action and the resource.
pub(crate) fn right(statement: &Statement) -> (Action, String) {
    let topic = |name: &str| format!("kafka:topic:{name}");
    match statement {
        Statement::Select(select) => (Action::ReadTopicData, topic(&select.table)),
        Statement::ShowTables => (Action::ListTopics, topic("*")),
        Statement::DescribeTable(name) => (Action::ListTopics, topic(name)),
        Statement::ShowQueries => (Action::ListQueries, "sql-streaming:query:*".to_owned()),
        Statement::KillQuery(id) => (Action::KillQuery, format!("sql-streaming:query:{id}")),
        Statement::Insert { table, .. } => (Action::WriteTopicData, topic(table)),
        Statement::CreateTable { table, .. } => (Action::CreateTopic, topic(table)),
        Statement::DropTable(name) => (Action::DeleteTopic, topic(name)),
    }
}

/// Asks IAM.
///
/// # Errors
/// A sentence for the ERROR frame.
pub(crate) fn authorize(statement: &Statement, caller: &Caller) -> Result<(), String> {
    let (action, resource) = right(statement);
    caller
        .may(action, &resource)
        .map_err(|_| format!("user [{}] is not allowed to {action:?} on [{resource}]", caller.name))
}

/// # Errors
/// A sentence for the ERROR frame.
pub(crate) fn execute(
    statement: Statement,
    agent: &Agent,
    now: Timestamp,
) -> Result<Outcome, String> {
    let mut kafka = lock(&agent.kafka);
    match statement {
        // A SELECT is a scan.
        Statement::Select(_) => Ok(Outcome::Rows(Vec::new())),
        Statement::ShowTables => Ok(Outcome::Rows(
            kafka
                .topics()
                .map(|topic| {
                    json!({
                        "name": topic.name, "partitions": topic.log.partitions(),
                        "replicas": topic.replication
                    })
                })
                .collect(),
        )),
        Statement::DescribeTable(name) => describe(&kafka, &name).map(Outcome::Rows),
        Statement::ShowQueries => Ok(Outcome::Rows(agent.queries.rows())),
        Statement::KillQuery(id) if agent.queries.kill(id) => {
            Ok(Outcome::Done(format!("query [{id}] is being stopped")))
        }
        Statement::KillQuery(id) => Err(format!("query [{id}] not found")),
        Statement::Insert { table, fields, rows } => insert(&mut kafka, &table, &fields, rows, now),
        Statement::CreateTable { table, fields, key_type, value_type, partitions, replication } => {
            let configs = [("cleanup.policy".to_owned(), "delete".to_owned())].into();
            let wanted = NewTopic {
                name: table.clone(),
                partitions,
                replication,
                configs,
                key_type,
                value_type,
                fields,
            };
            let topic = wanted.check(kafka.brokers()).map_err(|error| error.to_string())?;
            kafka.add_topic(topic).map_err(|error| error.to_string())?;
            Ok(Outcome::Done(format!("table [{table}] created")))
        }
        Statement::DropTable(name) if kafka.remove_topic(&name) => {
            Ok(Outcome::Done(format!("table [{name}] dropped")))
        }
        Statement::DropTable(name) => Err(format!("table [{name}] not found")),
    }
}

fn describe(kafka: &Kafka, name: &str) -> Result<Vec<Value>, String> {
    let topic = table(kafka, name)?;
    let key = json!({"name": "_key", "type": topic.key_type.to_lowercase()});
    let fields = topic.fields.iter().map(|field| json!({"name": field.name, "type": field.kind}));
    Ok(std::iter::once(key).chain(fields).collect())
}

fn insert(
    kafka: &mut Kafka,
    name: &str,
    fields: &[String],
    rows: Vec<Vec<Value>>,
    now: Timestamp,
) -> Result<Outcome, String> {
    let topic = table(kafka, name)?;
    if let Some(unknown) = fields.iter().find(|path| {
        *path == "_value" || path.starts_with("_meta") || !is_known(&topic.fields, path)
    }) {
        return Err(format!("field [{unknown}] cannot be inserted into table [{name}]"));
    }
    let records = rows.into_iter().map(|row| {
        let (mut key, mut value) = (Value::Null, Value::Object(Map::new()));
        for (path, literal) in fields.iter().zip(row) {
            if path == "_key" {
                key = literal;
            } else {
                assign(&mut value, path, literal);
            }
        }
        (key, value)
    });
    let inserted = kafka.append(name, records.collect(), now)?;
    Ok(Outcome::Done(format!("{inserted} records inserted into table [{name}]")))
}

/// Sets a field at a path whose parts are joined by dots; what stands in the way gives way.
fn assign(value: &mut Value, path: &str, literal: Value) {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Some(fields) = value.as_object_mut() else { return };
    match path.split_once('.') {
        None => drop(fields.insert(path.to_owned(), literal)),
        Some((first, rest)) => assign(fields.entry(first).or_insert(Value::Null), rest, literal),
    }
}
