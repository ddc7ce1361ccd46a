//! Where the values come from: the process's environment over a settings file.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use super::{
    error::{SettingsError, SettingsErrors},
    former,
    variable::{self, MCP_SETTINGS_FILE},
};

/// Prefixes of names that only this server's settings have.
const OWN_PREFIXES: [&str; 3] = ["MCP_", "LENSES_", "INTROSPECTION_"];
/// How alike two names must be, from 0 to 1, for one to be offered for the other.
const ALIKE: f64 = 0.85;

/// Reads a whole text file; given from outside, so that settings can be read without a file system.
pub type ReadFile<'a> = dyn Fn(&Path) -> io::Result<String> + 'a;

/// The environment layered over a settings file. An empty value counts as not set, in either.
pub struct Variables<'a> {
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    read_file: &'a ReadFile<'a>,
}

impl<'a> Variables<'a> {
    /// Takes `environment` and the settings file: the one that `MCP_SETTINGS_FILE` names, else `.env` in the working
    /// directory where there is one. Values keep the dotenv rules: single quotes take a value as it is, in double quotes
    /// and without quotes `$NAME` is replaced.
    ///
    /// # Errors
    ///
    /// Each fault of the settings file: not readable, not in dotenv format, or (in a file that was named) a name that looks
    /// like a setting but is none.
    pub fn load(
        environment: impl IntoIterator<Item = (String, String)>,
        read_file: &'a ReadFile<'a>,
    ) -> Result<Self, SettingsErrors> {
        let environment: BTreeMap<_, _> =
            environment.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        let (path, named) = match environment.get(MCP_SETTINGS_FILE.name) {
            Some(path) => (PathBuf::from(path.trim()), true),
            None => (PathBuf::from(".env"), false),
        };
        let mut faults = Vec::new();
        let mut file = BTreeMap::new();
        match read_file(&path) {
            Ok(text) => file = parse_file(&path, &text, named, &mut faults),
            Err(error) if !named && error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                faults.push(SettingsError::File {
                    variable: MCP_SETTINGS_FILE.name.to_owned(),
                    path,
                    source,
                });
            }
        }
        if faults.is_empty() {
            Ok(Self { environment, file, read_file })
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
        let all = self.environment.iter().chain(&self.file);
        all.filter_map(|(name, value)| former::warning(name, value)).collect()
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
    named: bool,
    faults: &mut Vec<SettingsError>,
) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for (position, entry) in dotenvy::from_read_iter(text.as_bytes()).enumerate() {
        let Ok((name, value)) = entry else {
            faults.push(SettingsError::Syntax { path: path.to_owned(), entry: position + 1 });
            continue;
        };
        // A `.env` may serve other programs too, so only a file that was named is held to hold settings alone.
        if named && !is_known(&name) && OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            let nearest = former::successor(&name).or_else(|| nearest(&name));
            faults.push(SettingsError::Unknown { nearest, found: name, path: path.to_owned() });
        } else if !value.trim().is_empty() {
            values.insert(name, value);
        }
    }
    values
}

fn is_known(name: &str) -> bool {
    variable::ALL.iter().any(|known| {
        known.name == name
            || (known.secret && name.strip_suffix("_FILE").is_some_and(|stem| stem == known.name))
    })
}

fn nearest(name: &str) -> Option<&'static str> {
    let likeness = |known: &str| strsim::jaro_winkler(known, name);
    let best = variable::ALL.iter().max_by(|a, b| likeness(a.name).total_cmp(&likeness(b.name)))?;
    (likeness(best.name) >= ALIKE).then_some(best.name)
}
