//! Writing what a command says. Whoever reads it may stop reading, as `head` does: that is no
//! fault.

use std::{
    borrow::Cow,
    fmt::Display,
    io::{ErrorKind, Write, stderr, stdout},
};

/// Writes `text` to standard output.
pub fn to_stdout(text: &str) {
    let mut output = stdout().lock();
    let written = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        to_stderr(format_args!("error: failed to write to standard output: {error}"));
    }
}

/// Writes a line to standard error. If that fails, nobody is left to be told.
pub fn to_stderr(line: impl Display) {
    let _ = writeln!(stderr().lock(), "{line}");
}

/// `text` as one word of a POSIX shell. One with a null byte, which no shell takes, is left out.
pub(super) fn shell_word(text: &str) -> String {
    shlex::try_quote(text).map(Cow::into_owned).unwrap_or_default()
}
