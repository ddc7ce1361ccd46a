//! What can be wrong with the settings.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

/// One fault. Says which variable, what was found, and what to write; never a secret's value.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A value that can't be used.
    #[error("{variable} is {found}: {remedy}")]
    Invalid {
        /// The variable.
        variable: &'static str,
        /// The value, quoted, or why it is not shown.
        found: String,
        /// What to write instead.
        remedy: String,
    },
    /// A variable that this configuration needs.
    #[error("{variable} is not set: {remedy}")]
    Missing {
        /// The variable.
        variable: &'static str,
        /// What to write.
        remedy: String,
    },
    /// Two variables that exclude each other.
    #[error("{variable} and {other} are both set: {remedy}")]
    Conflict {
        /// One of them.
        variable: String,
        /// The other.
        other: String,
        /// Which to keep.
        remedy: &'static str,
    },
    /// A file that can't be read.
    #[error("{variable} names {path:?}, which can't be read: {source}")]
    File {
        /// The variable that names the file.
        variable: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A settings file that is not in dotenv format. The line is not shown: it may hold a secret.
    #[error(
        "entry {entry} of the settings file {path:?} can't be read: write NAME='value', one to a \
         line"
    )]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Which entry, counted from 1, comments and empty lines left out.
        entry: usize,
    },
    /// A name that no setting has, but that looks like one.
    #[error("{found} in {} is not a setting: {}", place(path.as_deref()), match meant {
        Some(name) => format!("did you mean {name}?"),
        None => "remove it".to_owned(),
    })]
    Unknown {
        /// The name.
        found: String,
        /// The settings file; `None`: the environment.
        path: Option<PathBuf>,
        /// The most similar setting.
        meant: Option<String>,
    },
}

fn place(path: Option<&Path>) -> String {
    match path {
        None => "the environment".to_owned(),
        Some(path) => format!("the settings file \"{}\"", path.display()),
    }
}

/// All faults, found in one pass. Prints one to a line.
#[derive(Debug)]
pub struct SettingsErrors(pub Vec<SettingsError>);

impl fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, error) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsErrors {}
