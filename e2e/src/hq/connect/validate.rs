//! Settings of connectors, checked as Kafka Connect does it: against what their plugin says.

use serde_json::{Map, Value, json};

/// A kind of connector that every cluster has.
pub(crate) struct Plugin {
    class: &'static str,
    /// `source` or `sink`.
    pub(crate) kind: &'static str,
    /// Name, Kafka Connect's type, and whether it must be there.
    settings: &'static [(&'static str, &'static str, bool)],
}

/// What every connector takes.
const COMMON: [(&str, &str, bool); 2] =
    [("connector.class", "STRING", true), ("tasks.max", "INT", false)];

const PLUGINS: [Plugin; 3] = [
    Plugin {
        class: "io.lenses.streamreactor.connect.aws.s3.sink.S3SinkConnector",
        kind: "sink",
        settings: &[
            ("topics", "LIST", true),
            ("connect.s3.kcql", "STRING", true),
            ("connect.s3.aws.secret.key", "PASSWORD", false),
        ],
    },
    Plugin {
        class: "io.debezium.connector.postgresql.PostgresConnector",
        kind: "source",
        settings: &[
            ("database.hostname", "STRING", true),
            ("database.password", "PASSWORD", true),
            ("topic.prefix", "STRING", true),
        ],
    },
    Plugin {
        class: "org.apache.kafka.connect.file.FileStreamSinkConnector",
        kind: "sink",
        settings: &[("topics", "LIST", true), ("file", "STRING", true)],
    },
];

impl Plugin {
    pub(crate) fn find(class: &str) -> Option<&'static Self> {
        PLUGINS.iter().find(|plugin| plugin.class == class)
    }
}

/// What is wrong with `config`, one sentence for each.
pub(crate) fn faults(config: &Map<String, Value>) -> Vec<String> {
    settings(config).flat_map(|setting| errors(config, setting)).collect()
}

/// Kafka Connect's reply: every setting that the plugin knows, with its value and what is wrong
/// with it.
pub(crate) fn report(config: &Map<String, Value>) -> Value {
    let configs: Vec<_> = settings(config)
        .map(|setting| {
            let (name, kind, required) = setting;
            json!({
                "definition": {"name": name, "type": kind, "required": required},
                "value": {
                    "name": name, "value": config.get(name), "errors": errors(config, setting),
                    "visible": true
                },
            })
        })
        .collect();
    let class = config.get("connector.class");
    json!({
        "name": class, "error_count": faults(config).len(), "groups": ["Common"], "configs": configs
    })
}

type Setting = (&'static str, &'static str, bool);

fn settings(config: &Map<String, Value>) -> impl Iterator<Item = Setting> {
    let plugin = config.get("connector.class").and_then(Value::as_str).and_then(Plugin::find);
    COMMON.into_iter().chain(plugin.into_iter().flat_map(|plugin| plugin.settings.iter().copied()))
}

fn errors(config: &Map<String, Value>, (name, kind, required): Setting) -> Vec<String> {
    let text = config
        .get(name)
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let fault = match text {
        None => required.then(|| "which has no default value".to_owned()),
        Some(text) if name == "connector.class" && Plugin::find(&text).is_none() => {
            Some(format!("{text} is no plugin of this cluster"))
        }
        Some(text) if kind == "INT" && !text.parse::<i32>().is_ok_and(|count| count > 0) => {
            Some(format!("{text} is not a number from 1"))
        }
        Some(_) => None,
    };
    fault
        .map(|fault| format!("Invalid value for configuration {name}: {fault}"))
        .into_iter()
        .collect()
}
