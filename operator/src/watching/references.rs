//! What a resource refers to, and the other way round: which resources refer to an object.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kube::{
    ResourceExt,
    runtime::{reflector::ObjectRef, watcher::Event},
};
use lenses_mcp_crds::LensesMcpServer;

use super::servers::WatchedServer;

/// An object that a resource's spec names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Reference {
    pub(crate) kind: ReferenceKind,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The field of the spec that names it.
    pub(crate) field: &'static str,
    /// Whether the pods read it at their start only, so that a change of it rolls them.
    pub(crate) rolls: bool,
}

/// The kinds that a spec can refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ReferenceKind {
    Secret,
    ConfigMap,
    Service,
}

impl ReferenceKind {
    /// The kind as Kubernetes writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "Secret",
            Self::ConfigMap => "ConfigMap",
            Self::Service => "Service",
        }
    }

    /// The other way round; none for a kind that no spec refers to.
    fn of(kind: &str) -> Option<Self> {
        [Self::Secret, Self::ConfigMap, Self::Service]
            .into_iter()
            .find(|known| known.as_str() == kind)
    }
}

/// Where the token is that verification shows. The pods do not mount it, and serve without it.
pub(crate) const VERIFICATION_CREDENTIAL: &str = "spec.verification.credentialSecretRef";

/// Everything that the spec refers to.
pub(crate) fn references(server: &LensesMcpServer) -> Vec<Reference> {
    let own = server.namespace().unwrap_or_default();
    let spec = &server.spec;
    let mounted = |kind, field, name: &str| Reference {
        kind,
        namespace: own.clone(),
        name: name.to_owned(),
        field,
        rolls: true,
    };
    let secret = |field, name: &str| mounted(ReferenceKind::Secret, field, name);
    let mut references = Vec::new();
    if let Some(service) = &spec.lenses.service_ref {
        references.push(Reference {
            kind: ReferenceKind::Service,
            namespace: service.namespace.clone().unwrap_or_else(|| own.clone()),
            name: service.name.clone(),
            field: "spec.lenses.serviceRef",
            rolls: false,
        });
    }
    if let Some(bundle) = &spec.lenses.ca_bundle {
        let config_map = bundle.config_map_key_ref.as_ref();
        references.extend(config_map.map(|key| {
            mounted(ReferenceKind::ConfigMap, "spec.lenses.caBundle.configMapKeyRef", &key.name)
        }));
        references.extend(
            bundle
                .secret_key_ref
                .as_ref()
                .map(|key| secret("spec.lenses.caBundle.secretKeyRef", &key.name)),
        );
    }
    if let Some(certificate) = &spec.lenses.client_certificate {
        references.push(secret("spec.lenses.clientCertificate", &certificate.secret_name));
    }
    let proxy = spec.lenses.proxy.as_ref();
    if let Some(credentials) = proxy.and_then(|proxy| proxy.credentials_secret_ref.as_ref()) {
        references.push(secret("spec.lenses.proxy.credentialsSecretRef", &credentials.name));
    }
    if let Some(certificate) = &spec.endpoint.tls {
        // The server takes a new certificate up by itself.
        references.push(Reference {
            rolls: false,
            ..secret("spec.endpoint.tls", &certificate.secret_name)
        });
    }
    if let Some(client) = spec
        .auth
        .oauth
        .as_ref()
        .and_then(|oauth| oauth.introspection.client_credentials_secret_ref.as_ref())
    {
        references
            .push(secret("spec.auth.oauth.introspection.clientCredentialsSecretRef", &client.name));
    }
    if let Some(api_key) = &spec.auth.api_key {
        references.push(secret("spec.auth.apiKey.secretKeyRef", &api_key.secret_key_ref.name));
        if let Some(token) = &api_key.callers.token_secret_ref {
            references.push(secret("spec.auth.apiKey.callers.tokenSecretRef", &token.name));
        }
    }
    if let Some(credential) = &spec.verification.credential_secret_ref {
        references.push(secret(VERIFICATION_CREDENTIAL, &credential.name));
    }
    references
}

/// Who refers to what, kept up with the watch of the resources.
#[derive(Default)]
pub(crate) struct Index(Mutex<State>);

#[derive(Default)]
struct State {
    now: Table,
    /// What a list that is under way has shown so far; it takes the place of `now` when it is complete.
    listing: Table,
}

#[derive(Default)]
struct Table {
    referrers: HashMap<Key, HashSet<ObjectRef<WatchedServer>>>,
    references: HashMap<ObjectRef<WatchedServer>, Vec<Key>>,
}

/// Kind, namespace and name.
type Key = (ReferenceKind, String, String);

impl Index {
    /// Takes an event of the watch in.
    pub(crate) fn follow(&self, event: &Event<WatchedServer>) {
        let mut state = self.state();
        match event {
            Event::Init => state.listing = Table::default(),
            Event::InitApply(server) => state.listing.insert(server),
            Event::InitDone => state.now = mem::take(&mut state.listing),
            Event::Apply(server) => state.now.insert(server),
            Event::Delete(server) => state.now.remove(&ObjectRef::from_obj(server)),
        }
    }

    /// The resources that refer to this object.
    pub(crate) fn referrers(
        &self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> HashSet<ObjectRef<WatchedServer>> {
        let Some(kind) = ReferenceKind::of(kind) else { return HashSet::new() };
        self.state()
            .now
            .referrers
            .get(&(kind, namespace.to_owned(), name.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    /// A panic elsewhere leaves a table that is whole: each change is one insertion or removal.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn insert(&mut self, watched: &WatchedServer) {
        let referrer = ObjectRef::from_obj(watched);
        self.remove(&referrer);
        let Ok(server) = watched.read() else { return };
        let keys: Vec<Key> =
            references(&server).into_iter().map(|r| (r.kind, r.namespace, r.name)).collect();
        for key in &keys {
            self.referrers.entry(key.clone()).or_default().insert(referrer.clone());
        }
        if !keys.is_empty() {
            self.references.insert(referrer, keys);
        }
    }

    fn remove(&mut self, referrer: &ObjectRef<WatchedServer>) {
        for key in self.references.remove(referrer).unwrap_or_default() {
            if let Some(referrers) = self.referrers.get_mut(&key) {
                referrers.remove(referrer);
                if referrers.is_empty() {
                    self.referrers.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn server(name: &str, spec: &Value) -> WatchedServer {
        serde_json::from_value(json!({
            "apiVersion": "mcp.lenses.io/v1alpha1",
            "kind": "LensesMcpServer",
            "metadata": { "name": name, "namespace": "tools" },
            "spec": spec,
        }))
        .unwrap()
    }

    fn by_service(name: &str, service: &str) -> WatchedServer {
        let lenses =
            json!({ "serviceRef": { "name": service, "namespace": "lenses", "port": 80 } });
        server(name, &json!({ "lenses": lenses, "auth": { "oauth": {} } }))
    }

    fn referrers(index: &Index, kind: &str, namespace: &str, name: &str) -> Vec<String> {
        let mut names: Vec<_> =
            index.referrers(kind, namespace, name).into_iter().map(|r| r.name).collect();
        names.sort();
        names
    }

    #[test]
    fn every_object_that_a_spec_names_is_a_reference() {
        let key = |name: &str| json!({ "name": name, "key": "k" });
        let index = Index::default();
        let spec = json!({
            "lenses": { "serviceRef": { "name": "hq", "port": 80 } },
            "auth": { "apiKey": { "secretKeyRef": key("hq-token"), "callers": { "tokenSecretRef": key("caller") } } },
        });
        index.follow(&Event::Apply(server("a", &spec)));
        let spec = json!({
            "lenses": { "url": "http://hq" },
            "auth": { "oauth": { "introspection": { "clientCredentialsSecretRef": { "name": "client" } } } },
        });
        index.follow(&Event::Apply(server("b", &spec)));
        let spec = json!({
            "lenses": {
                "url": "http://hq",
                "caBundle": { "configMapKeyRef": key("authorities") },
                "clientCertificate": { "secretName": "mtls" },
            },
            "auth": { "oauth": {} },
            "endpoint": { "tls": { "secretName": "certificate" } },
        });
        index.follow(&Event::Apply(server("c", &spec)));
        assert_eq!(referrers(&index, "ConfigMap", "tools", "authorities"), ["c"]);
        assert_eq!(referrers(&index, "Secret", "tools", "mtls"), ["c"]);
        assert_eq!(referrers(&index, "Secret", "tools", "certificate"), ["c"]);
        assert_eq!(referrers(&index, "Service", "tools", "hq"), ["a"]);
        assert_eq!(referrers(&index, "Secret", "tools", "hq-token"), ["a"]);
        assert_eq!(referrers(&index, "Secret", "tools", "caller"), ["a"]);
        assert_eq!(referrers(&index, "Secret", "tools", "client"), ["b"]);
        assert!(referrers(&index, "Secret", "other", "client").is_empty());
        assert!(referrers(&index, "ConfigMap", "tools", "client").is_empty());
    }

    #[test]
    fn a_change_of_the_spec_moves_the_reference() {
        let index = Index::default();
        index.follow(&Event::Apply(by_service("a", "old")));
        index.follow(&Event::Apply(by_service("b", "old")));
        index.follow(&Event::Apply(by_service("a", "new")));
        assert_eq!(referrers(&index, "Service", "lenses", "old"), ["b"]);
        assert_eq!(referrers(&index, "Service", "lenses", "new"), ["a"]);
        index.follow(&Event::Delete(by_service("b", "old")));
        assert!(referrers(&index, "Service", "lenses", "old").is_empty());
    }

    #[test]
    fn a_new_list_takes_the_place_of_what_was_known_once_it_is_complete() {
        let index = Index::default();
        index.follow(&Event::Apply(by_service("gone", "hq")));
        index.follow(&Event::Init);
        index.follow(&Event::InitApply(by_service("here", "hq")));
        assert_eq!(referrers(&index, "Service", "lenses", "hq"), ["gone"]);
        index.follow(&Event::InitDone);
        assert_eq!(referrers(&index, "Service", "lenses", "hq"), ["here"]);
    }
}
