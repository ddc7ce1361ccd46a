//! Lines on their way to standard error.
//!
//! Writing a line at a time cost each request as much as sign-in: a system call, and mostly waking whoever reads the log. So
//! the lines of requests wait together until their thread has nothing else to do, which is at once unless the server is busy.
//! They can't pile up, and all are written when the server ends by itself. Any other line is written before its thread goes
//! on, and what waits goes before it.

use std::{
    io::{self, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// How much may wait, in bytes: some dozens of lines.
const WAITING_MAX: usize = 16 * 1024;
/// Where lines of requests come from: threads of the runtime, and no others.
const OF_REQUESTS: [&str; 2] = [
    concat!(env!("CARGO_CRATE_NAME"), "::access_log"),
    concat!(env!("CARGO_CRATE_NAME"), "::mcp::audit"),
];

static WAITING: Mutex<Waiting> = Mutex::new(Waiting(Vec::new()));

/// Writes the lines that wait. To be called before a thread of the runtime waits, and at the end.
pub fn flush() {
    // A log that can't be written has nobody who could be told.
    let _written = waiting().write_out(&mut io::stderr());
}

/// Writes a line of `metadata`'s, now or soon.
pub(super) fn write(metadata: &Metadata<'_>, line: &[u8]) {
    let _written = add(line, may_wait(metadata));
}

fn may_wait(metadata: &Metadata<'_>) -> bool {
    OF_REQUESTS.contains(&metadata.target())
}

fn add(line: &[u8], may_wait: bool) -> io::Result<()> {
    waiting().add(line, may_wait, &mut io::stderr())
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the log is written to.
pub(super) struct Lines;

impl MakeWriter<'_> for Lines {
    type Writer = Line;

    fn make_writer(&self) -> Line {
        Line { may_wait: false }
    }

    fn make_writer_for(&self, metadata: &Metadata<'_>) -> Line {
        Line { may_wait: may_wait(metadata) }
    }
}

/// One line, written as a whole.
pub(super) struct Line {
    may_wait: bool,
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        add(line, self.may_wait).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Waiting(Vec<u8>);

impl Waiting {
    fn add(&mut self, line: &[u8], may_wait: bool, out: &mut impl Write) -> io::Result<()> {
        self.0.extend_from_slice(line);
        if may_wait && self.0.len() < WAITING_MAX { Ok(()) } else { self.write_out(out) }
    }

    fn write_out(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let written = out.write_all(&self.0);
        // What could not be written is not tried again, or it would be in the way of what comes.
        self.0.clear();
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_request_waits_and_any_other_takes_it_along_in_order() {
        let (mut waiting, mut out) = (Waiting(Vec::new()), Vec::new());
        waiting.add(b"1\n", true, &mut out).unwrap();
        waiting.add(b"2\n", true, &mut out).unwrap();
        assert_eq!(out, b"");
        waiting.add(b"3\n", false, &mut out).unwrap();
        assert_eq!(out, b"1\n2\n3\n");
        waiting.add(b"4\n", true, &mut out).unwrap();
        waiting.write_out(&mut out).unwrap();
        waiting.write_out(&mut out).unwrap();
        assert_eq!(out, b"1\n2\n3\n4\n");
    }

    #[test]
    fn what_waits_is_bounded_and_nothing_is_left_out() {
        let (mut waiting, mut out) = (Waiting(Vec::new()), Vec::new());
        let line = [b'x'; 100];
        for _ in 0..1_000 {
            waiting.add(&line, true, &mut out).unwrap();
            assert!(waiting.0.len() < WAITING_MAX);
        }
        waiting.write_out(&mut out).unwrap();
        assert_eq!(out.len(), 100_000);
    }

    #[test]
    fn a_log_that_cannot_be_written_does_not_fill_memory_and_is_tried_again_with_the_next_line() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (mut waiting, mut out) = (Waiting(Vec::new()), Vec::new());
        assert!(waiting.add(b"1\n", false, &mut Broken).is_err());
        waiting.add(b"2\n", false, &mut out).unwrap();
        assert_eq!(out, b"2\n");
    }
}
