//! The API server's audit log: who asked for what, and whether that was allowed.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::Path,
};

use serde::Deserialize;

/// A request, as audit.k8s.io/v1 tells it at level Metadata.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// Who asked.
    pub user: AuditUser,
    /// What for: `get`, `watch`, `patch`, … Server-side apply is `patch`.
    pub verb: String,
    /// Of what; `None` for a path that is no resource's.
    pub object_ref: Option<ObjectReference>,
    #[serde(default)]
    annotations: Annotations,
    #[serde(default)]
    response_status: ResponseStatus,
}

/// The one who asked.
#[derive(Clone, Debug, Deserialize)]
pub struct AuditUser {
    /// As in `system:serviceaccount:NAMESPACE:NAME`.
    pub username: String,
}

/// The object or the list that was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ObjectReference {
    /// Empty for the core group.
    pub api_group: String,
    /// The plural.
    pub resource: String,
    /// Empty, or `status`, `log`, …
    pub subresource: String,
    /// Empty for what is in no namespace, and for a list of all namespaces.
    pub namespace: String,
    /// Empty for a list.
    pub name: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Annotations {
    #[serde(default, rename = "authorization.k8s.io/decision")]
    decision: String,
}

impl AuditEvent {
    /// Whether the one who asked had the right to.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.annotations.decision == "allow"
    }

    /// Whether it made an object. Server-side apply may, and needs the right to `create` then,
    /// which the API server asks about beside the one that is told here.
    #[must_use]
    pub fn has_created(&self) -> bool {
        self.response_status.code == 201
    }
}

impl ObjectReference {
    /// As a rule of RBAC names it: `deployments`, `deployments/status`.
    #[must_use]
    pub fn in_rules(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }
}

/// All there is in `directory`, those of files that were full included. A watch is told of twice:
/// when it starts and when it ends.
pub(super) fn read(
    directory: &Path,
) -> io::Result<impl Iterator<Item = io::Result<AuditEvent>> + use<>> {
    let mut logs = Vec::new();
    for entry in fs::read_dir(directory)? {
        // One that was full has the time in its name: audit-TIME.log.
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("audit") && name.ends_with(".log") {
            logs.push(File::open(entry.path())?);
        }
    }
    let lines = logs.into_iter().flat_map(|log| BufReader::new(log).lines());
    Ok(lines.filter_map(|line| match line {
        // One that does not parse is being written.
        Ok(line) => serde_json::from_str(&line).ok().map(Ok),
        Err(error) => Some(Err(error)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_log_file_is_read_except_a_line_still_being_written() {
        let directory = std::env::temp_dir().join(format!("audit-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let allowed = concat!(
            r#"{"verb":"patch","user":{"username":"a"},"objectRef":{"resource":"deployments","#,
            r#""subresource":"status","apiGroup":"apps"},"responseStatus":{"code":201},"#,
            r#""annotations":{"authorization.k8s.io/decision":"allow"}}"#,
        );
        let refused = concat!(
            r#"{"verb":"get","user":{"username":"b"},"#,
            r#""annotations":{"authorization.k8s.io/decision":"forbid"}}"#,
        );
        fs::write(directory.join("audit-2026-01-01T00-00-00.000.log"), format!("{allowed}\n"))
            .unwrap();
        fs::write(directory.join("audit.log"), format!("{refused}\n{{\"verb\":\"ge")).unwrap();
        fs::write(directory.join("audit-policy.json"), "{}").unwrap();
        let mut events: Vec<_> = read(&directory).unwrap().map(Result::unwrap).collect();
        fs::remove_dir_all(&directory).unwrap();
        events.sort_by(|one, other| one.user.username.cmp(&other.user.username));
        let told: Vec<_> = events
            .iter()
            .map(|event| {
                let resource = event.object_ref.as_ref().map(ObjectReference::in_rules);
                (&event.verb[..], resource, event.is_allowed(), event.has_created())
            })
            .collect();
        assert_eq!(
            told,
            [
                ("patch", Some("deployments/status".to_owned()), true, true),
                ("get", None, false, false)
            ]
        );
    }
}
