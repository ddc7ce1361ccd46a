//! Reads variables one by one, notes every fault, and remembers what took effect.

use std::{fmt, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::{
    error::{SettingsError, SettingsErrors},
    variable::Variable,
    variables::{Origin, Variables},
};

/// Longest value that is shown in an error.
const SHOWN_MAX: usize = 200;
/// What to do about a value in quotes.
const WITHOUT_QUOTES: &str = "write it without quotes around it, which docker's --env-file keeps";

/// A fault was found and noted; reading goes on, so that all of them are told together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Invalid;

/// One setting as it took effect: for `--check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Effective {
    name: &'static str,
    value: String,
    origin: Origin,
}

impl fmt::Display for Effective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}='{}' # {}", self.name, self.value, self.origin)
    }
}

pub(super) struct Reader<'a> {
    variables: &'a Variables<'a>,
    faults: Vec<SettingsError>,
    effective: Vec<Effective>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(variables: &'a Variables<'a>) -> Self {
        Self { variables, faults: Vec::new(), effective: Vec::new() }
    }

    /// The value of `variable` or its default, through `parse`, whose error says what to write.
    pub(super) fn value<T>(
        &mut self,
        variable: &'static Variable,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Invalid> {
        match self.optional(variable, parse)? {
            Some(value) => Ok(value),
            None => Err(self.missing(variable, variable.meaning)),
        }
    }

    /// As [`Self::value`], but a variable without a default may stay unset.
    pub(super) fn optional<T>(
        &mut self,
        variable: &'static Variable,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Invalid> {
        let set = self.variables.value(variable.name);
        let Some((text, origin)) =
            set.or_else(|| variable.default.map(|text| (text, Origin::Default)))
        else {
            return Ok(None);
        };
        match parse(text) {
            Ok(value) => {
                self.took_effect(variable, text.to_owned(), origin);
                Ok(Some(value))
            }
            Err(remedy) => {
                let remedy = if is_quoted(text) { WITHOUT_QUOTES.to_owned() } else { remedy };
                Err(self.fault(SettingsError::Invalid {
                    variable: variable.name,
                    found: shown(text),
                    remedy,
                }))
            }
        }
    }

    /// The file that `variable` names, through `parse`, whose error says what the file should hold.
    pub(super) fn file<T>(
        &mut self,
        variable: &'static Variable,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<(PathBuf, T)>, Invalid> {
        let Some((path, origin)) = self.variables.value(variable.name) else { return Ok(None) };
        let text = self.variables.read(variable.name, path).map_err(|fault| self.fault(fault))?;
        match parse(&text) {
            Ok(value) => {
                self.took_effect(variable, path.to_owned(), origin);
                Ok(Some((PathBuf::from(path), value)))
            }
            Err(remedy) => Err(self.fault(SettingsError::Invalid {
                variable: variable.name,
                found: shown(path),
                remedy,
            })),
        }
    }

    /// A secret without spaces, from its variable or from the file that `<variable>_FILE` names.
    /// One line ending at a file's end is not part of it.
    pub(super) fn secret(
        &mut self,
        variable: &'static Variable,
    ) -> Result<Option<SecretString>, Invalid> {
        let Some(secret) = self.secret_text(variable)? else { return Ok(None) };
        if is_quoted(secret.expose_secret()) {
            return Err(self.invalid_secret(variable, "a secret in quotes", WITHOUT_QUOTES));
        }
        if secret.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Some(secret))
        } else {
            Err(self.invalid_secret(
                variable,
                "a secret with a space, a line break or a letter outside ASCII in it",
                "write the secret alone, on one line",
            ))
        }
    }

    /// As [`Self::secret`], whatever the text holds.
    pub(super) fn secret_text(
        &mut self,
        variable: &'static Variable,
    ) -> Result<Option<SecretString>, Invalid> {
        let file_variable = format!("{}_FILE", variable.name);
        let (secret, origin) =
            match (self.variables.value(variable.name), self.variables.value(&file_variable)) {
                (Some(_), Some(_)) => {
                    return Err(self.fault(SettingsError::Conflict {
                        variable: variable.name.to_owned(),
                        other: file_variable,
                        remedy: "keep one of them",
                    }));
                }
                (None, None) => return Ok(None),
                (Some((text, origin)), None) => (text.to_owned(), origin),
                (None, Some((path, _))) => match self.variables.read(&file_variable, path) {
                    Ok(text) => {
                        (text.trim_end_matches(['\r', '\n']).to_owned(), Origin::SecretFile)
                    }
                    Err(fault) => return Err(self.fault(fault)),
                },
            };
        if secret.is_empty() {
            return Err(self.invalid_secret(variable, "an empty file", "write the secret into it"));
        }
        self.took_effect(variable, "(hidden)".to_owned(), origin);
        Ok(Some(SecretString::from(secret)))
    }

    /// A secret of which a part may be shown: `parse` gives both, or what to write instead.
    pub(super) fn secret_shown<T>(
        &mut self,
        variable: &'static Variable,
        parse: impl FnOnce(&str) -> Result<(T, String), &'static str>,
    ) -> Result<Option<T>, Invalid> {
        let Some(secret) = self.secret(variable)? else { return Ok(None) };
        match parse(secret.expose_secret()) {
            Ok((value, shown)) => {
                if let Some(effective) = self.effective.last_mut() {
                    effective.value = shown;
                }
                Ok(Some(value))
            }
            Err(remedy) => {
                Err(self.invalid_secret(variable, "a value that is not shown here", remedy))
            }
        }
    }

    /// The text of `variable` as it is written, or its default; nothing is noted.
    pub(super) fn peek(&self, variable: &'static Variable) -> &str {
        let default = variable.default.unwrap_or_default();
        self.variables.value(variable.name).map_or(default, |(text, _)| text)
    }

    /// Whether `variable` is set, in whatever way.
    pub(super) fn is_set(&self, variable: &Variable) -> bool {
        self.variables.value(variable.name).is_some()
            || (variable.secret
                && self.variables.value(&format!("{}_FILE", variable.name)).is_some())
    }

    /// Notes names that no setting has.
    pub(super) fn refuse_unknown_names(&mut self) {
        self.faults.extend(self.variables.unknown());
    }

    /// Whether the file at `path` can be read.
    pub(super) fn is_there(&self, path: &str) -> bool {
        self.variables.is_there(path)
    }

    /// Notes that `variable` is needed.
    pub(super) fn missing(&mut self, variable: &Variable, remedy: impl Into<String>) -> Invalid {
        self.fault(SettingsError::Missing { variable: variable.name, remedy: remedy.into() })
    }

    /// Notes that a secret can't be used, without showing it.
    pub(super) fn invalid_secret(
        &mut self,
        variable: &Variable,
        found: &str,
        remedy: &str,
    ) -> Invalid {
        self.fault(SettingsError::Invalid {
            variable: variable.name,
            found: found.to_owned(),
            remedy: remedy.to_owned(),
        })
    }

    pub(super) fn fault(&mut self, fault: SettingsError) -> Invalid {
        self.faults.push(fault);
        Invalid
    }

    /// Remembers a value that follows from others.
    pub(super) fn derived(&mut self, variable: &Variable, value: impl Into<String>) {
        self.took_effect(variable, value.into(), Origin::Derived);
    }

    fn took_effect(&mut self, variable: &Variable, value: String, origin: Origin) {
        self.effective.push(Effective { name: variable.name, value, origin });
    }

    /// What `read` reads and the server can do without: a fault in it does not stop the start, but
    /// is a warning that ends with `consequence`, and then there is nothing.
    pub(super) fn dispensable<T>(
        &mut self,
        warnings: &mut Vec<String>,
        consequence: &str,
        read: impl FnOnce(&mut Self) -> Result<T, Invalid>,
    ) -> Option<T> {
        let before = self.faults.len();
        let result = read(self);
        let faults = self.faults.split_off(before);
        if faults.is_empty() {
            return result.ok();
        }
        warnings.extend(faults.iter().map(|fault| format!("{fault}; {consequence}")));
        None
    }

    /// The settings, if nothing was wrong.
    pub(super) fn finish<T>(
        self,
        read: Result<T, Invalid>,
    ) -> Result<(T, Vec<Effective>), SettingsErrors> {
        match read {
            Ok(settings) if self.faults.is_empty() => Ok((settings, self.effective)),
            _ => Err(SettingsErrors(self.faults)),
        }
    }
}

/// Whether `text` is in quotes, as a shell or a settings file would take them off.
fn is_quoted(text: &str) -> bool {
    ['"', '\'']
        .iter()
        .any(|quote| text.strip_prefix(*quote).is_some_and(|rest| rest.ends_with(*quote)))
}

/// A value as an error shows it: quoted, cut, and without what may be a credential in a URL.
pub(super) fn shown(text: &str) -> String {
    if text.contains('@') {
        return "a value with \"@\" in it (not shown: it may hold a password)".to_owned();
    }
    let text =
        text.split_once('?').map_or_else(|| text.to_owned(), |(before, _)| format!("{before}?…"));
    if text.chars().count() > SHOWN_MAX {
        format!("{:?}", text.chars().take(SHOWN_MAX).chain(['…']).collect::<String>())
    } else {
        format!("{text:?}")
    }
}
