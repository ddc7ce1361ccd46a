//! The files of `examples/gitops`, and what is applied of them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use lenses_mcp_crds::yaml;
use lenses_mcp_e2e::bed::Trouble;
use serde_json::Value;

use crate::tool::kubectl;

/// The examples: a repository as a user has it.
pub(crate) const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/gitops");

/// The directories that Flux and Argo CD build, and `flux`, which a user applies.
pub(crate) const KUSTOMIZATIONS: [&str; 4] =
    ["flux", "flux/operator", "servers/overlays/staging", "servers/overlays/production"];

/// What is applied as it is.
pub(crate) const MANIFESTS: [&str; 5] = [
    "external-secrets/store.yaml",
    "argocd/argocd-cm.yaml",
    "argocd/fleet.yaml",
    "argocd/apps/operator.yaml",
    "argocd/apps/servers.yaml",
];

/// The objects of a directory, as `kubectl kustomize` builds it.
pub(crate) async fn built(directory: &str) -> Result<Vec<Value>, Trouble> {
    let text = kubectl(&["kustomize", &format!("{REPOSITORY}/{directory}")], "").await?;
    Ok(yaml::from_documents(&text)?)
}

/// The objects of a file.
pub(crate) fn read(file: impl AsRef<Path>) -> Result<Vec<Value>, Trouble> {
    let text = fs::read_to_string(Path::new(REPOSITORY).join(file))?;
    Ok(yaml::from_documents(&text)?)
}

/// All objects that are applied.
pub(crate) async fn objects() -> Result<Vec<Value>, Trouble> {
    let mut objects = Vec::new();
    for directory in KUSTOMIZATIONS {
        objects.extend(built(directory).await?);
    }
    for file in MANIFESTS {
        objects.extend(read(file)?);
    }
    Ok(objects)
}

/// The objects of one kind, the API's group and version included.
pub(crate) fn of_kind<'a>(objects: &'a [Value], api: &str, kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["apiVersion"] == api && object["kind"] == kind).collect()
}

/// The files of a kustomization, and of those that it includes.
pub(crate) fn files(directory: &Path) -> Result<BTreeSet<PathBuf>, Trouble> {
    let file = directory.join("kustomization.yaml");
    let kustomization = read(&file)?.pop().ok_or("an empty kustomization")?;
    let mut found = BTreeSet::from([fs::canonicalize(file)?]);
    let listed = |name: &str| kustomization[name].as_array().cloned().unwrap_or_default();
    let paths = listed("resources").into_iter().chain(listed("components"));
    let patches = listed("patches").into_iter().map(|patch| patch["path"].clone());
    for path in paths.chain(patches) {
        let path = directory.join(path.as_str().ok_or("a patch without a path")?);
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.insert(fs::canonicalize(path)?);
        }
    }
    Ok(found)
}

/// All files of the repository.
pub(crate) fn all_files(directory: &Path) -> Result<BTreeSet<PathBuf>, Trouble> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(all_files(&path)?);
        } else {
            found.insert(fs::canonicalize(path)?);
        }
    }
    Ok(found)
}
