//! The demo: what a platform team and then a person with an AI client would do, one step after the
//! other, each with its time.

mod connect;
mod inside;
mod steps;

use std::{net::SocketAddr, path::Path};

use serde_json::{Value, json};

use self::{
    inside::Inside,
    steps::{Shown, Steps},
};
use crate::{
    bed::{self, INSTALL, Trouble},
    client::{Application, Refusal, Session, Ticks},
    cluster::{Cluster, ClusterName, Forward, Programs},
};

/// Where a person's browser and AI client find HQ and the MCP server, as `examples/quickstart.yaml`
/// says.
const HQ: &str = "127.0.0.1:9991";
const MCP: &str = "127.0.0.1:8000";
const NAMESPACE: &str = "lenses";
const QUICKSTART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/quickstart.yaml");
const IMAGES: [&str; 3] =
    ["lenses-mcp-e2e-hq.tar", "lenses-mcp-operator.tar", "lenses-mcp-server.tar"];

/// Runs the demo on a cluster of its own named `name`, with the image archives in the directory
/// `images`. When a person `stays`, it stays up until Ctrl-C; then, and in any case at the end, the
/// cluster is removed.
///
/// # Errors
/// The first step that fails, which has been printed by then.
pub async fn run(images: &Path, name: &str, stays: bool) -> Result<(), Trouble> {
    let name: ClusterName = name.parse()?;
    let mut steps = Steps::begin();
    let outcome = tokio::select! {
        outcome = show(&mut steps, images, &name, stays) => outcome,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Trouble::from),
    };
    let removed = steps.take("remove the cluster", down(&name)).await;
    println!("\n{}", steps.sum());
    outcome.and(removed)
}

async fn show(
    steps: &mut Steps,
    images: &Path,
    name: &ClusterName,
    stays: bool,
) -> Result<(), Trouble> {
    let cluster = steps
        .take("start Kubernetes 1.34: API server, scheduler, kubelet, containerd, DNS", up(name))
        .await?
        .0;
    let inside = Inside::new(cluster.clone());
    steps.take("load the images that `make images` built", load(&cluster, images)).await?;
    steps.take("start a stand-in Lenses HQ", start_hq(&inside)).await?;
    steps.take("helm install lenses-mcp-operator", install(&inside)).await?;
    steps.take("kubectl apply -f examples/quickstart.yaml", apply(&inside)).await?;
    steps.take("wait for the LensesMcpServer to be Ready", ready(&inside)).await?;
    let _forwards =
        steps.take("forward 127.0.0.1 to the Services", async { forward(&cluster) }).await?;

    let mcp_url = format!("http://{MCP}/mcp");
    let bob = steps
        .take("sign in as bob, who grants `read` only", Box::pin(sign_in(&mcp_url, "bob")))
        .await?
        .0;
    steps.take("call list_topics", list_topics(&bob)).await?;
    let scope =
        steps.take("call create_topic: refused, and told the scope", refused(&bob)).await?.0;
    steps.take("step up and call create_topic again", step_up(&bob, &scope)).await?;
    steps.take("call execute_sql", execute_sql(&bob)).await?;

    println!("\n{}\n", connect::instructions(&mcp_url));
    if stays {
        println!("{}\n", inside::instructions(name)?);
        println!("Ctrl-C ends the demo and removes the cluster.");
        std::future::pending::<()>().await;
    }
    Ok(())
}

async fn up(name: &ClusterName) -> Result<Shown<Cluster>, Trouble> {
    let name = name.clone();
    let cluster = tokio::task::spawn_blocking(move || {
        Cluster::up(&name, Programs::Node, &|line| println!("             {line}"))
    })
    .await??;
    let name = cluster.name().to_string();
    Ok(Shown(cluster, format!("cluster {name}")))
}

async fn down(name: &ClusterName) -> Result<(), Trouble> {
    let name = name.clone();
    tokio::task::spawn_blocking(move || {
        Cluster::down(&name, &|line| println!("             {line}"))
    })
    .await??;
    Ok(())
}

async fn load(cluster: &Cluster, images: &Path) -> Result<(), Trouble> {
    for archive in IMAGES {
        let (cluster, archive) = (cluster.clone(), images.join(archive));
        tokio::task::spawn_blocking(move || cluster.load(&archive)).await??;
    }
    Ok(())
}

async fn start_hq(inside: &Inside) -> Result<(), Trouble> {
    let (deployment, service) = bed::hq_objects("hq", &format!("http://{HQ}"));
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
    }});
    inside.run("kubectl", &["apply", "-f", "-"], &namespace.to_string()).await?;
    let objects = json!({"apiVersion": "v1", "kind": "List", "items": [deployment, service]});
    inside
        .run("kubectl", &["--namespace", NAMESPACE, "apply", "-f", "-"], &objects.to_string())
        .await?;
    let ready = [
        "--namespace",
        NAMESPACE,
        "wait",
        "--for=condition=Available",
        "deployment/hq",
        "--timeout=60s",
    ];
    inside.run("kubectl", &ready, "").await.map(drop)
}

async fn install(inside: &Inside) -> Result<(), Trouble> {
    inside.run("helm", &INSTALL, "").await.map(drop)
}

async fn apply(inside: &Inside) -> Result<(), Trouble> {
    inside
        .run("kubectl", &["--namespace", NAMESPACE, "apply", "-f", QUICKSTART], "")
        .await
        .map(drop)
}

async fn ready(inside: &Inside) -> Result<Shown<()>, Trouble> {
    let wait = [
        "--namespace",
        NAMESPACE,
        "wait",
        "--for=condition=Ready",
        "lensesmcpserver/lenses-mcp",
        "--timeout=60s",
    ];
    inside.run("kubectl", &wait, "").await?;
    let table =
        inside.run("kubectl", &["--namespace", NAMESPACE, "get", "lensesmcpservers"], "").await?;
    Ok(Shown((), format!("\n{}", indented(&table))))
}

fn forward(cluster: &Cluster) -> Result<Shown<[Forward; 2]>, Trouble> {
    let one = |listen: &str, service: &str, port: u16| {
        let listen: SocketAddr = listen.parse()?;
        cluster.forward(listen, &format!("{service}.{NAMESPACE}.svc.cluster.local:{port}")).map_err(
            |error| {
                Trouble::from(format!(
                    "{error}; end what listens on {listen}, which examples/quickstart.yaml names"
                ))
            },
        )
    };
    Ok(Shown(
        [one(MCP, "lenses-mcp", 80)?, one(HQ, "hq", 9991)?],
        format!("{MCP} is the MCP server, {HQ} is HQ"),
    ))
}

async fn sign_in(mcp_url: &str, person: &str) -> Result<Shown<Session>, Trouble> {
    let session =
        Application::new("make demo", mcp_url, person)?.sign_in(Ticks::Only(&["read"])).await?;
    let words = format!(
        "401, metadata, registration, PKCE, login, consent, token; MCP {}, {} tools",
        session.protocol_version().unwrap_or_default(),
        session.tools().await?.len()
    );
    Ok(Shown(session, words))
}

async fn list_topics(session: &Session) -> Result<Shown<()>, Trouble> {
    let topics = result(session, "list_topics", json!({"environment": "development"})).await?;
    let names: Vec<_> = topics["result"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|topic| topic["topicName"].as_str())
        .collect();
    if names.is_empty() { Err("no topics".into()) } else { Ok(Shown((), names.join(", "))) }
}

fn new_topic() -> Value {
    json!({"environment": "development", "topic_name": "sandbox.demo"})
}

async fn refused(session: &Session) -> Result<Shown<String>, Trouble> {
    match session.call("create_topic", new_topic()).await {
        Err(Refusal::InsufficientScope { scope, .. }) => {
            let words = format!("403 insufficient_scope, scope=\"{scope}\"");
            Ok(Shown(scope, words))
        }
        other => Err(format!("expected 403 insufficient_scope, got {other:?}").into()),
    }
}

async fn step_up(session: &Session, scope: &str) -> Result<Shown<()>, Trouble> {
    session.step_up(scope).await?;
    let made = result(session, "create_topic", new_topic()).await?;
    Ok(Shown((), made["result"].as_str().unwrap_or_default().to_owned()))
}

async fn execute_sql(session: &Session) -> Result<Shown<()>, Trouble> {
    let sql = "SELECT * FROM orders LIMIT 3";
    let rows =
        result(session, "execute_sql", json!({"environment": "development", "sql": sql})).await?;
    let count = rows["result"].as_array().map_or(0, Vec::len);
    if count == 3 {
        Ok(Shown((), format!("{sql}: {count} rows")))
    } else {
        Err(format!("{count} rows for {sql}").into())
    }
}

async fn result(session: &Session, tool: &'static str, arguments: Value) -> Result<Value, Trouble> {
    let result = session.call(tool, arguments).await?;
    match (result.is_error, result.structured_content) {
        (Some(true), _) | (_, None) => Err(format!("{tool} answered {:?}", result.content).into()),
        (_, Some(value)) => Ok(value),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("             {line}")).collect::<Vec<_>>().join("\n")
}
