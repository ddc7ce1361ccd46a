//! The data that the stand-in begins with: a shop. Every record is a function of its index, so an
//! answer can be worked out and checked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use uuid::Uuid;

use self::records::{
    big_event, customer, inventory_update, order, page_view, payment, product, refund, shipment,
};
use super::environments::{Agent, Environment};
use super::kafka::consumers::{Committed, Group};
use super::kafka::log::{Log, Seeded};
use super::kafka::{Field, Kafka, Topic};

mod applications;
mod large;
mod records;
#[cfg(test)]
mod tests;

/// 2026-01-05T08:00:00Z in milliseconds: the time of every topic's first record. Each next one is a
/// second later.
const BEGIN: i64 = 1_767_600_000_000;

/// The environments: one whose agent is up, one whose agent is down, and one that is large.
pub(crate) fn environments() -> Vec<Environment> {
    let agent = Agent {
        connect: Mutex::new(applications::connect()),
        streams: Mutex::new(applications::streams()),
        approvals: Mutex::new(applications::approvals()),
        ..Agent::new(Kafka::new(3, topics(), groups()))
    };
    vec![
        Environment {
            name: "development".to_owned(),
            display_name: "Development".to_owned(),
            tier: "development".to_owned(),
            metadata: json!({"team": "shop"}),
            id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001),
            created_at: "2026-01-05T08:00:00Z".to_owned(),
            agent: Some(Arc::new(agent)),
        },
        Environment {
            name: "disaster-recovery".to_owned(),
            display_name: "Disaster recovery".to_owned(),
            tier: "production".to_owned(),
            metadata: json!({"team": "shop"}),
            id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0002),
            created_at: "2026-01-05T09:00:00Z".to_owned(),
            agent: None,
        },
        Environment {
            name: "large".to_owned(),
            display_name: "Large".to_owned(),
            tier: "staging".to_owned(),
            metadata: json!({"team": "platform"}),
            id: Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0003),
            created_at: "2026-01-05T10:00:00Z".to_owned(),
            agent: Some(Arc::new(Agent::new(large::kafka()))),
        },
    ]
}

/// A row of the table below.
struct Row {
    name: &'static str,
    partitions: u32,
    records: u64,
    /// `delete` with a retention in hours, or `compact`.
    retention_hours: Option<u32>,
    description: &'static str,
    tags: &'static [&'static str],
    /// `name type` pairs.
    fields: &'static [(&'static str, &'static str)],
    record: Seeded,
}

#[rustfmt::skip]
const TOPICS: [Row; 10] = [
    Row {
        name: "customers", partitions: 4, records: 123, retention_hours: None,
        description: "One record a customer; erased ones have a tombstone", tags: &["pii"],
        fields: &[
            ("customer_id", "int"), ("name", "string"), ("email", "string"), ("country", "string"),
            ("vip", "boolean")
        ], record: customer },
    Row {
        name: "orders", partitions: 6, records: 500, retention_hours: Some(168),
        description: "Orders as placed in the shop", tags: &["sales"],
        fields: &[
            ("order_id", "int"), ("customer_id", "int"), ("product_id", "int"), ("quantity", "int"),
            ("amount", "decimal"), ("currency", "string"), ("status", "string")
        ], record: order },
    Row {
        name: "payments", partitions: 6, records: 480, retention_hours: Some(720),
        description: "Payments of orders", tags: &["sales", "pci"],
        fields: &[
            ("payment_id", "string"), ("order_id", "int"), ("amount", "decimal"),
            ("currency", "string"), ("method", "string"), ("card.brand", "string"),
            ("card.last4", "string"), ("status", "string")
        ], record: payment },
    Row {
        name: "products", partitions: 3, records: 60, retention_hours: None,
        description: "The catalogue", tags: &[],
        fields: &[
            ("product_id", "int"), ("name", "string"), ("category", "string"), ("price", "decimal")
        ], record: product },
    Row {
        name: "shipments", partitions: 3, records: 300, retention_hours: Some(168),
        description: "Parcels on their way", tags: &["logistics"],
        fields: &[
            ("shipment_id", "string"), ("order_id", "int"), ("carrier", "string"),
            ("delivered", "boolean")
        ], record: shipment },
    Row {
        name: "inventory_updates", partitions: 3, records: 400, retention_hours: Some(24),
        description: "Changes of stock", tags: &["logistics"],
        fields: &[
            ("product_id", "int"), ("warehouse", "string"), ("delta", "int")
        ], record: inventory_update },
    Row {
        name: "refunds", partitions: 1, records: 25, retention_hours: Some(720),
        description: "Money given back", tags: &["sales"],
        fields: &[
            ("order_id", "int"), ("amount", "decimal"), ("reason", "string")
        ], record: refund },
    Row {
        name: "page_views", partitions: 12, records: 2_000, retention_hours: Some(24),
        description: "Clicks in the shop", tags: &["web"],
        fields: &[
            ("session", "string"), ("path", "string"), ("customer_id", "int")
        ], record: page_view },
    Row {
        name: "big_events", partitions: 8, records: 1_000_000, retention_hours: Some(24),
        description: "A million records, for long queries", tags: &[],
        fields: &[
            ("sequence", "int"), ("kind", "string"), ("payload", "string")
        ], record: big_event },
    Row {
        name: "returns", partitions: 1, records: 0, retention_hours: Some(168),
        description: "Nothing was ever sent back", tags: &["logistics"],
        fields: &[("order_id", "int"), ("reason", "string")], record: refund },
];

fn topics() -> Vec<Topic> {
    let seeded = TOPICS.iter().map(|row| Topic {
        name: row.name.to_owned(),
        replication: 3,
        configs: configs(row.retention_hours),
        key_type: "STRING".to_owned(),
        value_type: "JSON".to_owned(),
        key_schema: None,
        value_schema: None,
        fields: row
            .fields
            .iter()
            .map(|(name, kind)| Field { name: (*name).to_owned(), kind: (*kind).to_owned() })
            .collect(),
        description: Some(row.description.to_owned()),
        tags: row.tags.iter().map(|tag| (*tag).to_owned()).collect(),
        additional_info: Value::Null,
        log: Log::seeded(row.partitions, row.records, row.record),
    });
    let system = [("__consumer_offsets", 50), ("_schemas", 1)].map(|(name, partitions)| Topic {
        name: name.to_owned(),
        replication: 3,
        configs: configs(None),
        key_type: "BYTES".to_owned(),
        value_type: "BYTES".to_owned(),
        key_schema: None,
        value_schema: None,
        fields: Vec::new(),
        description: None,
        tags: Vec::new(),
        additional_info: Value::Null,
        log: Log::empty(partitions),
    });
    seeded.chain(system).collect()
}

fn configs(retention_hours: Option<u32>) -> BTreeMap<String, String> {
    let policy = if retention_hours.is_some() { "delete" } else { "compact" };
    let retention = retention_hours
        .map(|hours| ("retention.ms".to_owned(), (u64::from(hours) * 3_600_000).to_string()));
    [
        ("cleanup.policy".to_owned(), policy.to_owned()),
        ("min.insync.replicas".to_owned(), "2".to_owned()),
    ]
    .into_iter()
    .chain(retention)
    .collect()
}

/// Each: id, state, members, topics that it reads, and how far it is behind the seed in each
/// partition.
fn groups() -> Vec<Group> {
    let groups: [(&str, &str, u32, &[&str], u64); 6] = [
        ("payments-settlement", "Stable", 2, &["payments"], 2),
        ("orders-fulfilment", "Stable", 3, &["orders"], 5),
        ("customer-sync", "Stable", 1, &["customers"], 0),
        ("fraud-model", "PreparingRebalance", 4, &["orders", "payments"], 10),
        ("analytics-nightly", "Empty", 0, &["orders", "payments", "page_views"], 40),
        ("legacy-export", "Empty", 0, &["shipments"], 100),
    ];
    let group = |(id, state, members, topics, lag): (&str, &'static str, u32, &[&str], u64)| {
        let read = TOPICS.iter().filter(|row| topics.contains(&row.name));
        let offsets = read.flat_map(|row| {
            let log = Log::seeded(row.partitions, row.records, row.record);
            (0..row.partitions).map(move |partition| Committed {
                topic: row.name.to_owned(),
                partition,
                offset: log.end_offset(partition).saturating_sub(lag),
            })
        });
        Group { id: id.to_owned(), state, members, offsets: offsets.collect() }
    };
    groups.into_iter().map(group).collect()
}
