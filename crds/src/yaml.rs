//! YAML in and out: the one module that names the YAML library.

use serde::{Serialize, de::DeserializeOwned};
use serde_saphyr::DuplicateKeyPolicy;

/// Why YAML could not be read or written.
#[derive(Debug)]
pub struct YamlError(String);

impl std::fmt::Display for YamlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for YamlError {}

/// The value as one YAML document. Text that YAML 1.1 takes for something else, such as `no`, is
/// quoted.
///
/// # Errors
/// When the value has a form that YAML cannot hold, such as a map whose keys are maps.
pub fn to_string<T: Serialize>(value: &T) -> Result<String, YamlError> {
    let options = serde_saphyr::ser_options! {
        // A line of any length is one line.
        folded_wrap_chars: usize::MAX,
    };
    serde_saphyr::to_string_with_options(value, options)
        .map_err(|error| YamlError(error.to_string()))
}

/// The values of a file of YAML documents, in order; empty documents are left out.
///
/// They are read as kubectl and Helm read them, which is YAML 1.1: `yes` is a boolean, `0644` is an
/// octal number, `<<` merges a map, and of two equal keys the last counts.
///
/// # Errors
/// When a document is not YAML or does not describe a `T`; the message tells line and column.
pub fn from_documents<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, YamlError> {
    let options = serde_saphyr::options! {
        strict_booleans: false,
        legacy_octal_numbers: true,
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| YamlError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_yaml_1_1_takes_for_booleans_is_quoted() {
        let value = json!({
            "off": "off",
            "Yes": ["no", ["N", { "on": "On", "text": "one\n- no\noff: on\n" }], "a\nyes"],
            "true": true,
            "TRUE": "FALSE",
            "nothing": "north",
        });
        let text = to_string(&value).unwrap();
        for quoted in [r#""off": "off""#, r#""Yes":"#, r#"- "no""#, r#""N""#, r#""on": "On""#] {
            assert!(text.contains(quoted), "{quoted}: {text}");
        }
        assert!(text.contains("nothing: north"), "{text}");
        assert_eq!(from_documents::<Value>(&text).unwrap(), [value], "{text}");
    }
}
