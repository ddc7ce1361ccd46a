//! The `ConfigMap` with the server's settings, as a file.
//!
//! It never changes: other settings are another `ConfigMap`, named by their digest. So pods that
//! serve on can restart with the settings that they began with, whatever the new pods get.

use std::fmt::Write;

use k8s_openapi::{api::core::v1::ConfigMap, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use sha2::{Digest, Sha256};

use super::{metadata, pod_layout::SETTINGS_FILE, settings_file};
use crate::{controller::validate::ValidServer, names};

pub(super) fn build(server: &ValidServer) -> ConfigMap {
    let settings = settings_file::settings_file(server);
    ConfigMap {
        metadata: ObjectMeta { name: Some(named(server, &settings)), ..metadata(server) },
        data: Some([(SETTINGS_FILE.to_owned(), settings)].into()),
        immutable: Some(true),
        ..ConfigMap::default()
    }
}

/// Its name.
pub(super) fn name(server: &ValidServer) -> String {
    named(server, &settings_file::settings_file(server))
}

fn named(server: &ValidServer, settings: &str) -> String {
    let digest = Sha256::digest(settings).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    });
    names::settings(&server.name, &digest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{metadata_json, oauth_server, valid};

    #[test]
    fn the_settings_are_one_file_that_never_changes() {
        let server = valid(&oauth_server());
        let mut metadata = metadata_json();
        metadata["name"] = json!(name(&server));
        let object = serde_json::to_value(build(&server)).unwrap();
        let wanted = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata,
            "immutable": true,
            "data": { "settings.env": settings_file::settings_file(&server) },
        });
        assert_eq!(object, wanted);
    }

    #[test]
    fn other_settings_are_another_config_map_and_another_image_is_not() {
        let mut server = oauth_server();
        let before = name(&valid(&server));
        assert_eq!(names::server_of_settings(&before), Some("team-mcp"));
        server.spec.image = Some("other:2".into());
        assert_eq!(name(&valid(&server)), before);
        server.spec.tools.read_only = true;
        assert_ne!(name(&valid(&server)), before);
    }
}
