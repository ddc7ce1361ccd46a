//! Deployments that are stored otherwise than they are applied, because admission rewrites them: a
//! registry mirror's images are an example.
//!
//! Not kept over a restart, after which each of them is applied once.

use k8s_openapi::api::apps::v1::Deployment;
use kube::{ResourceExt, runtime::reflector::ObjectRef};

use crate::{by_server::ByServer, watching::servers::WatchedServer};

/// The version of a spec: the Deployment's uid, and its generation, which grows with each change of
/// the spec.
pub(crate) type Version = (Option<String>, Option<i64>);

/// The version of each, as admission made it of what the operator last applied.
#[derive(Default)]
pub(crate) struct Rewritten(pub(crate) ByServer<Version>);

impl Rewritten {
    /// Notes what the API server made of a Deployment that the operator applied.
    pub(crate) fn note(&self, applied: &Deployment, is_rewritten: bool) {
        let server = server(applied);
        if is_rewritten {
            self.0.values().insert(server, version(applied));
        } else {
            self.0.forget(&server);
        }
    }

    /// Whether admission rewrote the Deployment, and nobody has changed its spec since.
    pub(crate) fn is_unchanged(&self, observed: &Deployment) -> bool {
        self.0.values().get(&server(observed)) == Some(&version(observed))
    }
}

/// The resource that a Deployment is of.
fn server(deployment: &Deployment) -> ObjectRef<WatchedServer> {
    ObjectRef::new(&deployment.name_any()).within(&deployment.namespace().unwrap_or_default())
}

fn version(deployment: &Deployment) -> Version {
    (deployment.metadata.uid.clone(), deployment.metadata.generation)
}
