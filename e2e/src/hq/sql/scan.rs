//! SELECT, record by record. A scan holds a position and counters, never the records.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::frame::Stats;
use super::statement::{Comparison, Condition, Select};
use crate::hq::kafka::log::{Log, Record};
use crate::hq::kafka::{Field, Kafka, Topic};

/// Records looked at before the cluster is let go for others.
const BATCH: u64 = 128;

/// A SELECT on its way through a topic.
pub(crate) struct Scan {
    select: Select,
    max_size: u64,
    position: u64,
    pub(crate) stats: Stats,
}

/// What a step of a scan found.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Rows as the RECORD frame carries them.
    pub(crate) rows: Vec<Value>,
    /// The end of the topic, the limit, or `max.size` was reached.
    pub(crate) done: bool,
}

impl Scan {
    /// # Errors
    /// A sentence for the ERROR frame: no such table, or no such field.
    pub(crate) fn new(select: Select, max_size: u64, kafka: &Kafka, mut stats: Stats) -> Result<Self, String> {
        let topic = table(kafka, &select.table)?;
        let asked = select
            .fields
            .iter()
            .map(|(path, _)| path)
            .chain(select.conditions.iter().map(|condition| &condition.field));
        for path in asked {
            if !is_known(&topic.fields, path) {
                return Err(format!("field [{path}] not found in table [{}]", select.table));
            }
        }
        stats.source = Some(select.table.clone());
        Ok(Self { select, max_size, position: 0, stats })
    }

    /// Looks at the next few records.
    ///
    /// # Errors
    /// A sentence for the ERROR frame: the table is gone.
    pub(crate) fn step(&mut self, kafka: &Kafka) -> Result<Batch, String> {
        let topic = table(kafka, &self.select.table)?;
        let mut batch = Batch::default();
        for _ in 0..BATCH {
            let over = self.stats.bytes_read >= self.max_size
                || self.select.limit.is_some_and(|limit| self.stats.results >= limit);
            let next = if over { None } else { topic.log.get(self.position) };
            let Some(record) = next else {
                batch.done = true;
                break;
            };
            let row = self.look_at(&record, topic.partitions);
            self.position += 1;
            batch.rows.extend(row);
        }
        Ok(batch)
    }

    fn look_at(&mut self, record: &Record, partitions: u32) -> Option<Value> {
        let (partition, offset) = Log::place(self.position, partitions);
        let (key_size, value_size) = (size(&record.key), size(&record.value));
        let metadata = json!({
            "timestamp": record.timestamp,
            "partition": partition,
            "offset": offset,
            "__keysize": key_size,
            "__valuesize": value_size,
        });
        self.stats.bytes_read += key_size + value_size;
        self.stats.records_scanned += 1;
        if !self.select.conditions.iter().all(|condition| condition.holds(record, &metadata)) {
            self.stats.records_skipped += 1;
            return None;
        }
        let value = if self.select.fields.is_empty() {
            record.value.clone()
        } else {
            let project = |(path, alias): &(String, String)| (alias.clone(), lookup(record, &metadata, path));
            Value::Object(self.select.fields.iter().map(project).collect::<Map<_, _>>())
        };
        let row = json!({"key": record.key, "value": value, "metadata": metadata, "rownum": self.stats.results});
        self.stats.results += 1;
        Some(row)
    }
}

impl Condition {
    /// A field that is missing is null; null is only ever equal to null.
    fn holds(&self, record: &Record, metadata: &Value) -> bool {
        let value = lookup(record, metadata, &self.field);
        let order = match (&value, &self.literal) {
            (Value::Number(left), Value::Number(right)) => left.as_f64().partial_cmp(&right.as_f64()),
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            (left, right) => (left == right).then_some(Ordering::Equal),
        };
        match self.comparison {
            Comparison::Equal => order == Some(Ordering::Equal),
            Comparison::NotEqual => order != Some(Ordering::Equal),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Comparison::Greater => order == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

pub(crate) fn table<'kafka>(kafka: &'kafka Kafka, name: &str) -> Result<&'kafka Topic, String> {
    kafka.topic(name).ok_or_else(|| format!("table [{name}] not found"))
}

/// Whether a path names something in a topic of these fields. One that declares none may hold anything.
pub(crate) fn is_known(fields: &[Field], path: &str) -> bool {
    let facet = matches!(path, "_key" | "_value" | "_meta.timestamp" | "_meta.partition" | "_meta.offset");
    let inside =
        |field: &Field| field.name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    facet || fields.is_empty() || fields.iter().any(inside)
}

fn lookup(record: &Record, metadata: &Value, path: &str) -> Value {
    let field = |root: &Value, path: &str| path.split('.').try_fold(root, |value, name| value.get(name)).cloned();
    match path.split_once('.') {
        _ if path == "_key" => record.key.clone(),
        _ if path == "_value" => record.value.clone(),
        Some(("_meta", name)) => field(metadata, name).unwrap_or_default(),
        _ => field(&record.value, path).unwrap_or_default(),
    }
}

/// Bytes of a key or value as JSON; a tombstone has none.
fn size(value: &Value) -> u64 {
    if value.is_null() { 0 } else { value.to_string().len() as u64 }
}
