//! The Secret with the key that seals what the server hands to clients, shared by all replicas. Only its metadata is built here:
//! the key is made once, when the Secret is, and is immutable. A resource whose annotation [`ROTATION`] gets a new value, any value,
//! gets a new Secret, and the pods roll to it; what the old key sealed is refused from then on. Deleting the Secret does the same.

use k8s_openapi::api::core::v1::Secret;
use kube::core::{PartialObjectMeta, PartialObjectMetaExt};

use super::metadata;
use crate::{controller::validate::ValidServer, names::ROTATION};

/// The key of the Secret under which it lies: base64 of 32 random bytes.
pub(in crate::controller) const SEALING_KEY: &str = "sealing-key";

pub(super) fn build(server: &ValidServer) -> PartialObjectMeta<Secret> {
    let mut metadata = metadata(server);
    metadata.annotations =
        server.contents.rotation.clone().map(|rotation| [(ROTATION.to_owned(), rotation)].into());
    metadata.into_request_partial::<Secret>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{metadata_json, oauth_server, valid};

    #[test]
    fn the_wanted_secret_has_no_data_so_that_applying_it_cannot_change_the_key() {
        let object = serde_json::to_value(build(&valid(&oauth_server()))).unwrap();
        assert_eq!(
            object,
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata_json() })
        );
    }

    #[test]
    fn the_secret_says_which_rotation_it_answers() {
        let mut server = oauth_server();
        server.metadata.annotations = Some([(ROTATION.to_owned(), "2026-11-24".to_owned())].into());
        let object = serde_json::to_value(build(&valid(&server))).unwrap();
        assert_eq!(
            object["metadata"]["annotations"],
            json!({ "mcp.lenses.io/rotate-sealing-key": "2026-11-24" })
        );
    }
}
