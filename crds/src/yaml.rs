//! YAML in and out: the one module that names the YAML library.

use serde::{Serialize, de::DeserializeOwned};

/// Why YAML could not be read or written.
#[derive(Debug)]
pub struct YamlError(serde_yaml::Error);

impl std::fmt::Display for YamlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for YamlError {}

/// The value as one YAML document.
///
/// # Errors
/// When the value has a form that YAML cannot hold, such as a map whose keys are maps.
pub fn to_string<T: Serialize>(value: &T) -> Result<String, YamlError> {
    serde_yaml::to_string(value).map_err(YamlError)
}

/// The values of a file of YAML documents, in order; empty documents are left out.
///
/// # Errors
/// When a document is not YAML or does not describe a `T`; the message tells line and column.
pub fn from_documents<T: DeserializeOwned>(text: &str) -> Result<Vec<T>, YamlError> {
    use serde::Deserialize;
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Option::<T>::deserialize(document).map_err(YamlError))
        .filter_map(Result::transpose)
        .collect()
}
