//! Reading manifests: files of documents, `List`s taken apart.

mod json;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use lenses_mcp_crds::{GROUP, yaml};
use serde_json::{Value, json};

use super::Files;
use json::Json;

/// This operator's kind.
const KIND: &str = "LensesMcpServer";

/// A document, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// The file, as it was given.
    pub(super) file: String,
    /// The object, with a namespace.
    pub(super) object: Value,
}

/// Why manifests could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ManifestError {
    #[error("failed to read {file}: {source}")]
    Read { file: String, source: std::io::Error },
    #[error("{file} is not YAML: {reason}")]
    NotYaml { file: String, reason: String },
    #[error("no LensesMcpServer in {0}")]
    NoServer(String),
}

impl Document {
    pub(super) fn kind(&self) -> &str {
        self.object["kind"].as_str().unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.object["metadata"]["namespace"].as_str().unwrap_or_default()
    }

    /// Whether it is of this operator's kind, whatever its version.
    pub(super) fn is_server(&self) -> bool {
        let group = self.object["apiVersion"]
            .as_str()
            .and_then(|version| version.split_once('/'))
            .map(|(group, _)| group);
        self.kind() == KIND && group.is_none_or(|group| group == GROUP)
    }

    /// Whether it was meant to be of this operator's kind: only its kind or only its group is right,
    /// or its kind in other letters.
    pub(super) fn is_mistyped_server(&self) -> bool {
        self.mistyping().is_some()
    }

    /// What is wrong with kind or group of one that was meant to be of this operator's kind.
    pub(super) fn mistyping(&self) -> Option<String> {
        let version = self.object["apiVersion"].as_str().unwrap_or_default();
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let meant = self.kind().eq_ignore_ascii_case(KIND)
            || self.kind().eq_ignore_ascii_case("LensesMcpServers");
        match (self.kind() == KIND, group == GROUP) {
            (true, false) if version.contains('/') => {
                Some(format!("apiVersion: {version} has no {KIND}: write {GROUP}/v1alpha1"))
            }
            (false, is_ours) if is_ours || meant => {
                Some(format!("kind: {version} has no {}: write {KIND}", self.kind()))
            }
            _ => None,
        }
    }
}

/// The files that are meant: those of a directory are those that kubectl takes.
fn files(path: &Path, recursive: bool) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries: Vec<_> =
        std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    let mut all = Vec::new();
    for entry in entries {
        let is_manifest = entry.extension().is_some_and(|extension| {
            ["yaml", "yml", "json"].iter().any(|known| extension == *known)
        });
        if entry.is_dir() {
            if recursive {
                all.extend(files(&entry, recursive)?);
            }
        } else if is_manifest {
            all.push(entry);
        }
    }
    Ok(all)
}

/// All documents of all files. At least one is a `LensesMcpServer`.
pub(super) fn read(given: &Files) -> Result<Vec<Document>, ManifestError> {
    let mut documents = Vec::new();
    let mut paths = Vec::new();
    for path in &given.filename {
        let found = files(path, given.recursive)
            .map_err(|source| ManifestError::Read { file: path.display().to_string(), source })?;
        paths.extend(found);
    }
    for path in &paths {
        let file = if path == Path::new("-") {
            "standard input".to_owned()
        } else {
            path.display().to_string()
        };
        let text =
            text(path).map_err(|source| ManifestError::Read { file: file.clone(), source })?;
        documents.extend(parse(&file, &text, &given.namespace)?);
    }
    if documents.iter().any(|one| one.is_server() || one.is_mistyped_server()) {
        return Ok(documents);
    }
    let names: Vec<_> = given.filename.iter().map(|path| path.display().to_string()).collect();
    Err(ManifestError::NoServer(names.join(", ")))
}

fn text(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}

fn parse(file: &str, text: &str, namespace: &str) -> Result<Vec<Document>, ManifestError> {
    let values = yaml::from_documents(text).map_err(|error| ManifestError::NotYaml {
        file: file.to_owned(),
        reason: error.to_string(),
    })?;
    let objects = values.into_iter().flat_map(|Json(mut value)| match value["items"].take() {
        Value::Array(items)
            if value["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) =>
        {
            items
        }
        Value::Null => vec![value],
        other => {
            value["items"] = other;
            vec![value]
        }
    });
    Ok(objects
        .map(|object| Document { file: file.to_owned(), object: in_namespace(object, namespace) })
        .collect())
}

fn in_namespace(mut object: Value, namespace: &str) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        let own = metadata.entry("namespace").or_insert(Value::Null);
        if own.is_null() {
            *own = json!(namespace);
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_lists_are_taken_apart_and_get_a_namespace() {
        let text = "kind: A\nmetadata: {name: a}\n---\n---\nkind: List\nitems:\n- kind: B\n  metadata: {name: b, namespace: own}\n- kind: C\n";
        let documents = parse("f", text, "given").unwrap();
        let seen: Vec<_> = documents.iter().map(|d| (d.kind(), d.name(), d.namespace())).collect();
        assert_eq!(seen, [("A", "a", "given"), ("B", "b", "own"), ("C", "", "")]);
    }

    #[test]
    fn what_is_not_yaml_is_said_with_its_place() {
        let error = parse("f.yaml", "a: [\n", "n").unwrap_err().to_string();
        assert!(error.starts_with("f.yaml is not YAML: ") && error.contains("line"), "{error}");
    }
}
