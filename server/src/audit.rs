//! The audit stream: who did what, from where, who decided, and how it ended.
//!
//! It is a stream of its own (`MCP_AUDIT`), one JSON object a line, and has nothing to do with the
//! level of the log. `docs/audit.md` describes each field; its table and the JSON Schema beside it
//! are made from [`mod@line`]. A value of an argument, a statement or a record is in no line: only
//! names of environments and objects are, and the SHA-256 of a statement.

mod decision;
mod file;
mod line;
mod schema;
mod text;

use std::{
    fmt,
    io::{self, Write},
    net::IpAddr,
    path::Path,
};

use http::Extensions;
use prometheus_client::metrics::counter::Counter;

use self::file::AuditFile;
pub use self::{
    decision::{DecidedBy, Decision, Event, Phase, Verdict},
    line::{Head, SCHEMA, Tail},
    schema::schema,
};
use crate::{
    client_address::ClientAddress,
    identity::{Fingerprint, Identity},
    line_writer::{FlushAtEnd, LineWriter, Stream},
    request_id::XRequestId,
    settings::AuditOutput,
};

/// Room for most lines, in bytes.
const USUAL_LINE: usize = 768;

/// Where audit lines go. Clones share one stream; the default writes nothing.
#[derive(Debug, Clone, Default)]
pub struct AuditLog(Option<LineWriter>);

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Source {
    /// The request's id.
    pub request_id: XRequestId,
    /// The connection's other end, and the client behind proxies; `None` over stdio.
    pub address: Option<ClientAddress>,
}

impl Source {
    /// The source of a request with these extensions.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        let id = extensions.get::<XRequestId>().cloned();
        Self {
            request_id: id.unwrap_or_else(XRequestId::random),
            address: extensions.get().copied(),
        }
    }

    /// The client's address, as bounds per address count it.
    #[must_use]
    pub fn block(&self) -> Option<IpAddr> {
        self.address.as_ref().map(ClientAddress::block)
    }

    /// A message on standard input.
    #[must_use]
    pub fn stdio() -> Self {
        Self { request_id: XRequestId::random(), address: None }
    }
}

impl AuditLog {
    /// Writes to `output` from here on. `dropped` counts lines that are lost.
    ///
    /// # Errors
    ///
    /// The file can't be opened, or the system has no thread.
    pub fn start(output: &AuditOutput, dropped: Counter) -> io::Result<Self> {
        match output {
            AuditOutput::Off => Ok(Self::default()),
            AuditOutput::Stdout => Self::to(io::stdout(), dropped),
            AuditOutput::File(path) => Self::to(open(path)?, dropped),
        }
    }

    /// Writes to `out` from here on, as [`Self::start`].
    ///
    /// # Errors
    ///
    /// The system has no thread.
    pub fn to(out: impl Write + Send + 'static, dropped: Counter) -> io::Result<Self> {
        LineWriter::start(Stream::Audit, out, dropped).map(|writer| Self(Some(writer)))
    }

    /// Whether lines are written at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Waits until everything is written, at most a second.
    pub fn flush(&self) {
        if let Some(writer) = &self.0 {
            writer.flush();
        }
    }

    /// Flushes when it is dropped.
    #[must_use]
    pub fn flush_at_end(&self) -> Option<FlushAtEnd> {
        self.0.as_ref().map(LineWriter::flush_at_end)
    }

    /// The lines of one event: what they have in common is written once. `None` if nothing is
    /// written.
    #[must_use]
    pub fn entry(&self, head: &Head<'_>) -> Option<Entry> {
        let writer = self.0.clone()?;
        let mut line = Vec::with_capacity(USUAL_LINE);
        // Texts and numbers are always JSON, and memory can be written.
        serde_json::to_writer(&mut line, head).ok()?;
        // The tail's members take the place of the brace.
        line.pop();
        let head = line.len();
        Some(Entry { writer, line, head })
    }

    /// A request was refused before anything was called.
    pub fn sign_in_failed(&self, source: &Source, caller: Caller<'_>, decision: Decision) {
        if self.is_on()
            && let Some(mut entry) = self.entry(&Head::new(Event::SignIn, source, caller))
        {
            entry.write_minor(&Tail::new(decision));
        }
    }
}

fn open(path: &Path) -> io::Result<AuditFile> {
    AuditFile::open(path.to_owned())
}

/// Who calls, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caller<'a> {
    /// See [`Identity::subject`].
    pub subject: Option<&'a str>,
    /// See [`Identity::client_id`].
    pub client_id: Option<&'a str>,
    /// The token's fingerprint.
    pub fingerprint: Option<Fingerprint>,
}

impl<'a> From<&'a Identity> for Caller<'a> {
    fn from(identity: &'a Identity) -> Self {
        Self {
            subject: identity.subject.as_deref(),
            client_id: identity.client_id.as_deref(),
            fingerprint: identity.fingerprint,
        }
    }
}

/// The lines of one event.
pub struct Entry {
    writer: LineWriter,
    line: Vec<u8>,
    /// How much of the line all have in common, in bytes.
    head: usize,
}

impl Entry {
    /// Writes a line that ends with `tail`.
    pub fn write(&mut self, tail: &Tail) {
        self.end_with(tail);
        self.writer.line(&self.line);
    }

    /// As [`Self::write`], for what anybody can cause: a flood of it leaves room for the calls.
    pub fn write_minor(&mut self, tail: &Tail) {
        self.end_with(tail);
        self.writer.minor_line(&self.line);
    }

    /// Writes a line that says that what follows is about to be sent to HQ.
    pub fn started(&mut self, decision: Decision) {
        self.write(&Tail { phase: Phase::Started, ..Tail::new(decision) });
    }

    fn end_with(&mut self, tail: &Tail) {
        self.line.truncate(self.head);
        // As above.
        let _written = serde_json::to_writer(&mut self.line, tail);
        if let Some(brace) = self.line.get_mut(self.head) {
            *brace = b',';
        }
        self.line.push(b'\n');
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").finish_non_exhaustive()
    }
}
