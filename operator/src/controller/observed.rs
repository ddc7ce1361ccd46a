//! What dereference found: everything that the later steps know of the cluster.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use kube::Resource;

use crate::{
    apis::{Deployment, Service, managed_kinds},
    watching::pods::WatchedPod,
};

/// What was read.
#[derive(Default)]
pub(crate) struct Dereferenced {
    /// Each Secret that the spec names: what stands for its content, if it is there.
    pub(crate) secrets: BTreeMap<String, Option<ContentVersion>>,
    /// Each `ConfigMap` that the spec names, likewise.
    pub(crate) config_maps: BTreeMap<String, Option<ContentVersion>>,
    /// The Service of `spec.lenses.serviceRef`, if it is there.
    pub(crate) lenses_service: Option<Service>,
    /// The Deployment as this operator last asked for it.
    pub(crate) last_applied: Option<Deployment>,
    /// This resource's pods, and, where they do not say what is wrong, what the kubelet last warned of.
    pub(crate) pods: Pods,
    /// The objects that have the names of this resource's own.
    pub(crate) children: Observed,
}

/// The pods of a resource.
#[derive(Clone, Default)]
pub(crate) struct Pods {
    pub(crate) seen: Vec<Arc<WatchedPod>>,
    /// The last warning about a pod of which its status does not tell what is wrong.
    pub(crate) warning: Option<String>,
    /// Whether there is such a pod, and no warning about it yet.
    pub(crate) unexplained: bool,
    /// How long until a pod that starts has taken so long that the kubelet's warnings are read.
    pub(crate) patience: Option<Duration>,
}

/// Stands for the content of a Secret or a `ConfigMap`, which is never read: it changes whenever the content does (and when a
/// label does).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContentVersion {
    pub(crate) uid: String,
    pub(crate) resource_version: String,
}

macro_rules! observed {
    ($($field:ident: $kind:ty,)*) => {
        /// Who has the names that this resource's objects need. Of config maps, whose names follow
        /// from their content, this is the one that the pods were last asked to mount.
        #[derive(Default)]
        pub(crate) struct Observed {
            $(pub(crate) $field: Ownership<$kind>,)*
        }

        impl Observed {
            /// The kinds of which somebody else has the name.
            pub(crate) fn taken(&self) -> impl Iterator<Item = Cow<'static, str>> {
                let kinds = [$((<$kind>::kind(&()), self.$field.is_taken()),)*];
                kinds.into_iter().filter_map(|(kind, is_taken)| is_taken.then_some(kind))
            }
        }
    };
}
managed_kinds!(observed);

/// Who has a name.
#[derive(Clone, Debug, Default)]
pub(crate) enum Ownership<K> {
    /// Nobody.
    #[default]
    Free,
    /// This resource; so it looks now.
    Own(Arc<K>),
    /// This resource, but the object has lost the label by which it is watched.
    OwnUnlabelled,
    /// Somebody else.
    Taken,
    /// The cluster does not have the kind.
    NoApi,
}

impl<K> Ownership<K> {
    fn is_taken(&self) -> bool {
        matches!(self, Self::Taken)
    }

    /// The object, if it is this resource's and was seen.
    pub(crate) fn own(&self) -> Option<&Arc<K>> {
        match self {
            Self::Own(object) => Some(object),
            Self::Free | Self::OwnUnlabelled | Self::Taken | Self::NoApi => None,
        }
    }
}
