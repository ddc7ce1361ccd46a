//! `make demo`: the whole product on a Kubernetes of its own.

mod inside;

use std::{net::SocketAddr, path::Path};

use serde_json::json;

use self::inside::Inside;
use super::{
    Error,
    calls::call_tools,
    connect,
    steps::{Shown, Steps},
};
use crate::{
    bed::{self, INSTALL},
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
pub async fn run(images: &Path, name: &str, stays: bool) -> Result<(), Error> {
    let name: ClusterName = name.parse()?;
    let mut steps = Steps::begin();
    let outcome = tokio::select! {
        outcome = show(&mut steps, images, &name, stays) => outcome,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Error::from),
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
) -> Result<(), Error> {
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
    call_tools(steps, "make demo", &mcp_url).await?;

    println!("\n{}\n", connect::instructions(&mcp_url));
    if stays {
        println!("{}\n", inside::instructions(name)?);
        println!("Ctrl-C ends the demo and removes the cluster.");
        std::future::pending::<()>().await;
    }
    Ok(())
}

async fn up(name: &ClusterName) -> Result<Shown<Cluster>, Error> {
    let name = name.clone();
    let cluster = tokio::task::spawn_blocking(move || {
        Cluster::up(&name, Programs::Node, &|line| println!("             {line}"))
    })
    .await??;
    let name = cluster.name().to_string();
    Ok(Shown(cluster, format!("cluster {name}")))
}

async fn down(name: &ClusterName) -> Result<(), Error> {
    let name = name.clone();
    tokio::task::spawn_blocking(move || {
        Cluster::down(&name, &|line| println!("             {line}"))
    })
    .await??;
    Ok(())
}

async fn load(cluster: &Cluster, images: &Path) -> Result<(), Error> {
    for archive in IMAGES {
        let (cluster, archive) = (cluster.clone(), images.join(archive));
        tokio::task::spawn_blocking(move || cluster.load(&archive)).await??;
    }
    Ok(())
}

async fn start_hq(inside: &Inside) -> Result<(), Error> {
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

async fn install(inside: &Inside) -> Result<(), Error> {
    inside.run("helm", &INSTALL, "").await.map(drop)
}

async fn apply(inside: &Inside) -> Result<(), Error> {
    inside
        .run("kubectl", &["--namespace", NAMESPACE, "apply", "-f", QUICKSTART], "")
        .await
        .map(drop)
}

async fn ready(inside: &Inside) -> Result<Shown<()>, Error> {
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

fn forward(cluster: &Cluster) -> Result<Shown<[Forward; 2]>, Error> {
    let one = |listen: &str, service: &str, port: u16| {
        let listen: SocketAddr = listen.parse()?;
        cluster.forward(listen, &format!("{service}.{NAMESPACE}.svc.cluster.local:{port}")).map_err(
            |error| {
                Error::from(format!(
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

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("             {line}")).collect::<Vec<_>>().join("\n")
}
