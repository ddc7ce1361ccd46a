//! An audit stream that a test reads. Each line that is written meets the published schema.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex},
    thread,
};

use jsonschema::Validator;
use lenses_mcp_server::audit::{self, AuditLog};
use prometheus_client::metrics::counter::Counter;
use serde_json::Value;

/// The published schema, and no field beside it.
static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
    let mut schema = audit::schema();
    schema["additionalProperties"] = false.into();
    schema["properties"]["objects"]["items"]["additionalProperties"] = false.into();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
});

/// What is written to `log`, kept.
pub(crate) struct CapturedAudit {
    pub(crate) log: AuditLog,
    written: Written,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl CapturedAudit {
    pub(crate) fn new() -> Self {
        let written = Written::default();
        let log = AuditLog::to(written.clone(), Counter::default()).unwrap();
        Self { log, written }
    }

    /// All of it so far.
    pub(crate) fn text(&self) -> String {
        self.log.flush();
        String::from_utf8(self.written.0.lock().unwrap().clone()).unwrap()
    }

    /// The lines so far, each held against the schema.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let line = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let faults: Vec<_> = SCHEMA.iter_errors(&line).map(|it| it.to_string()).collect();
            assert!(faults.is_empty(), "{faults:?}: {line}");
            line
        };
        text.lines().map(line).collect()
    }
}

impl Drop for CapturedAudit {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.lines();
        }
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
