//! `spec.observability`: logs, metrics and traces of the server.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{self, URL_MAX_LENGTH};

/// Logs, metrics and traces of the server.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Observability {
    /// What the server logs, and how. Optional.
    #[serde(default)]
    pub log: Log,

    /// Who is told of the metrics. They are always at `/metrics` of the pods' port `admin` (9090).
    /// Optional.
    #[serde(default)]
    pub metrics: Metrics,

    /// Where each call, each denial and each failed sign-in is recorded, one JSON object a line.
    /// Exactly one of `stdout`, `file` and `disabled`. Default: `stdout: {}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,

    /// Where traces are sent, over OTLP. Default: none are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracing: Option<Tracing>,
}

/// Where calls are recorded.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::exactly_one_audit())]
pub struct Audit {
    /// Standard output, which the cluster's log collector reads; `{}`. The log is on standard
    /// error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<AuditStdout>,

    /// A file, for a collector beside the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<AuditFile>,

    /// Nowhere; `{}`. It has this name because YAML reads a plain `off` as false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<AuditDisabled>,
}

impl Audit {
    /// The output as the server's settings have it.
    #[must_use]
    pub fn setting(&self) -> String {
        match (&self.file, &self.disabled) {
            (Some(AuditFile { path }), _) => format!("file:{path}"),
            (None, Some(AuditDisabled {})) => "off".to_owned(),
            (None, None) => "stdout".to_owned(),
        }
    }
}

/// Standard output.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct AuditStdout {}

/// A file of the pod.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct AuditFile {
    /// Absolute path in the container, such as `/var/log/lenses-mcp/audit.jsonl`. It must be on a
    /// volume that `podTemplate` mounts into the container `lenses-mcp-server`, whose own file
    /// system is read-only. Rotate it by rename or by truncation.
    #[schemars(
        length(max = 512),
        regex(pattern = r"^(/[a-zA-Z0-9._-]*[a-zA-Z0-9_-][a-zA-Z0-9._-]*)+$")
    )]
    pub path: String,
}

/// Nowhere.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct AuditDisabled {}

/// Who is told of the metrics.
#[derive(JsonSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Makes a `ServiceMonitor` of the Prometheus operator; `{}` is enough. Where the cluster lacks
    /// that API, the condition `Accepted` says so until it is installed. Unless
    /// `networkPolicy.metricsFrom` names who scrapes, any pod of the cluster may. Default: none is
    /// made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_monitor: Option<ServiceMonitor>,
}

/// A `ServiceMonitor` of the Prometheus operator.
#[derive(KubeSchema, Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceMonitor {
    /// Further labels, by which your Prometheus selects it, such as `release: prometheus`. Default:
    /// none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[x_kube(validation = rules::labels_of_others())]
    pub labels: BTreeMap<String, String>,

    /// How often it is scraped, in Prometheus' own notation, such as `30s`. Default: as your
    /// Prometheus does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(
        pattern = "^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?\
                   (([0-9]+)ms)?)$"
    ))]
    #[schemars(length(min = 1, max = 32))]
    pub interval: Option<String>,
}

/// What the server logs, and how.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`. Tokens and records are in none of them.
    /// Default: `info`.
    #[serde(default)]
    pub level: LogLevel,

    /// `json`, one object a line, or `text`, for people. Default: `json`.
    #[serde(default)]
    pub format: LogFormat,
}

/// From which severity on the server logs.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what may be wrong.
    Warn,
    /// And what was done.
    #[default]
    Info,
    /// And how.
    Debug,
    /// And everything else.
    Trace,
}

impl LogLevel {
    /// The level as the server's settings have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How a line of the log is written.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

impl LogFormat {
    /// The format as the server's settings have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }
}

/// Where traces are sent.
#[derive(KubeSchema, Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracing {
    /// The receiver, such as `http://collector.monitoring.svc:4318`; with `http/protobuf`,
    /// `/v1/traces` is added. Headers that it wants are given as `OTEL_EXPORTER_OTLP_HEADERS` in
    /// `podTemplate`, from a Secret.
    #[schemars(length(max = URL_MAX_LENGTH))]
    #[x_kube(validation = rules::absolute_url())]
    pub otlp_endpoint: String,

    /// `http/protobuf`, as a rule at port 4318, or `grpc`, at port 4317. Default: `http/protobuf`.
    #[serde(default)]
    pub protocol: OtlpProtocol,

    /// The share of traces that are sent, from 0 to 1, of those that no caller has decided about.
    /// Default: 1.
    #[serde(default = "all")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub sample_ratio: f64,
}

/// How spans travel.
#[derive(JsonSchema, Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub enum OtlpProtocol {
    /// Over HTTP.
    #[default]
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
    /// Over gRPC.
    #[serde(rename = "grpc")]
    Grpc,
}

impl OtlpProtocol {
    /// The protocol as OpenTelemetry names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HttpProtobuf => "http/protobuf",
            Self::Grpc => "grpc",
        }
    }
}

fn all() -> f64 {
    1.0
}
