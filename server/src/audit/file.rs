//! The audit file: appended to, and opened anew when it was moved away or deleted.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::PathBuf,
};

/// A file that others may rotate, by `rename` or by `copytruncate`.
#[derive(Debug)]
pub(super) struct AuditFile {
    path: PathBuf,
    file: File,
    /// Whether the file ends with a whole line.
    at_line_end: bool,
}

impl AuditFile {
    /// Opens the file at `path`, or makes one that only this user and its group may read.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o640).open(&path)?;
        Ok(Self { path, file, at_line_end: true })
    }

    /// Whether the path still leads to the file that is open.
    fn is_current(&self) -> io::Result<bool> {
        let open = self.file.metadata()?;
        Ok(fs::metadata(&self.path)
            .is_ok_and(|named| (named.dev(), named.ino()) == (open.dev(), open.ino())))
    }
}

impl Write for AuditFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.at_line_end && !self.is_current()? {
            self.file = Self::open(self.path.clone())?.file;
        }
        let written = self.file.write(bytes)?;
        if let Some(last) = written.checked_sub(1).and_then(|last| bytes.get(last)) {
            self.at_line_end = *last == b'\n';
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotated_file_is_opened_anew_between_lines() {
        let folder = std::env::temp_dir().join(format!("audit-{}", uuid::Uuid::now_v7()));
        fs::create_dir(&folder).unwrap();
        let (path, rotated) = (folder.join("audit.log"), folder.join("audit.log.1"));
        let mut file = AuditFile::open(path.clone()).unwrap();
        file.write_all(b"1\n2").unwrap();
        fs::rename(&path, &rotated).unwrap();
        // A line is not torn.
        file.write_all(b"2\n").unwrap();
        file.write_all(b"3\n").unwrap();
        // `copytruncate`.
        File::create(&path).unwrap();
        file.write_all(b"4\n").unwrap();
        let read = |path| fs::read_to_string(path).unwrap();
        assert_eq!((read(&rotated), read(&path)), ("1\n22\n".to_owned(), "4\n".to_owned()));
        fs::remove_dir_all(folder).unwrap();
    }
}
