//! The labels, annotations and label selectors of this operator's objects.

use std::collections::BTreeMap;

use crate::MANAGER;

/// The label that says whose an object is; the watches select by it.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label that says which `LensesMcpServer` an object is for.
pub(crate) const INSTANCE: &str = "app.kubernetes.io/instance";
/// The annotation of pods and their template with the template's digest: by it a pod of the
/// template that is wanted now is told from an older one.
pub(crate) const TEMPLATE: &str = "mcp.lenses.io/template-digest";
/// The annotation with the digest of what was asked for.
pub(crate) const DIGEST: &str = "mcp.lenses.io/digest";
/// The annotation of a Deployment with what its pods let their callers do.
pub(crate) const ACCESS: &str = "mcp.lenses.io/access";
/// The annotation of a Deployment whose old pods go first: what has been narrowed. It goes when
/// the new pods serve.
pub(crate) const NARROWED: &str = "mcp.lenses.io/narrowed";
/// The annotation of a Deployment whose `replicas` is not this operator's. That it is there says
/// that the operator has let go of the field.
pub(crate) const SCALED_BY: &str = "mcp.lenses.io/scaled-by";
/// The annotation of a Deployment with the image that it served with when the default image
/// changed. Only where it served: one that did not come up before says nothing about the new image.
pub(crate) const UPGRADED_FROM: &str = "mcp.lenses.io/upgraded-from";
/// The annotation of a resource that asks for a new sealing key, and of the Secret that says which
/// wish it answers.
pub(crate) const ROTATION: &str = "mcp.lenses.io/rotate-sealing-key";

/// The pods' labels: what the Deployment and the Service select by, which must never change.
pub(crate) fn selector(name: &str) -> BTreeMap<String, String> {
    [("app.kubernetes.io/name", "lenses-mcp-server"), (INSTANCE, name)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// The labels of every object.
pub(crate) fn labels(name: &str) -> BTreeMap<String, String> {
    let mut labels = selector(name);
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    labels.insert("app.kubernetes.io/part-of".to_owned(), "lenses".to_owned());
    labels
}

/// The label selector of this operator's own objects.
pub(crate) fn managed() -> String {
    format!("{MANAGED_BY}={MANAGER}")
}

/// The label selector of everybody else's objects.
pub(crate) fn foreign() -> String {
    format!("{MANAGED_BY}!={MANAGER}")
}
