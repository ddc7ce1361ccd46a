//! Thousands of resources, and nothing that acts on objects: no controller manager, no scheduler,
//! no kubelet.
//!
//! So a Deployment makes no pod, and a resource has *converged* when all its objects are made and
//! its status tells what was found of HQ. The operator checks HQ for each resource, and that is
//! part of its work. It watches one namespace: what the bare client has made is in another.
//!
//! The bare client makes the same writes and nothing else: the same objects with the same bodies,
//! server-side apply, as many at a time, with the operator's rights. An API server gets slower with
//! what it has to hold, so half of them are made before the operator's first reconciles and half
//! after them.

use std::time::Duration;

use clap::Parser as _;
use lenses_mcp_e2e::{
    control_plane::ApiServer,
    hq::{Running, settings::Flags},
};
use tokio::time::Instant;

use crate::{
    Arguments, audit,
    bare::Bodies,
    figure::{Figure, count, per_second},
    fleet::{self, BARE, Fleet, SAMPLE},
    operator::Operator,
    rest::at_rest,
};

/// How often one resource among all is changed.
const CHANGES: usize = 5;
/// The condition of a resource that has converged.
const CONVERGED: &str = "LensesReachable";

pub(crate) async fn measure(server: &ApiServer, arguments: &Arguments) -> Vec<Figure> {
    let Arguments { resources, concurrency, .. } = *arguments;
    let hq = Running::start(Flags::parse_from(["hq"]).check().unwrap()).await.unwrap();
    server.install();
    let client = server.client().await;
    let fleet =
        Fleet { client: client.clone(), hq: hq.issuer.clone(), endpoint: None, concurrency };
    fleet.make_namespaces().await;

    // One alone, to learn what the operator writes.
    fleet.make(SAMPLE, 1).await;
    let operator = Operator::start(server, &arguments.operator, SAMPLE, concurrency);
    operator.all_are(CONVERGED, 1).await;
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
    operator.all_are(CONVERGED, resources).await;
    let took = started.elapsed();
    let cpu = operator.cpu_time();
    operator.rested().await;
    let requests = audit::requests(&server.cluster).since(&before);
    println!(
        "operator: {:.0} resources a second, {:.2} ms of processor time each; its requests: \
         {requests}",
        per_second(resources, took),
        cpu.as_secs_f64() * 1_000.0 / count(resources),
    );

    let mut figures = vec![
        writes_each(requests.writes(), resources, bodies.kinds()),
        Figure::memory("memory, at most", operator.memory("VmHWM"), 150),
        Figure::memory("memory, now", operator.memory("VmRSS"), 100),
    ];
    figures.extend(at_rest(&operator, &server.cluster).await);
    figures.push(change(&fleet, resources).await);
    operator.rested().await;
    operator.stop().await;
    figures.extend(restart(server, arguments).await);
    let after_it = bare(server, &bodies, concurrency, after_it).await;
    figures.insert(0, ratio((before_it + after_it).as_secs_f64() / took.as_secs_f64()));
    figures
}

/// An operator that starts and finds all as it should be.
async fn restart(server: &ApiServer, arguments: &Arguments) -> [Figure; 3] {
    let Arguments { resources, concurrency, .. } = *arguments;
    let before = audit::requests(&server.cluster);
    let started = Instant::now();
    let operator = Operator::start(server, &arguments.operator, fleet::FLEET, concurrency);
    operator.ready().await;
    let took = started.elapsed();
    operator.all_are(CONVERGED, resources).await;
    operator.rested().await;
    let requests = audit::requests(&server.cluster).since(&before);
    println!("requests after a restart: {requests}");
    let figures = [
        Figure::none("writes after a restart", requests.writes()),
        Figure::at_most("a restart, until it is ready", took.as_secs_f64(), 20.0, "s"),
        Figure::memory("memory after a restart, at most", operator.memory("VmHWM"), 150),
    ];
    operator.stop().await;
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
    let what = "first reconciles, of a bare client's speed";
    Figure::new(what, format!("{ratio:.2}"), "at least 0.85", ratio >= 0.85)
}

fn writes_each(writes: usize, resources: usize, kinds: usize) -> Figure {
    Figure::new(
        "writes for each resource",
        format!("{:.2}", count(writes) / count(resources)),
        format!("{}: {kinds} objects and the status", kinds + 1),
        writes <= resources * (kinds + 1),
    )
}

/// The slowest of several changes, from asking for it to the Deployment that has it.
async fn change(fleet: &Fleet, resources: usize) -> Figure {
    let mut slowest = Duration::ZERO;
    for number in 0..CHANGES {
        let number = number * resources / CHANGES;
        slowest = slowest.max(fleet.change(number).await);
    }
    let what = "a change, until its Deployment is written";
    Figure::at_most(what, slowest.as_secs_f64(), 1.0, "s")
}
