//! Lines of bounded length. What is wrong with one line is no reason to read no further.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// A line that is longer than it may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// The next line of `input` without its end, which may be that of the input; `None` behind the
/// last. Of one longer than `max_bytes`, no more than those are held.
///
/// # Errors
///
/// `input` can't be read.
pub(super) async fn next_line(
    input: &mut (impl AsyncBufRead + Unpin),
    max_bytes: usize,
) -> io::Result<Option<Result<Vec<u8>, TooLong>>> {
    let (mut line, mut is_too_long, mut has_begun) = (Vec::new(), false, false);
    loop {
        let read = input.fill_buf().await?;
        if read.is_empty() && !has_begun {
            return Ok(None);
        }
        has_begun = true;
        let end = read.iter().position(|byte| *byte == b'\n');
        let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
        is_too_long |= line.len() + part.len() > max_bytes;
        if is_too_long {
            line = Vec::new();
        } else {
            line.extend_from_slice(part);
        }
        let is_last = end.is_some() || read.is_empty();
        let length = part.len() + usize::from(end.is_some());
        input.consume(length);
        if is_last {
            return Ok(Some(if is_too_long { Err(TooLong) } else { Ok(line) }));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    #[tokio::test]
    async fn a_line_that_is_too_long_hides_none_after_it() {
        for capacity in [1, 2, 3, 64] {
            let mut input =
                BufReader::with_capacity(capacity, &b"abc\n\n12345\nabcd\r\n\xff\nlast"[..]);
            let mut lines = Vec::new();
            while let Some(line) = next_line(&mut input, 4).await.unwrap() {
                lines.push(line);
            }
            let expected = [
                Ok(b"abc".to_vec()),
                Ok(Vec::new()),
                Err(TooLong),
                Err(TooLong),
                Ok(b"\xff".to_vec()),
                Ok(b"last".to_vec()),
            ];
            assert_eq!(lines, expected, "{capacity}");
        }
    }
}
