//! What is to be looked at.

use std::{sync::Arc, time::Duration};

use super::{Endpoint, Lenses, credentials::Credentials};

/// What is to be looked at, and all else whose change is a reason to look at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) lenses: Arc<Lenses>,
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) pods: Pods,
    pub(crate) credentials: Credentials,
    pub(crate) interval: Duration,
    /// Stands for what the pods run and for the content of the Secrets and `ConfigMaps` that the
    /// spec names.
    pub(crate) revision: Vec<String>,
}

/// Whether there is an endpoint to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pods {
    /// `spec.replicas` is 0: nothing serves, as asked.
    NotAsked,
    /// None is available.
    None,
    /// Some are, but not all of them what the spec asks for.
    Changing,
    /// All serve what the spec asks for.
    Settled,
}
