//! The manifests, and what must come of each in a cluster.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use lenses_mcp_crds::yaml;
use serde_json::Value;

/// The directory of all of them, by the path that kubectl shows.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../operator/tests/manifests")
        .canonicalize()
        .unwrap()
}

/// The directories, and whether the API server or the operator refuses what is in them. What only
/// one of `check` and the cluster refuses says why in its first line.
const VERDICTS: [(&str, bool); 4] = [
    ("valid", false),
    ("refused", true),
    ("refused-by-check-alone", false),
    ("refused-in-the-cluster-alone", true),
];

pub(crate) struct Manifest {
    /// Its path, as kubectl names it.
    pub(crate) file: String,
    /// The directory that it is in.
    pub(crate) directory: &'static str,
    pub(crate) is_refused: bool,
    /// Namespace and name of each resource, as far as they can be read.
    pub(crate) servers: Vec<(String, String)>,
    pub(crate) namespaces: BTreeSet<String>,
}

pub(crate) fn read() -> Vec<Manifest> {
    let directories = VERDICTS.into_iter().flat_map(|(directory, is_refused)| {
        let files = fs::read_dir(self::directory().join(directory)).unwrap();
        files.map(move |file| manifest(&file.unwrap().path(), directory, is_refused))
    });
    directories.collect()
}

fn manifest(path: &Path, directory: &'static str, is_refused: bool) -> Manifest {
    let text = fs::read_to_string(path).unwrap();
    let documents: Vec<Value> = yaml::from_documents(&text).unwrap_or_default();
    let items = documents.into_iter().flat_map(|document| match document["items"].as_array() {
        Some(items) => items.clone(),
        None => vec![document],
    });
    let (mut servers, mut namespaces) = (Vec::new(), BTreeSet::new());
    for object in items {
        let metadata = &object["metadata"];
        let Some(namespace) = metadata["namespace"].as_str() else { continue };
        namespaces.insert(namespace.to_owned());
        if object["kind"] == "LensesMcpServer"
            && let Some(name) = metadata["name"].as_str()
        {
            servers.push((namespace.to_owned(), name.to_owned()));
        }
    }
    Manifest { file: path.display().to_string(), directory, is_refused, servers, namespaces }
}
