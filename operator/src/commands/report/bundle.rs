//! The files of a bundle, as an archive or a directory.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use flate2::{Compression, write::GzEncoder};
use lenses_mcp_crds::yaml;
use serde::Serialize;
use serde_json::Value;

use super::redact;
use crate::commands::sensitive::log_without_secrets;

/// What is collected.
#[derive(Debug, Default)]
pub(super) struct Bundle {
    /// Path in the bundle and text.
    pub(super) files: Vec<(String, String)>,
    /// What could not be read, and why.
    pub(super) gaps: Vec<String>,
}

impl Bundle {
    /// Adds an object, or a list of objects, without what may be secret.
    pub(super) fn add_object(&mut self, path: String, object: &impl Serialize) {
        let mut value = serde_json::to_value(object).unwrap_or(Value::Null);
        redact::redact(&mut value);
        match yaml::to_string(&value) {
            Ok(text) => self.files.push((path, text)),
            Err(error) => self.gaps.push(format!("{path}: {error}")),
        }
    }

    pub(super) fn add_log(&mut self, path: String, log: &str) {
        self.files.push((path, log_without_secrets(log)));
    }

    pub(super) fn add_gap(&mut self, what: impl std::fmt::Display, why: impl std::fmt::Display) {
        self.gaps.push(format!("{what}: {why}"));
    }

    fn into_files(mut self) -> Vec<(String, String)> {
        if !self.gaps.is_empty() {
            let gaps = self.gaps.iter().flat_map(|gap| [gap, "\n"]).collect();
            self.files.push(("gaps.txt".to_owned(), gaps));
        }
        self.files
    }

    /// Writes an archive, which must not exist.
    pub(super) fn write_archive(self, path: &Path) -> io::Result<()> {
        let encoder = GzEncoder::new(File::create_new(path)?, Compression::default());
        let mut archive = tar::Builder::new(encoder);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let root = name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("report");
        for (file, text) in self.into_files() {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(text.len()).map_err(io::Error::other)?);
            header.set_mode(0o600);
            archive.append_data(&mut header, format!("{root}/{file}"), text.as_bytes())?;
        }
        archive.into_inner()?.finish()?.sync_all()
    }

    /// Writes a directory, which must not exist.
    pub(super) fn write_directory(self, directory: &Path) -> io::Result<()> {
        fs::create_dir(directory)?;
        for (file, text) in self.into_files() {
            let path = directory.join(file);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, text)?;
        }
        Ok(())
    }
}
