//! SELECT, record by record. A scan holds a position and counters, never the records.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::frame::Stats;
use super::statement::{Comparison, Condition, Select};
use crate::hq::kafka::log::Record;
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
    /// Rows as the RECORD frame carries them, JSON.
    pub(crate) rows: Vec<String>,
    /// The end of the topic, the limit, or `max.size` was reached.
    pub(crate) done: bool,
}

impl Scan {
    /// # Errors
    /// A sentence for the ERROR frame: no such table, or no such field.
    pub(crate) fn new(
        select: Select,
        max_size: u64,
        kafka: &Kafka,
        mut stats: Stats,
    ) -> Result<Self, String> {
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
            let row = self.look_at(&record, topic.log.place(self.position));
            self.position += 1;
            batch.rows.extend(row);
        }
        Ok(batch)
    }

    fn look_at(&mut self, record: &Record, (partition, offset): (u64, u64)) -> Option<String> {
        let (key, value) = (record.key.to_string(), record.value.to_string());
        // A tombstone has no bytes.
        let value_size = if record.value.is_null() { 0 } else { value.len() as u64 };
        let place = Place { timestamp: record.timestamp, partition, offset };
        let key_size = if record.key.is_null() { 0 } else { key.len() as u64 };
        self.stats.bytes_read += key_size + value_size;
        self.stats.records_scanned += 1;
        if !self.select.conditions.iter().all(|condition| condition.holds(record, &place)) {
            self.stats.records_skipped += 1;
            return None;
        }
        let value = if self.select.fields.is_empty() {
            value
        } else {
            let project =
                |(path, alias): &(String, String)| (alias.clone(), lookup(record, &place, path));
            Value::Object(self.select.fields.iter().map(project).collect::<Map<_, _>>()).to_string()
        };
        let (timestamp, rownum) = (place.timestamp, self.stats.results);
        // Written by hand: key and value are JSON already, and a query sends a million of these.
        let row = format!(
            "{{\"key\":{key},\"value\":{value},\"metadata\":{{\"timestamp\":{timestamp},\
             \"partition\":{partition},\"offset\":{offset},\"__keysize\":{key_size},\
             \"__valuesize\":{value_size}}},\"rownum\":{rownum}}}"
        );
        self.stats.results += 1;
        Some(row)
    }
}

/// Where and when a record was produced: `_meta`.
struct Place {
    timestamp: i64,
    partition: u64,
    offset: u64,
}

impl Condition {
    /// A field that is missing is null; null is only ever equal to null.
    fn holds(&self, record: &Record, place: &Place) -> bool {
        let value = lookup(record, place, &self.field);
        let order = match (&value, &self.literal) {
            (Value::Number(left), Value::Number(right)) => {
                left.as_f64().partial_cmp(&right.as_f64())
            }
            (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
            (left, right) => (left == right).then_some(Ordering::Equal),
        };
        match self.comparison {
            Comparison::Equal => order == Some(Ordering::Equal),
            Comparison::NotEqual => order != Some(Ordering::Equal),
            Comparison::Less => order == Some(Ordering::Less),
            Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Comparison::Greater => order == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => {
                matches!(order, Some(Ordering::Greater | Ordering::Equal))
            }
        }
    }
}

pub(crate) fn table<'kafka>(kafka: &'kafka Kafka, name: &str) -> Result<&'kafka Topic, String> {
    kafka.topic(name).ok_or_else(|| format!("table [{name}] not found"))
}

/// Whether a path names something in a topic of these fields. One that declares none may hold
/// anything.
pub(crate) fn is_known(fields: &[Field], path: &str) -> bool {
    let facet =
        matches!(path, "_key" | "_value" | "_meta.timestamp" | "_meta.partition" | "_meta.offset");
    let inside = |field: &Field| {
        field.name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    facet || fields.is_empty() || fields.iter().any(inside)
}

fn lookup(record: &Record, place: &Place, path: &str) -> Value {
    match path {
        "_key" => record.key.clone(),
        "_value" => record.value.clone(),
        "_meta.timestamp" => place.timestamp.into(),
        "_meta.partition" => place.partition.into(),
        "_meta.offset" => place.offset.into(),
        _ => path
            .split('.')
            .try_fold(&record.value, |value, name| value.get(name))
            .cloned()
            .unwrap_or_default(),
    }
}
