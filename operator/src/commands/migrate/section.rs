//! Reading an object of values key by key: what is not read is not known.

use serde_json::{Map, Value};

use super::conversion::Conversion;

/// An object of values.
pub(super) struct Section {
    path: String,
    fields: Map<String, Value>,
}

impl Section {
    pub(super) fn new(path: &str, value: Value) -> Self {
        let fields = match value {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self { path: path.to_owned(), fields }
    }

    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The value of a key; null if it is not there.
    pub(super) fn take(&mut self, name: &str) -> Value {
        self.fields.remove(name).unwrap_or(Value::Null)
    }

    /// The value at a JSON pointer, which stays; null if there is none.
    pub(super) fn at(&self, pointer: &str) -> Value {
        let mut parts = pointer.trim_start_matches('/').split('/');
        let first = parts.next().and_then(|name| self.fields.get(name));
        let found = parts.fold(first, |at, name| at.and_then(|value| value.get(name)));
        found.cloned().unwrap_or(Value::Null)
    }

    /// The keys that were not read yet.
    pub(super) fn names(&self) -> Vec<String> {
        self.fields.keys().cloned().collect()
    }

    /// The object of a key. Anything else is left open.
    pub(super) fn section(&mut self, conversion: &mut Conversion, name: &str) -> Section {
        let value = self.take(name);
        if !value.is_object() && !value.is_null() {
            conversion.leave_open(self.key(name), "it is not an object: correct it");
        }
        Section::new(&self.key(name), value)
    }

    /// The text of a key: none if it is not there or empty. A template is left open.
    pub(super) fn text(&mut self, conversion: &mut Conversion, name: &str) -> Option<String> {
        let text = match self.take(name) {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Null => return None,
            Value::Array(_) | Value::Object(_) => {
                conversion.leave_open(self.key(name), "it is not text: correct it");
                return None;
            }
        };
        if text.contains("{{") {
            conversion.leave_open(self.key(name), "it is a template: write what it becomes");
            return None;
        }
        (!text.is_empty()).then_some(text)
    }

    /// Whether a key is true; `default` if it is not there.
    pub(super) fn flag(&mut self, conversion: &mut Conversion, name: &str, default: bool) -> bool {
        match self.take(name) {
            Value::Null => default,
            Value::Bool(value) => value,
            _ => {
                conversion.leave_open(self.key(name), "it is neither true nor false: correct it");
                default
            }
        }
    }

    /// Names every key that was not read.
    pub(super) fn finish(self, conversion: &mut Conversion) {
        for name in self.fields.keys() {
            conversion.leave_open(
                self.key(name),
                "the lenses-hq chart is not known to have this value: look up what it does",
            );
        }
    }
}
