//! Lines on their way to standard error.
//!
//! Only a thread of their own writes them, so that a standard error that nobody reads blocks
//! nothing else. The thread rests after each write: while the server is busy, many lines share one
//! system call and one wake-up, which cost each request as much as sign-in when they were its own.

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
pub struct LogWriter(Arc<Queue>);

#[derive(Debug)]
struct Queue {
    lines: Mutex<Lines>,
    /// Wakes the thread.
    added: Condvar,
    /// Wakes who waits until everything is written.
    written: Condvar,
    dropped: Counter,
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

impl LogWriter {
    /// Writes lines to `out` from here on; `dropped` counts those that find no room.
    ///
    /// # Errors
    ///
    /// If the system has no thread for it.
    pub fn start(out: impl Write + Send + 'static, dropped: Counter) -> io::Result<Self> {
        let queue = Arc::new(Queue {
            lines: Mutex::default(),
            added: Condvar::new(),
            written: Condvar::new(),
            dropped,
        });
        let written = Arc::clone(&queue);
        thread::Builder::new().name("log".to_owned()).spawn(move || written.write_to(out))?;
        Ok(Self(queue))
    }

    /// Takes a line with its end, or drops it if too much waits.
    pub fn line(&self, line: &[u8]) {
        let mut lines = self.0.lines();
        if lines.waiting.len() + lines.writing + line.len() > WAITING_MAX {
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

/// Flushes the log when it is dropped.
#[derive(Debug)]
pub struct FlushAtEnd(LogWriter);

impl Drop for FlushAtEnd {
    fn drop(&mut self) {
        self.0.flush();
    }
}

impl Queue {
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
            write_all(&mut out, &batch);
            self.finish_write();
            if batch.len() < KEPT {
                thread::sleep(REST);
            }
            batch.clear();
            batch.shrink_to(KEPT);
        }
    }

    fn finish_write(&self) {
        let mut lines = self.lines();
        lines.writing = 0;
        let has_room = lines.waiting.len() < WAITING_MAX / 2;
        let dropped = if has_room { mem::take(&mut lines.dropped) } else { 0 };
        if lines.waiting.is_empty() {
            self.written.notify_all();
        }
        drop(lines);
        if dropped > 0 {
            tracing::error!(lines = dropped, "log lines were dropped: standard error was not read");
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes as much as can be written: a log that can't be written has nobody who could be told.
fn write_all(out: &mut impl Write, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return,
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Whoever shares standard error may have made it so.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(REST),
            Err(_) => return,
        }
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// Takes one line, given as a whole.
#[derive(Debug)]
pub struct Line<'a>(&'a LogWriter);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Each write waits until the test lets it pass, and is then shown to the test.
    struct Gate {
        passes: Receiver<()>,
        written: Sender<Vec<u8>>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Once the test is over, all passes.
            let _over = self.passes.recv();
            let _over = self.written.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn gated() -> (LogWriter, Counter, Sender<()>, Receiver<Vec<u8>>) {
        let ((pass, passes), (written, seen), dropped) = (channel(), channel(), Counter::default());
        let writer = LogWriter::start(Gate { passes, written }, dropped.clone()).unwrap();
        (writer, dropped, pass, seen)
    }

    #[test]
    fn lines_are_written_in_order_and_without_another() {
        let (writer, _, pass, seen) = gated();
        for line in ["1\n", "2\n", "3\n"] {
            writer.line(line.as_bytes());
        }
        drop(pass);
        let mut all = Vec::new();
        while all.len() < 6 {
            all.extend(seen.recv_timeout(Duration::from_secs(10)).unwrap());
        }
        assert_eq!(all, b"1\n2\n3\n");
    }

    #[test]
    fn a_write_that_waits_blocks_nobody_and_what_finds_no_room_is_counted() {
        let (writer, dropped, pass, seen) = gated();
        let line = [b'x'; 1024];
        for _ in 0..2_000 {
            writer.line(&line);
        }
        let kept = WAITING_MAX / line.len();
        assert_eq!(dropped.get(), 2_000 - kept as u64);
        drop(pass);
        writer.flush();
        assert_eq!(seen.try_iter().map(|bytes| bytes.len()).sum::<usize>(), kept * line.len());
        // There is room again.
        writer.line(b"more\n");
        assert_eq!(seen.recv_timeout(Duration::from_secs(10)).unwrap(), b"more\n");
    }

    #[test]
    fn a_flush_ends_though_nobody_reads() {
        let (writer, _, pass, _seen) = gated();
        writer.line(b"1\n");
        writer.flush();
        drop(pass);
    }

    #[test]
    fn a_standard_error_that_does_not_block_is_tried_again() {
        struct Full(u8, Vec<u8>);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => Err(io::ErrorKind::WouldBlock.into()),
                    2 => Err(io::ErrorKind::Interrupted.into()),
                    _ => {
                        self.1.extend_from_slice(&bytes[..1]);
                        Ok(1)
                    }
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut out = Full(0, Vec::new());
        write_all(&mut out, b"line\n");
        assert_eq!(out.1, b"line\n");
    }
}
