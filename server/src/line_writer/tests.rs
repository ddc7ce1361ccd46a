//! What is written, what is dropped, and that nobody waits.

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

fn gated() -> (LineWriter, Counter, Sender<()>, Receiver<Vec<u8>>) {
    let ((pass, passes), (written, seen), dropped) = (channel(), channel(), Counter::default());
    let writer = LineWriter::start(Stream::Log, Gate { passes, written }, dropped.clone()).unwrap();
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
fn a_waiting_write_blocks_nobody_and_lines_without_room_are_counted() {
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
    assert_eq!(write_all(&mut out, b"line\n"), b"");
    assert_eq!(out.1, b"line\n");
}

#[test]
fn lines_that_cannot_be_written_are_counted_as_dropped() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let dropped = Counter::default();
    let writer = LineWriter::start(Stream::Audit, Broken, dropped.clone()).unwrap();
    writer.line(b"1\n");
    writer.line(b"2\n");
    writer.flush();
    assert_eq!(dropped.get(), 2);
}

#[test]
fn minor_lines_leave_half_of_the_room_to_others() {
    let (writer, dropped, _pass, _seen) = gated();
    let line = [b'x'; 1024];
    for _ in 0..2_000 {
        writer.minor_line(&line);
    }
    let minor = WAITING_MAX / 2 / line.len();
    assert_eq!(dropped.get(), 2_000 - minor as u64);
    writer.line(&line);
    assert_eq!(dropped.get(), 2_000 - minor as u64);
}
