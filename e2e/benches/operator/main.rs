//! The operator's figures: what `make bench-operator` prints. Not a test, because a loaded machine can't tell; what can be told on
//! any machine is a test in `e2e/tests/rests.rs`.
//!
//! What stands for what: a real API server with its etcd, and nothing that acts on objects: no controller manager, no scheduler, no
//! kubelet. So a Deployment makes no pod, and a resource has *converged* when all its objects are made and its status tells what
//! was found of HQ. HQ is the stand-in of `e2e/src/hq` on loopback; the operator looks at it for each resource, and that is
//! part of its work. The operator is the binary that ships, with the chart's defaults and rights, but for `WATCH_NAMESPACES`: what the
//! bare client has made is in another namespace and does not concern it.
//!
//! The bare client makes the same writes, and nothing else: the same objects with the same bodies, server-side apply, as many at a
//! time, with the operator's rights. An API server gets slower with what it has to hold, so half of them are made before the
//! operator's pass and half after it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a figure that can't be had is not printed")]

mod api_server;
mod audit;
mod bare;
mod fleet;
mod operator;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use lenses_mcp_e2e::{
    cluster::Cluster,
    hq::{Running, settings::Flags},
};
use tokio::time::{Instant, sleep};

use crate::{
    api_server::ApiServer,
    bare::Bodies,
    fleet::{BARE, Fleet, SAMPLE},
    operator::Operator,
};

/// How long the operator is watched at rest.
const REST: Duration = Duration::from_mins(1);
/// How often one resource among all is changed.
const CHANGES: usize = 5;

#[derive(Parser)]
struct Arguments {
    /// The operator's binary.
    #[arg(long)]
    operator: PathBuf,
    /// How many resources.
    #[arg(long, default_value_t = 10_000)]
    resources: usize,
    /// How many at a time, of the operator and of the bare client.
    #[arg(long, default_value_t = 8)]
    concurrency: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let server = ApiServer::start();
    // Not this thread: from inside, the cluster could not be ended.
    let figures = server.cluster.inside(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(measure(&server, &arguments))
    });
    let figures = figures.unwrap();
    let missed = figures.iter().filter(|figure| !figure.met).count();
    for Figure { what, found, target, met } in &figures {
        println!(
            "{} {what:<46} {found:>16}   target {target}",
            if *met { "ok    " } else { "MISSED" }
        );
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Figure {
    what: &'static str,
    found: String,
    target: String,
    met: bool,
}

async fn measure(server: &ApiServer, arguments: &Arguments) -> Vec<Figure> {
    let Arguments { resources, concurrency, .. } = *arguments;
    let hq = Running::start(Flags::parse_from(["hq"]).check().unwrap()).await.unwrap();
    server.install();
    let client = server.client().await;
    let fleet = Fleet { client: client.clone(), hq: hq.issuer.clone(), concurrency };
    fleet.make_namespaces().await;

    // One alone, to learn what the operator writes.
    fleet.make(SAMPLE, 1).await;
    let operator = Operator::start(server, &arguments.operator, SAMPLE, concurrency);
    operator.converged(1).await;
    operator.rested().await;
    let bodies = Bodies::of(&fleet, &arguments.operator).await;
    operator.stop().await;

    let owners = fleet.make(BARE, resources).await;
    fleet.make(fleet::FLEET, resources).await;
    let (before_it, after_it) = owners.split_at(resources / 2);
    let before_it = bare(server, &bodies, concurrency, before_it).await;
    let before = audit::requests(&server.cluster);
    let started = Instant::now();
    let operator = Operator::start(server, &arguments.operator, fleet::FLEET, concurrency);
    operator.converged(resources).await;
    let took = started.elapsed();
    let cpu = operator.cpu_time();
    operator.rested().await;
    let requests = audit::requests(&server.cluster).since(&before);
    println!(
        "operator: {:.0} resources a second, {:.2} ms of processor time each; its requests: {requests}",
        per_second(resources, took),
        cpu.as_secs_f64() * 1_000.0 / count(resources),
    );

    let mut figures = vec![
        writes_each(requests.writes(), resources, bodies.kinds()),
        mib("memory, at most", operator.memory("VmHWM")),
        mib("memory, now", operator.memory("VmRSS")),
    ];
    figures.extend(at_rest(&operator, &server.cluster).await);
    figures.push(change(&fleet, resources).await);
    operator.stop().await;
    let after_it = bare(server, &bodies, concurrency, after_it).await;
    figures.insert(0, ratio((before_it + after_it).as_secs_f64() / took.as_secs_f64()));
    figures
}

/// The bare client's writes for these, and how long they take.
async fn bare(
    server: &ApiServer,
    bodies: &Bodies,
    concurrency: usize,
    owners: &[(String, String)],
) -> Duration {
    let took = bodies.write(&server.operators_client().await, concurrency, owners).await;
    let speed = per_second(owners.len(), took);
    println!("bare client: {speed:.0} resources a second, of {} writes each", bodies.writes());
    took
}

fn ratio(ratio: f64) -> Figure {
    Figure {
        what: "first pass, of a bare client's speed",
        found: format!("{ratio:.2}"),
        target: "at least 0.85".to_owned(),
        met: ratio >= 0.85,
    }
}

fn writes_each(writes: usize, resources: usize, kinds: usize) -> Figure {
    Figure {
        what: "writes for each resource",
        found: format!("{:.2}", count(writes) / count(resources)),
        target: format!("{}: {kinds} objects and the status", kinds + 1),
        met: writes <= resources * (kinds + 1),
    }
}

/// A figure of memory; `kib` as the kernel gives it.
fn mib(what: &'static str, kib: u64) -> Figure {
    Figure {
        what,
        found: format!("{:.1} MiB", count(usize::try_from(kib).unwrap()) / 1024.0),
        target: "at most 150 MiB".to_owned(),
        met: kib <= 150 << 10,
    }
}

/// Requests while nothing happens, as the operator and as the API server count them.
async fn at_rest(operator: &Operator, cluster: &Cluster) -> [Figure; 2] {
    let before = (operator.requests().await, audit::requests(cluster));
    // This is the measurement itself: nothing can be awaited where nothing is to happen.
    sleep(REST).await;
    let own = operator.requests().await - before.0;
    let audited = audit::requests(cluster).since(&before.1);
    if audited.total() > 0 {
        println!("requests at rest: {audited}");
    }
    [
        ("requests in 60 s at rest, by its metrics", own),
        ("the same, by the audit log", audited.total()),
    ]
    .map(|(what, found)| Figure {
        what,
        found: found.to_string(),
        target: "0".to_owned(),
        met: found == 0,
    })
}

/// The slowest of several changes, from asking for it to the Deployment that has it.
async fn change(fleet: &Fleet, resources: usize) -> Figure {
    let mut slowest = Duration::ZERO;
    for number in 0..CHANGES {
        let number = number * resources / CHANGES;
        slowest = slowest.max(fleet.change(number).await);
    }
    Figure {
        what: "a change, until its Deployment is written",
        found: format!("{:.2} s", slowest.as_secs_f64()),
        target: "at most 1 s".to_owned(),
        met: slowest <= Duration::from_secs(1),
    }
}

fn per_second(resources: usize, took: Duration) -> f64 {
    count(resources) / took.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "for a person to read")]
fn count(count: usize) -> f64 {
    count as f64
}
