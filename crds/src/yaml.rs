//! YAML in and out: the one module that names the YAML libraries.
//!
//! `serde_yaml`, which is archived, only writes. It reads YAML 1.2, and kubectl reads YAML 1.1.

use serde::{Serialize, de::DeserializeOwned};
use serde_saphyr::{DuplicateKeyPolicy, Error};

/// Why YAML could not be read or written.
#[derive(Debug)]
pub struct YamlError(String);

impl std::fmt::Display for YamlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for YamlError {}

/// The value as one YAML document. Text that YAML 1.1 takes for a boolean, such as `no`, is quoted.
///
/// # Errors
/// When the value has a form that YAML cannot hold, such as a map whose keys are maps.
pub fn to_string<T: Serialize>(value: &T) -> Result<String, YamlError> {
    serde_yaml::to_string(value)
        .map(|text| quote_booleans(&text))
        .map_err(|error| YamlError(error.to_string()))
}

/// What the library writes is YAML 1.2. kubectl and Helm read YAML 1.1, in which these texts are
/// booleans unless they are quoted.
const BOOLEANS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];

/// Quotes keys and values that YAML 1.1 takes for booleans and YAML 1.2 does not.
fn quote_booleans(text: &str) -> String {
    let is_boolean = |word: &str| {
        BOOLEANS.contains(&word.to_lowercase().as_str()) && !["true", "false"].contains(&word)
    };
    let quoted = |word: &str| if is_boolean(word) { format!("'{word}'") } else { word.to_owned() };
    let mut made = String::new();
    // The column that the lines of a block of text are to the right of.
    let mut block = None;
    for line in text.lines() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if block.is_some_and(|column| content.is_empty() || indent > column) {
            made.extend([line, "\n"]);
            continue;
        }
        let value = content.trim_start_matches("- ");
        let (dashes, column) = (content.len() - value.len(), line.len() - value.len());
        let begins_block = |text: &str| text.starts_with(['|', '>']) && text.len() < 4;
        block = if begins_block(value) {
            Some((indent + dashes).saturating_sub(2))
        } else {
            let after_key = value.split_once(": ").is_some_and(|(_, value)| begins_block(value));
            after_key.then_some(column)
        };
        made.push_str(line.get(..column).unwrap_or_default());
        match value.split_once(": ") {
            Some((key, value)) => made.extend([quoted(key), ": ".to_owned(), quoted(value)]),
            None => match value.strip_suffix(':') {
                Some(key) => made.extend([quoted(key), ":".to_owned()]),
                None => made.push_str(&quoted(value)),
            },
        }
        made.push('\n');
    }
    made
}

/// How many documents a file may hold, for fleets in one stream.
const MAX_DOCUMENTS: usize = 100_000;
/// How many values: maps, lists and scalars, those that aliases repeat included.
const MAX_NODES: usize = 1_000_000;

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
        budget: serde_saphyr::budget! {
            max_documents: MAX_DOCUMENTS,
            max_nodes: MAX_NODES,
            // A document begins and ends, and so does each map and each list.
            max_events: 4 * MAX_NODES,
        },
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| YamlError(told(&error)))
}

/// The library tells of a limit in Rust's notation.
fn told(error: &Error) -> String {
    let said = error.to_string();
    if !said.starts_with("budget breached") {
        return said;
    }
    let at = error.location().map(|at| format!(" at line {} column {}", at.line(), at.column()));
    format!(
        "it is too large{}: at most {MAX_DOCUMENTS} documents and {MAX_NODES} values, those that \
         aliases repeat included",
        at.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_large_fleet_is_read_and_aliases_that_multiply_are_refused() {
        let fleet = "name: a\n---\n".repeat(3_000);
        assert_eq!(from_documents::<Value>(&fleet).unwrap().len(), 3_000);
        let level = |level: u32| match level.checked_sub(1) {
            None => "a0: &a0 [x, x, x, x, x, x, x, x, x, x]".to_owned(),
            Some(below) => {
                format!("a{level}: &a{level} [{}]", [format!("*a{below}").as_str(); 10].join(", "))
            }
        };
        let bomb = (0..9).map(level).collect::<Vec<_>>().join("\n");
        let said = from_documents::<Value>(&bomb).unwrap_err().to_string();
        assert!(said.starts_with("it is too large at line "), "{said}");
    }

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
        for quoted in ["'off': 'off'", "'Yes':", "- 'no'", "'N'", "'on': 'On'", "'TRUE': 'FALSE'"] {
            assert!(text.contains(quoted), "{quoted}: {text}");
        }
        assert!(text.contains("nothing: north"), "{text}");
        assert_eq!(from_documents::<Value>(&text).unwrap(), [value], "{text}");
    }
}
