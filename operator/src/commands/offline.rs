//! A reconcile without a cluster: validation and builders as they are, on what a file of manifests can tell.
//!
//! What a resource refers to is looked for among the file's own documents. What is not there is taken to exist and said to be
//! unchecked.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use kube::core::PartialObjectMeta;
use lenses_mcp_crds::LensesMcpServer;
use serde_json::{Value, json};

use crate::{
    context::Defaults,
    controller::{
        build,
        observed::{ContentVersion, Dereferenced, Observed, Ownership},
        validate,
    },
    watching::references::{self, Reference, ReferenceKind},
};

/// Stands for what an API server assigns.
const ASSIGNED: &str = "assigned-by-the-api-server";

/// What a reconcile would come to.
pub(super) struct Judged {
    /// The objects that the resource becomes, or every reason why it cannot.
    pub(super) objects: Result<Vec<Value>, Vec<String>>,
    /// References that were taken to exist.
    pub(super) not_checked: Vec<String>,
    /// What had to be guessed and shows in the objects, each with what would tell.
    pub(super) guessed: Vec<String>,
}

/// Judges `server`, with `documents` as all there is to see.
#[must_use]
pub(super) fn judge(
    mut server: LensesMcpServer,
    documents: &[&Value],
    defaults: &Defaults,
) -> Judged {
    server.metadata.uid.get_or_insert_with(|| ASSIGNED.to_owned());
    let mut found = Dereferenced { children: nothing_made_yet(), ..Dereferenced::default() };
    let (mut not_checked, mut guessed) = (Vec::new(), Vec::new());
    for reference in references::references(&server) {
        let known = documents.iter().find(|document| is(document, &reference));
        let Reference { kind, namespace, name, field, rolls: _ } = reference;
        if known.is_none() {
            not_checked.push(format!("{field}: {} {namespace}/{name}", kind.as_str()));
        }
        let version = || {
            Some(ContentVersion { uid: ASSIGNED.to_owned(), resource_version: ASSIGNED.to_owned() })
        };
        match kind {
            ReferenceKind::Secret => drop(found.secrets.insert(name, version())),
            ReferenceKind::ConfigMap => drop(found.config_maps.insert(name, version())),
            ReferenceKind::Service => {
                let service = known.and_then(|document| {
                    serde_json::from_value::<Service>((*document).clone()).ok()
                });
                let service = service.unwrap_or_else(|| {
                    let port = server.spec.lenses.service_ref.as_ref().map(|reference| json!(reference.port));
                    let (service, guess) = service_with(&port.unwrap_or_default());
                    guessed.extend(guess.map(|port| {
                        let service = format!("Service {namespace}/{name}");
                        format!("{field}: the number of port {port} stands in {service}: give its manifest too (-f), or write the number")
                    }));
                    service
                });
                found.lenses_service = Some(service);
            }
        }
    }
    let objects = match validate::validate(&server, &found, defaults) {
        Ok(valid) => Ok(build::build(&valid)
            .objects()
            .flatten()
            .filter(|object| !object.is_null())
            .collect()),
        Err(rejections) => Err(rejections.messages()),
    };
    Judged { objects, not_checked, guessed }
}

fn is(document: &Value, reference: &Reference) -> bool {
    document["kind"] == json!(reference.kind.as_str())
        && document["metadata"]["namespace"] == json!(reference.namespace)
        && document["metadata"]["name"] == json!(reference.name)
}

/// A Service that has the port; with a named port, what was guessed.
fn service_with(port: &Value) -> (Service, Option<String>) {
    match port.as_str() {
        Some(name) => {
            let ports = json!([{ "name": name, "port": 80 }]);
            (
                serde_json::from_value(json!({ "spec": { "ports": ports } })).unwrap_or_default(),
                Some(name.to_owned()),
            )
        }
        // One without ports leaves the number to the reference.
        None => (Service::default(), None),
    }
}

/// No name is taken, and the sealing key is there, as it is from the second reconcile on.
fn nothing_made_yet() -> Observed {
    let mut key = PartialObjectMeta::default();
    key.metadata.uid = Some(ASSIGNED.to_owned());
    Observed { sealing_key: Ownership::Own(Arc::new(key)), ..Observed::default() }
}
