//! The chart of a previous release, which had fewer values and an older CRD.

use std::{fs, path::Path};

use lenses_mcp_crds::yaml;
use lenses_mcp_e2e::bed::{CHART, Trouble, helm};
use serde_json::Value;

use crate::registry::PREVIOUS;

/// The keys that the first chart did not have, each with null.
const SINCE_THE_FIRST: &str = include_str!("../renders_the_charts/values/reuse-values.yaml");
/// A field of the spec that the older definition does not have, and no rule is about.
pub(crate) const NEW_FIELD: &str = "limits";

/// Packages it into `directory`, and gives the path of the package.
///
/// # Errors
/// When a file of the chart is not as it is expected, and what Helm says.
pub(crate) async fn package(directory: &Path) -> Result<String, Trouble> {
    let chart = directory.join("lenses-mcp-operator");
    copy(Path::new(CHART), &chart)?;
    change(&chart.join("values.yaml"), |values| {
        remove(values, &only(SINCE_THE_FIRST)?);
        Ok(())
    })?;
    change(&chart.join("files/lensesmcpservers.yaml"), |definition| {
        let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let spec = schema["properties"]["spec"]["properties"].as_object_mut();
        let removed = spec.and_then(|fields| fields.remove(NEW_FIELD));
        removed.map(drop).ok_or_else(|| format!("the spec has no field {NEW_FIELD}").into())
    })?;
    let (from, to) = (chart.to_string_lossy(), directory.to_string_lossy());
    let version = ["--version", PREVIOUS, "--app-version", PREVIOUS];
    helm(&[&["package", &from, "--destination", &to], &version[..]].concat()).await?;
    Ok(format!("{to}/lenses-mcp-operator-{PREVIOUS}.tgz"))
}

/// Removes what `pattern` has null for.
fn remove(values: &mut Value, pattern: &Value) {
    let (Some(values), Some(pattern)) = (values.as_object_mut(), pattern.as_object()) else {
        return;
    };
    for (key, pattern) in pattern {
        if pattern.is_null() {
            values.remove(key);
        } else if let Some(value) = values.get_mut(key) {
            remove(value, pattern);
        }
    }
}

fn change(
    file: &Path,
    edit: impl FnOnce(&mut Value) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut document = only(&fs::read_to_string(file)?)?;
    edit(&mut document)?;
    // JSON is YAML.
    Ok(fs::write(file, document.to_string())?)
}

fn only(text: &str) -> Result<Value, Trouble> {
    yaml::from_documents(text)?.pop().ok_or_else(|| "no document".into())
}

fn copy(from: &Path, to: &Path) -> Result<(), Trouble> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
