//! What is left out of the objects that are kept.

use kube::{Resource, ResourceExt};

use crate::{MANAGER, names::MANAGED_BY};

/// What no reconcile looks at.
pub(crate) fn prune<K: Resource>(object: &mut K) {
    object.meta_mut().managed_fields = None;
}

/// Of objects that are not this operator's, only what a reference needs.
pub(crate) fn prune_foreign<K: Resource>(object: &mut K) {
    prune(object);
    if object.labels().get(MANAGED_BY).map(String::as_str) != Some(MANAGER) {
        object.meta_mut().labels = None;
        object.meta_mut().annotations = None;
    }
}
