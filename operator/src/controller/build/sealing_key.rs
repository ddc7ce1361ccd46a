//! The Secret with the key that seals what the server hands to clients, shared by all replicas. Only its metadata is built here:
//! the key is made once, when the Secret is, and is immutable. To change it, delete the Secret; the pods roll to the new one.

use k8s_openapi::api::core::v1::Secret;
use kube::core::{PartialObjectMeta, PartialObjectMetaExt};

use super::metadata;
use crate::controller::validate::ValidServer;

/// The key of the Secret under which it lies: base64 of 32 random bytes.
pub(in crate::controller) const SEALING_KEY: &str = "sealing-key";

pub(super) fn build(server: &ValidServer) -> PartialObjectMeta<Secret> {
    metadata(server).into_request_partial::<Secret>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{metadata_json, oauth_server, valid};

    #[test]
    fn the_wanted_secret_has_no_data_so_that_applying_it_cannot_change_the_key() {
        let object = serde_json::to_value(build(&valid(&oauth_server()))).unwrap();
        assert_eq!(object, json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata_json() }));
    }
}
