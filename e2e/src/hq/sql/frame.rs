//! The frames of the SQL WebSocket, `{"type", "data"}`.

use std::time::Duration;

use axum::extract::ws::Message;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// The largest first frame, in bytes.
pub(crate) const MAX_REQUEST: usize = 256 * 1024;

/// The client's first frame. What older clients also sent (`token`) is ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    pub(crate) sql: String,
    /// Accepted as HQ does: it asks for partial aggregates, and nothing here aggregates.
    #[serde(default)]
    #[expect(dead_code, reason = "read so that a value of another type is an invalid request")]
    live: bool,
    /// How often to send STATS, in milliseconds; 0 for only at the end.
    #[serde(default)]
    stats: u64,
}

impl Request {
    pub(crate) fn stats_interval(&self) -> Option<Duration> {
        (self.stats > 0).then(|| Duration::from_millis(self.stats))
    }
}

/// A frame from HQ.
#[derive(Debug)]
pub(crate) enum Frame {
    /// A row, JSON: `{key, value, metadata, rownum}`.
    Record(String),
    Heartbeat,
    Stats(Stats),
    /// The statement failed: a sentence.
    Error(String),
    /// The first frame is not a request: a sentence.
    InvalidRequest(String),
    /// The credential of the handshake was accepted.
    SignedIn,
    /// A statement without rows was done: a sentence.
    Success(String),
    /// There is no more.
    End,
}

/// How far a query has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stats {
    pub(crate) id: u64,
    pub(crate) bytes_read: u64,
    pub(crate) records_scanned: u64,
    /// Scanned but not matching.
    pub(crate) records_skipped: u64,
    pub(crate) results: u64,
    pub(crate) duration: Duration,
    pub(crate) started_at: Timestamp,
    pub(crate) source: Option<String>,
}

impl Frame {
    pub(crate) fn into_message(self) -> Message {
        let (kind, data) = match self {
            Self::Record(data) => ("RECORD", data),
            Self::Heartbeat => ("HEARTBEAT", Value::Null.to_string()),
            Self::Stats(stats) => ("STATS", stats.into_json().to_string()),
            Self::Error(sentence) => ("ERROR", Value::from(sentence).to_string()),
            Self::InvalidRequest(sentence) => ("INVALIDREQUEST", Value::from(sentence).to_string()),
            Self::SignedIn => ("SUCCESS", Value::Null.to_string()),
            Self::Success(sentence) => ("SUCCESS", Value::from(sentence).to_string()),
            Self::End => ("END", Value::Null.to_string()),
        };
        Message::Text(format!("{{\"type\":\"{kind}\",\"data\":{data}}}").into())
    }
}

impl Stats {
    fn into_json(self) -> Value {
        json!({
            "id": self.id,
            "bytesRead": self.bytes_read,
            "recordsScanned": self.records_scanned,
            "recordsSkipped": self.records_skipped,
            "badRecordsTotal": 0,
            "results": self.results,
            "duration": u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
            "startedAt": self.started_at.as_millisecond(),
            "sources": self.source.into_iter().collect::<Vec<_>>(),
        })
    }
}
