//! An API server of `ConfigMaps` for tests: its watches can lose what happens, and it can refuse
//! namespaces.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    body::Body as Answer,
    http::{Request, Response},
};
use futures::{StreamExt, channel::mpsc, stream};
use kube::{Client, client::Body};
use serde_json::{Value, json};

#[derive(Clone, Default)]
pub(crate) struct ApiServer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    version: u64,
    objects: BTreeMap<(String, String), Value>,
    log: Vec<Event>,
    watches: Vec<(Option<String>, mpsc::UnboundedSender<String>)>,
    loses: bool,
    refused: BTreeSet<String>,
    lists: usize,
}

#[derive(Clone)]
struct Event {
    version: u64,
    namespace: String,
    line: String,
}

impl ApiServer {
    pub(crate) fn client(&self) -> Client {
        let server = self.clone();
        let answer = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(&request)) }
        });
        Client::new(answer, "default")
    }

    /// Creates or changes an object.
    pub(crate) fn put(&self, namespace: &str, name: &str) {
        self.change(namespace, name, |state, key, object| {
            let is_new = state.objects.insert(key, object).is_none();
            if is_new { "ADDED" } else { "MODIFIED" }
        });
    }

    pub(crate) fn delete(&self, namespace: &str, name: &str) {
        self.change(namespace, name, |state, key, _| {
            state.objects.remove(&key);
            "DELETED"
        });
    }

    /// From now on, watches lose what happens, or not.
    pub(crate) fn lose(&self, loses: bool) {
        self.state().loses = loses;
    }

    /// From now on, a namespace may not be listed, or may.
    pub(crate) fn refuse(&self, namespace: &str, refuses: bool) {
        let mut state = self.state();
        let _is_news = if refuses {
            state.refused.insert(namespace.to_owned())
        } else {
            state.refused.remove(namespace)
        };
    }

    /// How many lists were asked for.
    pub(crate) fn lists(&self) -> usize {
        self.state().lists
    }

    fn change(
        &self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut State, (String, String), Value) -> &'static str,
    ) {
        let mut state = self.state();
        state.version += 1;
        let version = state.version;
        let object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "namespace": namespace, "name": name, "resourceVersion": version.to_string(),
            },
        });
        let key = (namespace.to_owned(), name.to_owned());
        let kind = change(&mut state, key, object.clone());
        if !state.loses {
            let line = format!("{}\n", json!({ "type": kind, "object": object }));
            let event = Event { version, namespace: namespace.to_owned(), line };
            state.watches.retain(|(scope, watch)| {
                !sees(scope.as_deref(), &event) || watch.unbounded_send(event.line.clone()).is_ok()
            });
            state.log.push(event);
        }
    }

    fn answer(&self, request: &Request<Body>) -> Response<Answer> {
        let mut state = self.state();
        let path: Vec<_> = request.uri().path().trim_matches('/').split('/').collect();
        let namespace = match path[..] {
            ["api", "v1", "configmaps"] => None,
            ["api", "v1", "namespaces", namespace, "configmaps"] => Some(namespace.to_owned()),
            _ => panic!("{path:?} is not served"),
        };
        if namespace.as_ref().is_some_and(|namespace| state.refused.contains(namespace)) {
            return failure(403, "Forbidden");
        }
        let query: BTreeMap<String, String> =
            url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        if query.get("watch").is_none_or(|watch| watch != "true") {
            state.lists += 1;
            let seen = state
                .objects
                .iter()
                .filter(|((of, _), _)| namespace.as_ref().is_none_or(|namespace| namespace == of));
            let items: Vec<_> = seen.map(|(_, object)| object.clone()).collect();
            let metadata = json!({ "resourceVersion": state.version.to_string() });
            let list = json!({
                "apiVersion": "v1", "kind": "ConfigMapList", "metadata": metadata, "items": items,
            });
            return Response::new(Answer::from(list.to_string()));
        }
        let since: u64 = query["resourceVersion"].parse().unwrap();
        let (sender, receiver) = mpsc::unbounded();
        let missed = state.log.iter().filter(|event| event.version > since);
        let missed: Vec<_> = missed
            .filter(|event| sees(namespace.as_deref(), event))
            .map(|event| event.line.clone())
            .collect();
        state.watches.push((namespace, sender));
        let lines = stream::iter(missed).chain(receiver).map(Ok::<_, Infallible>);
        Response::new(Answer::from_stream(lines))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

fn sees(scope: Option<&str>, event: &Event) -> bool {
    scope.is_none_or(|scope| scope == event.namespace)
}

fn failure(code: u16, reason: &str) -> Response<Answer> {
    let status = json!({ "status": "Failure", "code": code, "reason": reason, "message": reason });
    Response::builder().status(code).body(Answer::from(status.to_string())).unwrap()
}
