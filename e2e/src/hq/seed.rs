//! The data that the stand-in begins with: a shop. Every record is a function of its index, so an
//! answer can be worked out and checked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use uuid::Uuid;

use super::environments::{Agent, Environment};
use super::kafka::consumers::{Committed, Group};
use super::kafka::log::{Log, Record, Seeded};
use super::kafka::{Field, Kafka, Topic};

mod applications;
mod large;

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

fn record(index: u64, key: String, value: Value) -> Record {
    let seconds = i64::try_from(index).unwrap_or(i64::MAX);
    Record {
        key: key.into(),
        value,
        timestamp: BEGIN.saturating_add(seconds.saturating_mul(1_000)),
    }
}

/// One of `choices`, in turn.
fn pick<'choice>(choices: &[&'choice str], index: u64) -> &'choice str {
    let count = choices.len().max(1) as u64;
    usize::try_from(index % count).ok().and_then(|at| choices.get(at)).copied().unwrap_or_default()
}

/// An amount of money from cents.
fn money(cents: u64) -> f64 {
    f64::from(u32::try_from(cents).unwrap_or(u32::MAX)) / 100.0
}

/// 120 customers, then tombstones for those numbered 40, 80 and 120.
fn customer(index: u64) -> Record {
    if index >= 120 {
        return record(index, format!("customer-{}", (index - 119) * 40), Value::Null);
    }
    let id = index + 1;
    let value = json!({
        "customer_id": id,
        "name": format!(
            "{} {}", pick(&["Ada", "Grace", "Alan", "Edsger", "Barbara"], index),
            pick(&["Miller", "Novak", "Okafor"], index)
        ),
        "email": format!("customer{id}@example.com"),
        "country": pick(&["DE", "FR", "GR", "GB", "US"], index),
        "vip": id.is_multiple_of(10),
    });
    record(index, format!("customer-{id}"), value)
}

fn order(index: u64) -> Record {
    let id = index + 1;
    let value = json!({
        "order_id": id,
        "customer_id": index * 7 % 120 + 1,
        "product_id": index * 11 % 60 + 1,
        "quantity": index % 4 + 1,
        "amount": money(1_999 + index * 137 % 20_000),
        "currency": pick(&["EUR", "USD", "GBP"], index),
        "status": pick(&["PLACED", "PAID", "SHIPPED", "DELIVERED", "CANCELLED"], index),
    });
    record(index, format!("order-{id}"), value)
}

fn payment(index: u64) -> Record {
    let id = index + 1;
    let value = json!({
        "payment_id": format!("pay-{id:05}"),
        "order_id": id,
        "amount": money(1_999 + index * 137 % 20_000),
        "currency": pick(&["EUR", "USD", "GBP"], index),
        "method": pick(&["card", "card", "paypal", "transfer"], index),
        "card": {
            "brand": pick(&["visa", "mastercard"], index),
            "last4": format!("{:04}", index * 37 % 10_000)
        },
        "status": if id.is_multiple_of(20) { "FAILED" } else { "SETTLED" },
    });
    record(index, format!("pay-{id:05}"), value)
}

fn product(index: u64) -> Record {
    let id = index + 1;
    let value = json!({
        "product_id": id,
        "name": format!("{} {id}", pick(&["Chair", "Lamp", "Desk", "Shelf"], index)),
        "category": pick(&["seating", "lighting", "tables", "storage"], index),
        "price": money(1_999 + index * 250),
    });
    record(index, format!("product-{id}"), value)
}

fn shipment(index: u64) -> Record {
    let id = index + 1;
    let value = json!({
        "shipment_id": format!("ship-{id:04}"),
        "order_id": id,
        "carrier": pick(&["DHL", "UPS", "GLS"], index),
        "delivered": !index.is_multiple_of(3),
    });
    record(index, format!("ship-{id:04}"), value)
}

fn inventory_update(index: u64) -> Record {
    let product = index * 13 % 60 + 1;
    let change = i64::try_from(index % 21).unwrap_or_default() - 10;
    let value = json!({
        "product_id": product, "warehouse": pick(&["Berlin", "Lyon", "Athens"], index),
        "delta": change
    });
    record(index, format!("product-{product}"), value)
}

fn refund(index: u64) -> Record {
    let order = index * 20 + 1;
    let value = json!({
        "order_id": order,
        "amount": money(500 + index * 99),
        "reason": pick(&["damaged", "late", "changed mind"], index),
    });
    record(index, format!("order-{order}"), value)
}

fn page_view(index: u64) -> Record {
    let session = format!("s-{}", index / 8);
    let path = pick(&["/", "/search", "/product", "/cart", "/checkout"], index);
    let value = json!({
        "session": session, "path": path,
        "customer_id": index.is_multiple_of(3).then(|| index % 120 + 1)
    });
    record(index, session, value)
}

fn big_event(index: u64) -> Record {
    let kind = pick(&["created", "changed", "deleted"], index);
    let value = json!({"sequence": index, "kind": kind, "payload": format!("{index:064}")});
    record(index, format!("event-{index}"), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seeded_value_has_the_fields_that_its_topic_declares() {
        for row in &TOPICS {
            for index in 0..row.records.min(130) {
                let value = (row.record)(index).value;
                for (name, _) in row.fields.iter().filter(|_| !value.is_null()) {
                    let pointer = format!("/{}", name.replace('.', "/"));
                    assert!(value.pointer(&pointer).is_some(), "{} {index}: {name}", row.name);
                }
            }
        }
    }

    #[test]
    fn erased_customers_have_a_tombstone_under_their_own_key() {
        let keys: Vec<_> =
            (120..123).map(customer).map(|record| (record.key, record.value)).collect();
        assert_eq!(
            keys,
            ["customer-40", "customer-80", "customer-120"].map(|key| (key.into(), Value::Null))
        );
    }

    #[test]
    fn groups_lag_as_the_table_says() {
        let kafka = Kafka::new(3, topics(), groups());
        let lag = |id: &str| {
            let group = kafka.groups().find(|group| group.id == id).unwrap().describe(&kafka, None);
            group["maxLag"].as_u64().unwrap()
        };
        assert_eq!(
            ["payments-settlement", "orders-fulfilment", "customer-sync", "legacy-export"].map(lag),
            [2, 5, 0, 100]
        );
    }
}
