//! An API server that has certain objects and refuses what it is told to.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::PathBuf,
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{PLUGIN, directory, run};

/// What it answers and was asked.
#[derive(Clone, Default)]
struct Answers {
    /// By path. Text is sent as it is, for logs.
    objects: Arc<BTreeMap<String, Value>>,
    /// Beginnings of paths that the caller may not read.
    forbidden: Arc<Vec<String>>,
    asked: Arc<Mutex<Vec<String>>>,
}

/// The server, and a kubeconfig for it.
pub(crate) struct ApiServer {
    answers: Answers,
    kubeconfig: PathBuf,
    _runtime: tokio::runtime::Runtime,
}

impl ApiServer {
    /// With these objects by path, and these paths forbidden.
    pub(crate) fn serving(objects: &[(&str, Value)], forbidden: &[&str]) -> Self {
        let objects = objects.iter().map(|(path, value)| ((*path).to_owned(), value.clone()));
        let answers = Answers {
            objects: Arc::new(objects.collect()),
            forbidden: Arc::new(forbidden.iter().map(|path| (*path).to_owned()).collect()),
            asked: Arc::default(),
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(answers.clone());
        runtime.spawn(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        let kubeconfig = directory(&format!("kubeconfig-{}", address.port())).join("config");
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "none",
            "clusters": [{ "name": "c", "cluster": { "server": format!("http://{address}") } }],
            "users": [{ "name": "u", "user": {} }],
            "contexts": [{
                "name": "test",
                "context": { "cluster": "c", "user": "u", "namespace": "lenses" },
            }],
        });
        std::fs::write(&kubeconfig, config.to_string()).unwrap();
        Self { answers, kubeconfig, _runtime: runtime }
    }

    /// Runs `kubectl lmcp` against it, with the standard flags for it.
    pub(crate) fn lmcp(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&*PLUGIN);
        command.args(arguments).arg("--kubeconfig").arg(&self.kubeconfig);
        run(command.args(["--context", "test"]).env_clear(), "")
    }

    /// Paths and queries.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.answers.asked.lock().unwrap().clone()
    }
}

async fn answer(State(answers): State<Answers>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let accept = request.headers().get("accept").map(|value| value.to_str().unwrap().to_owned());
    let asked = format!("{} {}", request.uri(), accept.unwrap_or_default());
    answers.asked.lock().unwrap().push(asked);
    if answers.forbidden.iter().any(|start| path.starts_with(start)) {
        return failure(StatusCode::FORBIDDEN, "Forbidden", &format!("you may not read {path}"));
    }
    match answers.objects.get(&path) {
        Some(Value::String(log)) => log.clone().into_response(),
        Some(object) => Json(object.clone()).into_response(),
        None => failure(StatusCode::NOT_FOUND, "NotFound", &format!("there is no {path}")),
    }
}

fn failure(code: StatusCode, reason: &str, message: &str) -> Response {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure",
        "code": code.as_u16(), "reason": reason, "message": message,
    });
    (code, Json(status)).into_response()
}

/// A list of objects.
pub(crate) fn list(items: &[Value]) -> Value {
    json!({ "apiVersion": "v1", "kind": "List", "metadata": {}, "items": items })
}

/// A resource with a status.
pub(crate) fn server(namespace: &str, name: &str, ready: &str, reason: &str) -> Value {
    json!({
        "apiVersion": "mcp.lenses.io/v1alpha1",
        "kind": "LensesMcpServer",
        "metadata": {
            "name": name, "namespace": namespace, "generation": 3, "uid": format!("uid-{name}"),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {
            "lenses": { "url": "https://lenses.example.com" },
            "auth": { "oauth": {} },
        },
        "status": {
            "observedGeneration": 3,
            "url": format!("https://{name}.example.com/mcp"),
            "lensesVersion": "6.3.6",
            "authMode": "OAuth",
            "readyReplicas": 2,
            "image": "lensesio/lenses-mcp-server:0.1.0",
            "tools": { "count": 60, "digest": "sha256:00" },
            "conditions": [{
                "type": "Ready", "status": ready, "reason": reason,
                "message": format!("{reason} is why"), "lastTransitionTime": "2026-01-01T00:00:00Z",
            }],
        },
    })
}
