//! What runs next to the shop's Kafka: connectors, SQL processors, and requests for topics.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::hq::approvals::{Approvals, Metadata, Request, Settings, Status};
use crate::hq::connect::{Connect, Connector, State, Task};
use crate::hq::streams::{Deployment, Processor, Streams};

/// Two clusters; one connector that runs, one with a failed task, one that is paused. What looks
/// like a secret is none.
pub(super) fn connect() -> Connect {
    let connector =
        |config: Value| Connector::running(config.as_object().cloned().unwrap_or_default());
    let orders = connector(json!({
        "connector.class": "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector",
        "tasks.max": "2",
        "topics": "orders",
        "connect.s3.kcql": "INSERT INTO archive SELECT * FROM orders",
        "connect.s3.aws.secret.key": "seeded-secret-key",
    }));
    let mut customers = connector(json!({
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": "postgres",
        "database.password": "seeded-password",
        "topic.prefix": "shop",
    }));
    customers.tasks = vec![Task {
        state: State::Failed,
        trace: Some(
            "org.apache.kafka.connect.errors.ConnectException: the replication slot is in use",
        ),
    }];
    let mut clicks = connector(json!({
        "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
        "tasks.max": "1",
        "topics": "page_views",
        "file": "/archive/clicks",
    }));
    clicks.state = State::Paused;
    clicks.tasks = vec![Task { state: State::Paused, trace: None }];
    Connect::new(
        &["connect-eu", "connect-us"],
        vec![
            ("connect-eu", "orders-to-s3", orders),
            ("connect-eu", "customers-cdc", customers),
            ("connect-us", "clicks-archive", clicks),
        ],
    )
}

/// One processor in pods and one in the agent's process.
pub(super) fn streams() -> Streams {
    let processor = |id: &str, name: &str, sql: &str, deployment| Processor {
        id: id.to_owned(),
        name: name.to_owned(),
        sql: sql.to_owned(),
        description: None,
        tags: vec!["sales".to_owned()],
        deployment,
        created_by: "alice".to_owned(),
    };
    let pods = Deployment::Kubernetes {
        runners: 2,
        cluster: "incluster".to_owned(),
        namespace: "analytics".to_owned(),
    };
    Streams::new(vec![
        processor(
            "lsql-big-orders",
            "big-orders",
            "INSERT INTO big_orders SELECT STREAM * FROM orders WHERE amount > 100",
            pods,
        ),
        processor(
            "lsql-failed-payments",
            "failed-payments",
            "INSERT INTO failed_payments SELECT STREAM * FROM payments WHERE status = 'FAILED'",
            Deployment::InProcess,
        ),
    ])
}

/// One request that waits and one that was rejected, both by bob.
pub(super) fn approvals() -> Approvals {
    let request = |number: u128, name: &str, status, reason: &str, second: i64| Request {
        id: Uuid::from_u128(0x0194_8f3a_7c1e_7b2a_9f6d_2b1c_0d9e_8f00 + number),
        approval_status: status,
        entity_type: "KafkaTopic",
        entity_name: name.to_owned(),
        settings: Settings {
            replication: 3,
            partitions: 6,
            capacity: json!({"recordsSize": null, "dataProducedPerDay": null, "consumers": null}),
            topic_config: std::collections::BTreeMap::new(),
        },
        metadata: Metadata { reason: reason.to_owned(), tags: vec!["loyalty".to_owned()] },
        created_by: "bob".to_owned(),
        created_at: jiff::Timestamp::from_second(super::BEGIN / 1_000 + second).unwrap_or_default(),
    };
    Approvals::new(vec![
        request(1, "loyalty_points", Status::Pending, "Points for each order", 0),
        request(2, "everything", Status::Rejected, "To have it all in one place", 60),
    ])
}
