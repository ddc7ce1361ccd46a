//! The pods' `ServiceAccount`. The server never talks to the API server, so no token is mounted.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::metadata;
use crate::controller::validate::ValidServer;

pub(super) fn build(server: &ValidServer) -> ServiceAccount {
    ServiceAccount {
        metadata: metadata(server),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{metadata_json, oauth_server, valid};

    #[test]
    fn no_token_is_mounted() {
        let object = serde_json::to_value(build(&valid(&oauth_server()))).unwrap();
        let wanted = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata_json(),
            "automountServiceAccountToken": false,
        });
        assert_eq!(object, wanted);
    }
}
