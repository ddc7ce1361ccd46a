//! Environment variables, and where their values come from.

use std::collections::BTreeMap;

use super::conversion::Conversion;
use crate::commands::sensitive::may_be_secret;

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    /// Where it stands, for people.
    pub(super) key: String,
    pub(super) source: Source,
}

/// Where a variable's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Value(String),
    /// The shell in which docker is run.
    Shell,
    /// A key of a Secret that exists.
    Secret {
        name: String,
        key: String,
    },
    /// Something else, such as `fieldRef`.
    Other(String),
}

/// Where the variables are from.
pub(super) enum Origin {
    /// The chart's sidecar, whose URLs are values of the chart.
    Sidecar,
    /// A container or a process.
    Container,
}

/// Variables that are taken one after the other.
pub(super) struct Environment(BTreeMap<String, Variable>);

impl Environment {
    pub(super) fn new(conversion: &mut Conversion, variables: Vec<Variable>) -> Self {
        let mut all = BTreeMap::new();
        for variable in variables {
            // An empty value is as none.
            if variable.source == Source::Value(String::new()) {
                continue;
            }
            let earlier: Option<Variable> = all.insert(variable.name.clone(), variable);
            if let Some(earlier) = earlier {
                conversion.drop_key(earlier.key, "it is set again later, and the last one holds");
            }
        }
        Self(all)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Variable> {
        self.0.remove(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of a variable that is no secret. What cannot be told is left open, with the field
    /// that it belongs to.
    pub(super) fn text(
        &mut self,
        conversion: &mut Conversion,
        name: &str,
        field: &str,
    ) -> Option<String> {
        let Variable { key, source, .. } = self.take(name)?;
        match source {
            Source::Value(value) if may_be_secret(&value) => {
                let what = format!("it holds a password or a token: write spec.{field} without it");
                conversion.leave_open(key, what);
                None
            }
            Source::Value(value) => Some(value),
            Source::Shell => {
                let what = format!("its value is in your shell: write it into spec.{field}");
                conversion.leave_open(key, what);
                None
            }
            Source::Secret { name, .. } => {
                let what = format!("its value is in Secret {name}: write it into spec.{field}");
                conversion.leave_open(key, what);
                None
            }
            Source::Other(from) => {
                let what = format!("its value comes from {from}: write it into spec.{field}");
                conversion.leave_open(key, what);
                None
            }
        }
    }

    /// The names of the variables that were not taken.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// The variables that were not taken, by name.
    pub(super) fn into_rest(self) -> impl Iterator<Item = (String, Variable)> {
        self.0.into_iter()
    }
}

/// The Secret and the key with a variable's value: the one that it comes from, or one to create.
pub(super) fn secret(
    conversion: &mut Conversion,
    variable: Variable,
    suffix: &str,
    key: &str,
) -> (String, String) {
    if let Source::Secret { name, key } = variable.source {
        return (name, key);
    }
    let name = conversion.object_name(suffix);
    conversion.create_secret(&name, "generic", &[(key, &variable.name)]);
    (name, key.to_owned())
}
