//! The `ConfigMap` with the server's settings, as a file.

use k8s_openapi::api::core::v1::ConfigMap;

use super::{metadata, pod_layout::SETTINGS_FILE, settings_file};
use crate::controller::validate::ValidServer;

pub(super) fn build(server: &ValidServer) -> ConfigMap {
    ConfigMap {
        metadata: metadata(server),
        data: Some([(SETTINGS_FILE.to_owned(), settings_file::settings_file(server))].into()),
        ..ConfigMap::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{metadata_json, oauth_server, valid};

    #[test]
    fn the_settings_are_one_file() {
        let server = valid(&oauth_server());
        let object = serde_json::to_value(build(&server)).unwrap();
        let wanted = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata_json(),
            "data": { "settings.env": settings_file::settings_file(&server) },
        });
        assert_eq!(object, wanted);
    }
}
