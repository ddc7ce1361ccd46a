//! The `CustomResourceDefinition`, made from the types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::CustomResourceExt;

use crate::{
    v1alpha1::LensesMcpServer,
    yaml::{self, YamlError},
};

/// The CRD of `LensesMcpServer` as the API server takes it.
#[must_use]
pub fn custom_resource_definition() -> CustomResourceDefinition {
    let mut crd = LensesMcpServer::crd();
    for version in &mut crd.spec.versions {
        if let Some(schema) =
            version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut())
        {
            tidy(schema);
        }
    }
    crd
}

/// The file that `make generate` writes; the chart links to it.
///
/// # Errors
/// Never in practice: a CRD has a form that YAML can hold.
pub fn manifest() -> Result<String, YamlError> {
    Ok(format!(
        "# Made by `make generate` from crds/src/v1alpha1.rs. Do not edit.\n{}",
        yaml::to_string(&custom_resource_definition())?
    ))
}

/// Two things of `schemars` that the API server takes otherwise. Formats of Rust's integers
/// (`uint16`, …) are unknown to it and only warned about. And `nullable` would let an explicit
/// `null` reach the rules, where without it such a field is dropped before defaults are set, as if
/// it had not been written.
fn tidy(schema: &mut JSONSchemaProps) {
    if schema
        .format
        .as_deref()
        .is_some_and(|format| format.starts_with("uint") || format == "int16")
    {
        schema.format = None;
    }
    schema.nullable = None;
    // Kubernetes' own description of quantities is an essay.
    if schema
        .description
        .as_deref()
        .is_some_and(|text| text.starts_with("Quantity is a fixed-point"))
    {
        schema.description = Some("A quantity, such as 500m, 2 or 64Mi.".to_owned());
    }
    schema.properties.iter_mut().flat_map(|properties| properties.values_mut()).for_each(tidy);
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &mut schema.items {
        tidy(item);
    }
}
