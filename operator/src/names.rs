//! The labels, annotations and label selectors of this operator's objects.

use std::collections::BTreeMap;

use crate::MANAGER;

/// The label that says whose an object is; the watches select by it.
pub(crate) const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The label that says which `LensesMcpServer` an object is for.
pub(crate) const INSTANCE: &str = "app.kubernetes.io/instance";
/// The annotation of pods and their template with the template's digest: by it a pod of the
/// template that is wanted now is told from an older one.
pub(crate) const TEMPLATE: &str = "mcp.lenses.io/template-digest";
/// The annotation with the digest of what was asked for.
pub(crate) const DIGEST: &str = "mcp.lenses.io/digest";
/// The annotation of a Deployment with what its pods let their callers do.
pub(crate) const ACCESS: &str = "mcp.lenses.io/access";
/// The annotation of a Deployment whose old pods go first: what has been narrowed. It goes when
/// the new pods serve.
pub(crate) const NARROWED: &str = "mcp.lenses.io/narrowed";
/// The annotation of a Deployment whose `replicas` is not this operator's. That it is there says
/// that the operator has let go of the field.
pub(crate) const SCALED_BY: &str = "mcp.lenses.io/scaled-by";
/// The annotation of a pod template with the digest of what stands for the content of the Secrets
/// and `ConfigMaps` that the spec names.
pub(crate) const SECRETS_DIGEST: &str = "mcp.lenses.io/secrets-digest";
/// The annotation of a Deployment with all that this operator last asked for in it, as JSON. While
/// a server waits for its turn in an upgrade, the operator goes on asking for that.
pub(crate) const LAST_APPLIED: &str = "mcp.lenses.io/last-applied-configuration";
/// The annotation of a Deployment whose pods were changed in the server's turn: the condition that
/// was true before, and with which the turn ends.
pub(crate) const TURN_ENDS: &str = "mcp.lenses.io/turn-ends-when";
/// The annotation of a resource that asks for a new sealing key, and of the Secret that says which
/// wish it answers.
pub(crate) const ROTATION: &str = "mcp.lenses.io/rotate-sealing-key";

/// The volume of pods with the server's settings.
pub(crate) const SETTINGS_VOLUME: &str = "settings";

/// The pods' labels: what the Deployment and the Service select by, which must never change.
pub(crate) fn selector(name: &str) -> BTreeMap<String, String> {
    [("app.kubernetes.io/name", "lenses-mcp-server"), (INSTANCE, name)]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// The labels of every object.
pub(crate) fn labels(name: &str) -> BTreeMap<String, String> {
    let mut labels = selector(name);
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    labels.insert("app.kubernetes.io/part-of".to_owned(), "lenses".to_owned());
    labels
}

/// How many characters of a digest end the name of a `ConfigMap` with settings.
const SUFFIX: usize = 10;

/// The name of the `ConfigMap` with the settings that have this digest, in hexadecimal.
pub(crate) fn settings(server: &str, digest: &str) -> String {
    format!("{server}-{digest:.SUFFIX$}")
}

/// The server whose settings a `ConfigMap` of this name may hold.
pub(crate) fn server_of_settings(name: &str) -> Option<&str> {
    let (server, suffix) = name.rsplit_once('-')?;
    let is_digest = suffix.len() == SUFFIX
        && suffix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_digest.then_some(server)
}

/// The label selector of this operator's own objects.
pub(crate) fn managed() -> String {
    format!("{MANAGED_BY}={MANAGER}")
}

/// The label selector of everybody else's objects.
pub(crate) fn foreign() -> String {
    format!("{MANAGED_BY}!={MANAGER}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_settings_leads_back_to_their_server() {
        let name = settings("team-mcp", "0123456789abcdef");
        assert_eq!(name, "team-mcp-0123456789");
        assert_eq!(server_of_settings(&name), Some("team-mcp"));
        for other in ["team-mcp", "team-mcp-012345678", "team-mcp-012345678X", "0123456789"] {
            assert_eq!(server_of_settings(other), None, "{other}");
        }
    }
}
