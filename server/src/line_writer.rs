//! Lines of the log and of the audit stream on their way out.
//!
//! Only a thread of their own writes them, so that an output that nobody reads blocks nothing else.
//! The thread rests after each write: while the server is busy, many lines share one system call
//! and one wake-up, which cost each request as much as sign-in when they were its own.

#[cfg(test)]
mod tests;

use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use prometheus_client::metrics::counter::Counter;
use tracing_subscriber::fmt::MakeWriter;

/// How much may wait to be written, in bytes; more lines are dropped and counted.
const WAITING_MAX: usize = 1 << 20;
/// How much memory is kept for lines while none wait, in bytes.
const KEPT: usize = 64 << 10;
/// How long the thread rests after a write, unless lines come faster than it writes.
const REST: Duration = Duration::from_millis(5);
/// How long the end waits for what is not written yet.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// Takes lines and never blocks. Clones share one queue.
#[derive(Debug, Clone)]
pub struct LineWriter(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    lines: Mutex<Lines>,
    /// Wakes the thread.
    added: Condvar,
    /// Wakes who waits until everything is written.
    written: Condvar,
    dropped: Counter,
    stream: Stream,
}

/// What the lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The log.
    Log,
    /// The audit stream.
    Audit,
}

#[derive(Debug, Default)]
struct Lines {
    waiting: Vec<u8>,
    /// How much is being written, in bytes.
    writing: usize,
    /// Whether the thread sleeps until it is woken.
    asleep: bool,
    /// Lines that were dropped since the log last said so.
    dropped: u64,
}

impl LineWriter {
    /// Writes the lines of `stream` to `out` from here on; `dropped` counts those that find no room
    /// or can't be written.
    ///
    /// # Errors
    ///
    /// If the system has no thread for it.
    pub fn start(
        stream: Stream,
        out: impl Write + Send + 'static,
        dropped: Counter,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue {
            lines: Mutex::default(),
            added: Condvar::new(),
            written: Condvar::new(),
            dropped,
            stream,
        });
        let written = Arc::clone(&queue);
        let name = match stream {
            Stream::Log => "log",
            Stream::Audit => "audit",
        };
        thread::Builder::new().name(name.to_owned()).spawn(move || written.write_to(out))?;
        Ok(Self(queue))
    }

    /// Takes a line with its end, or drops it if too much waits.
    pub fn line(&self, line: &[u8]) {
        self.line_within(line, WAITING_MAX);
    }

    /// As [`Self::line`], for a line that leaves half of the room to others.
    pub fn minor_line(&self, line: &[u8]) {
        self.line_within(line, WAITING_MAX / 2);
    }

    fn line_within(&self, line: &[u8], most: usize) {
        let mut lines = self.0.lines();
        if lines.waiting.len() + lines.writing + line.len() > most {
            lines.dropped += 1;
            self.0.dropped.inc();
            return;
        }
        lines.waiting.extend_from_slice(line);
        if mem::take(&mut lines.asleep) {
            drop(lines);
            self.0.added.notify_one();
        }
    }

    /// Waits until everything is written, at most a second: nobody may read it.
    pub fn flush(&self) {
        let unwritten = |lines: &mut Lines| !lines.waiting.is_empty() || lines.writing > 0;
        let _in_time = self.0.written.wait_timeout_while(self.0.lines(), FLUSH_MAX, unwritten);
    }

    /// Flushes when it is dropped, so also when the main thread panics.
    #[must_use]
    pub fn flush_at_end(&self) -> FlushAtEnd {
        FlushAtEnd(self.clone())
    }
}

/// Flushes the lines when it is dropped.
#[derive(Debug)]
pub struct FlushAtEnd(LineWriter);

impl Drop for FlushAtEnd {
    fn drop(&mut self) {
        self.0.flush();
    }
}

impl Queue {
    #[expect(clippy::disallowed_methods, reason = "the thread is the writer's own")]
    fn write_to(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        loop {
            let mut lines = self.lines();
            while lines.waiting.is_empty() {
                lines.asleep = true;
                lines = self.added.wait(lines).unwrap_or_else(PoisonError::into_inner);
            }
            lines.asleep = false;
            mem::swap(&mut batch, &mut lines.waiting);
            lines.writing = batch.len();
            drop(lines);
            let unwritten = write_all(&mut out, &batch);
            // Each line has an end, so that what follows the last one is no line.
            let lines = unwritten.split(|byte| *byte == b'\n').skip(1).count();
            self.finish_write(lines as u64);
            if batch.len() < KEPT {
                thread::sleep(REST);
            }
            batch.clear();
            batch.shrink_to(KEPT);
        }
    }

    fn finish_write(&self, failed: u64) {
        self.dropped.inc_by(failed);
        let mut lines = self.lines();
        lines.writing = 0;
        lines.dropped += failed;
        let has_room = lines.waiting.len() < WAITING_MAX / 2;
        let dropped = if has_room { mem::take(&mut lines.dropped) } else { 0 };
        if lines.waiting.is_empty() {
            self.written.notify_all();
        }
        drop(lines);
        match self.stream {
            _ if dropped == 0 => {}
            Stream::Log => tracing::error!(
                lines = dropped,
                "log lines were dropped: standard error was not read"
            ),
            Stream::Audit => tracing::error!(
                lines = dropped,
                "audit lines were dropped: what MCP_AUDIT names was not read or can't be written"
            ),
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes as much as can be written, and gives the rest.
#[expect(clippy::disallowed_methods, reason = "the thread is the writer's own")]
fn write_all<'a>(out: &mut impl Write, mut bytes: &'a [u8]) -> &'a [u8] {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return bytes,
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Whoever shares the output may have made it so.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(REST),
            Err(_) => return bytes,
        }
    }
    bytes
}

impl<'a> MakeWriter<'a> for LineWriter {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// Takes one line, given as a whole.
#[derive(Debug)]
pub struct Line<'a>(&'a LineWriter);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
