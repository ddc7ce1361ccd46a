//! Where the values come from: the process's environment over a settings file.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use semver::Version;

use super::{
    error::{SettingsError, SettingsErrors},
    former,
    names::{self, Unknown},
    service_links,
    variable::MCP_SETTINGS_FILE,
    writer,
};

/// Settings that are set in lower case, too, by convention.
const IN_LOWER_CASE_TOO: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];

/// Reads a whole text file; given from outside, so that settings can be read without a file system.
pub type ReadFile<'a> = dyn Fn(&Path) -> io::Result<String> + 'a;

/// The environment layered over a settings file. An empty value counts as not set, in either.
pub struct Variables<'a> {
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    path: PathBuf,
    /// Whether the file was named. A `.env` may serve other programs too.
    named: bool,
    /// The operator that wrote the file, if it is newer than this server.
    newer_writer: Option<Version>,
    read_file: &'a ReadFile<'a>,
}

impl<'a> Variables<'a> {
    /// Takes `environment` and the settings file: the one that `MCP_SETTINGS_FILE` names, else
    /// `.env` in the working directory where there is one. Values keep the dotenv rules: single
    /// quotes take a value as it is, in double quotes and without quotes `$NAME` is replaced.
    ///
    /// # Errors
    ///
    /// Each fault of the settings file: not readable, or not in dotenv format.
    pub fn load(
        environment: impl IntoIterator<Item = (String, String)>,
        read_file: &'a ReadFile<'a>,
    ) -> Result<Self, SettingsErrors> {
        let mut environment: BTreeMap<_, _> = environment
            .into_iter()
            .filter(|(name, value)| !value.trim().is_empty() && !service_links::is_one(name, value))
            .collect();
        // Many programs read these in lower case, some only so.
        for name in IN_LOWER_CASE_TOO {
            if let Some(value) = environment.get(&name.to_lowercase()).cloned() {
                environment.entry(name.to_owned()).or_insert(value);
            }
        }
        let (path, named) = match environment.get(MCP_SETTINGS_FILE.name) {
            Some(path) => (PathBuf::from(path.trim()), true),
            None => (PathBuf::from(".env"), false),
        };
        let mut faults = Vec::new();
        let mut file = BTreeMap::new();
        let mut newer_writer = None;
        match read_file(&path) {
            Ok(text) => {
                file = parse_file(&path, &text, &mut faults);
                newer_writer = writer::newer(&text).filter(|_| named);
            }
            Err(error) if !named && error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                faults.push(SettingsError::File {
                    variable: MCP_SETTINGS_FILE.name.to_owned(),
                    path: path.clone(),
                    source,
                });
            }
        }
        if faults.is_empty() {
            Ok(Self { environment, file, path, named, newer_writer, read_file })
        } else {
            Err(SettingsErrors(faults))
        }
    }

    /// The value of `name`, trimmed, and where it stands.
    pub(super) fn value(&self, name: &str) -> Option<(&str, Origin)> {
        let of_environment = self.environment.get(name).map(|value| (value, Origin::Environment));
        let (value, origin) =
            of_environment.or_else(|| self.file.get(name).map(|value| (value, Origin::File)))?;
        Some((value.trim(), origin))
    }

    /// What to say about names that are set in vain.
    pub(super) fn warnings(&self) -> Vec<String> {
        let former = self
            .environment
            .keys()
            .chain(self.file.keys())
            .filter_map(|name| former::warning(name));
        let unknown = self.judged().filter_map(|(name, _, unknown)| match unknown {
            Unknown::Warning { similar: Some(similar) } => Some(format!(
                "{name} has no effect: no setting has this name; the most similar is {similar}"
            )),
            Unknown::Warning { similar: None } => {
                Some(format!("{name} has no effect: no setting has this name"))
            }
            Unknown::Fault { .. } | Unknown::Others => None,
        });
        let newer = self.newer_writer.as_ref().and_then(|writer| {
            let names: Vec<_> = self.file.keys().filter(|name| !names::is_known(name)).collect();
            let is_one = !names.is_empty();
            is_one.then(|| writer::warning(&self.path, writer, names.into_iter()))
        });
        former.chain(unknown).chain(newer).collect()
    }

    /// Names that no setting has and that were meant as one; in a file that was named, all that no
    /// setting has, unless a newer operator wrote it.
    pub(super) fn unknown(&self) -> Vec<SettingsError> {
        let faults = self.judged().filter_map(|(name, path, unknown)| match unknown {
            Unknown::Fault { meant } => {
                Some(SettingsError::Unknown { found: name.clone(), path: path.cloned(), meant })
            }
            Unknown::Warning { .. } | Unknown::Others => None,
        });
        faults.collect()
    }

    /// Each name that no setting has, the file that it is in, and what to do about it.
    fn judged(&self) -> impl Iterator<Item = (&String, Option<&PathBuf>, Unknown)> {
        let of_environment = self.environment.keys().map(|name| (name, None, names::judge(name)));
        let of_file = self.file.keys().map(|name| {
            let unknown = if self.newer_writer.is_some() {
                Unknown::Others
            } else if self.named && !former::is_frameworks(name) {
                Unknown::Fault { meant: names::most_likely(name) }
            } else {
                names::judge(name)
            };
            (name, Some(&self.path), unknown)
        });
        of_environment.chain(of_file).filter(|(name, ..)| !names::is_known(name))
    }

    /// Whether `path` can be read.
    pub(super) fn is_there(&self, path: &str) -> bool {
        (self.read_file)(Path::new(path)).is_ok()
    }

    /// The text of the file that `variable` names.
    pub(super) fn read(&self, variable: &str, path: &str) -> Result<String, SettingsError> {
        let path = PathBuf::from(path);
        (self.read_file)(&path).map_err(|source| SettingsError::File {
            variable: variable.to_owned(),
            path,
            source,
        })
    }
}

impl fmt::Debug for Variables<'_> {
    /// Names only: the values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables").field("file", &self.file.keys()).finish_non_exhaustive()
    }
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Environment,
    File,
    SecretFile,
    Default,
    Derived,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment",
            Self::File => "settings file",
            Self::SecretFile => "secret file",
            Self::Default => "default",
            Self::Derived => "derived",
        })
    }
}

fn parse_file(
    path: &Path,
    text: &str,
    faults: &mut Vec<SettingsError>,
) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (position, entry) in dotenvy::from_read_iter(text.as_bytes()).enumerate() {
        match entry {
            Ok((name, value)) if !value.trim().is_empty() => {
                values.insert(name, value);
            }
            Ok(_) => {}
            Err(_) => {
                faults.push(SettingsError::Syntax { path: path.to_owned(), entry: position + 1 });
            }
        }
    }
    values
}
