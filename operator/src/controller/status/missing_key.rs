//! A key that a Secret or a `ConfigMap` lacks. The kubelet says which key it is, and not of which
//! object. Pure.

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{KeyToPath, Volume},
};
use lenses_mcp_crds::LensesMcpServer;
use serde_json::Value;

use crate::watching::references::references;

/// The kubelet's words, by kind.
const WORDS: [(&str, &str); 2] = [
    ("Secret", "references non-existent secret key: "),
    ("ConfigMap", "references non-existent config key: "),
];

/// The warning, with the object and the field of the spec if it is about a key.
pub(super) fn named(warning: &str, deployment: &Deployment, server: &LensesMcpServer) -> String {
    let about = |(kind, words): &(&'static str, &str)| Some((*kind, warning.split_once(words)?.1));
    let Some((kind, rest)) = WORDS.iter().find_map(about) else { return warning.to_owned() };
    let key = rest.split([' ', ',', ']']).next().unwrap_or_default();
    let spec = serde_json::to_value(&server.spec).unwrap_or_default();
    let lacking: Vec<_> = references(server)
        .into_iter()
        .filter(|reference| reference.kind.as_str() == kind)
        .filter(|reference| may_name(&spec, reference.field, key))
        .filter(|reference| mounts(deployment, kind, &reference.name, key))
        .map(|reference| {
            format!("{kind} {:?} has no key {key:?} ({})", reference.name, reference.field)
        })
        .collect();
    if lacking.is_empty() { warning.to_owned() } else { lacking.join("; ") }
}

/// Whether the field names this key, or none, and so a usual one.
fn may_name(spec: &Value, field: &str, key: &str) -> bool {
    let pointer = field.replacen("spec", "", 1).replace('.', "/");
    spec.pointer(&pointer).and_then(|at| at.get("key")).is_none_or(|named| named == key)
}

fn mounts(deployment: &Deployment, kind: &str, name: &str, key: &str) -> bool {
    let pod = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let volumes = pod.and_then(|pod| pod.volumes.as_deref()).unwrap_or_default();
    volumes.iter().flat_map(|volume| sources(volume, kind)).any(|(of, items)| {
        of == name && items.is_some_and(|items| items.iter().any(|item| item.key == key))
    })
}

/// The objects of this kind in a volume, with the keys that it takes of each.
fn sources<'a>(volume: &'a Volume, kind: &str) -> Vec<(&'a str, Option<&'a Vec<KeyToPath>>)> {
    let projected = volume.projected.iter().flat_map(|volume| volume.sources.iter().flatten());
    let source = |source: &'a k8s_openapi::api::core::v1::VolumeProjection| match kind {
        "Secret" => source.secret.as_ref().map(|of| (of.name.as_str(), of.items.as_ref())),
        _ => source.config_map.as_ref().map(|of| (of.name.as_str(), of.items.as_ref())),
    };
    projected.filter_map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::{
        build,
        fixtures::{api_key_server, valid},
    };

    #[test]
    fn a_missing_key_names_object_and_field_and_other_warnings_are_quoted() {
        let server = api_key_server();
        let deployment = build::deployment(&valid(&server), "uid");
        let kubelet = |key: &str| {
            format!(
                "MountVolume.SetUp failed for volume \"secrets\" : \
                 references non-existent secret key: {key}"
            )
        };
        for (warning, said) in [
            (
                kubelet("hq-token"),
                "Secret \"hq-account\" has no key \"hq-token\" (spec.auth.apiKey.secretKeyRef)",
            ),
            (
                kubelet("bearer]"),
                "Secret \"our-callers\" has no key \"bearer\" \
                 (spec.auth.apiKey.callers.tokenSecretRef)",
            ),
            (kubelet("other"), &kubelet("other")),
            ("Readiness probe failed".to_owned(), "Readiness probe failed"),
        ] {
            assert_eq!(named(&warning, &deployment, &server), said);
        }
    }
}
