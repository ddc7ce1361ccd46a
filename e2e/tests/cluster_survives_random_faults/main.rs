//! Many random faults, and then every resource is as its spec says.
//!
//! `FAULT_SECONDS` is how long there are faults, `FAULT_SEED` which: `make faults` sets both. The
//! control plane is real; `lenses_mcp_e2e::control_plane` says what stands in for the nodes. Two
//! operators run, as with `replicas: 2`, and are started again if they end, as a kubelet does.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test may end this way")]

mod children;
mod faults;
mod operators;
mod oracle;
mod servers;

use std::{collections::BTreeMap, time::Duration};

use clap::Parser as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, api::PostParams};
use lenses_mcp_e2e::{
    bed::operator_requests,
    control_plane::{ApiServer, McpServer, make_pods_ready},
    hq::{Running, settings::Flags},
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use self::{faults::Faults, operators::Operators, oracle::wrong, servers::Servers};

const NAMESPACES: [&str; 2] = ["team-a", "team-b"];
/// How many resources there are in each namespace.
const RESOURCES: usize = 10;
/// The longest time until all is right after the last fault.
const PATIENCE: Duration = Duration::from_mins(3);
/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// Where `make images` puts the programs of the fast profile.
const IMAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/images/fast");

#[test]
fn every_resource_is_as_its_spec_says_after_random_faults() {
    let number = |name: &str, default| {
        std::env::var(name).map_or(default, |text| text.parse::<u64>().unwrap())
    };
    let (seed, seconds) = (number("FAULT_SEED", 1), number("FAULT_SECONDS", 30));
    println!("FAULT_SEED={seed} FAULT_SECONDS={seconds}");
    let server = ApiServer::with_controllers("faults");
    // Not this thread: from inside, the cluster could not be ended.
    server
        .cluster
        .inside(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(survive(&server, seed, Duration::from_secs(seconds)));
        })
        .unwrap();
}

async fn survive(server: &ApiServer, seed: u64, time: Duration) {
    let hq = Running::start(Flags::parse_from(["hq"]).check().unwrap()).await.unwrap();
    server.install();
    let client = server.client().await;
    let program = format!("{IMAGES}/lenses-mcp-server/lenses-mcp-server");
    let endpoint = McpServer::start(program.as_ref(), &hq.issuer).await;
    let mut kubelets = tokio::task::JoinSet::new();
    for name in NAMESPACES {
        let namespace: Namespace =
            serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
        Api::all(client.clone()).create(&PostParams::default(), &namespace).await.unwrap();
        kubelets.spawn(make_pods_ready(client.clone(), name.to_owned()));
    }
    let operators = Operators::start(server);
    let mut servers = Servers {
        client: client.clone(),
        hq: hq.issuer.clone(),
        endpoint: endpoint.url.clone(),
        random: StdRng::seed_from_u64(seed),
    };
    servers.make_missing().await;
    until_right(&client, "before the first fault").await;

    let mut faults = Faults::new(server, &operators, StdRng::seed_from_u64(seed + 1));
    faults.cause(&mut servers, time).await;
    println!("{}", faults.told());
    servers.make_missing().await;
    let begun = Instant::now();
    until_right(&client, "after the last fault").await;
    println!("all is right {:.1} s after the last fault", begun.elapsed().as_secs_f64());

    // The caches that lived through the faults are as the API server has it.
    let leader = operators.leader().await;
    leader.checked_again().await;
    assert_eq!(leader.missed().await, BTreeMap::new(), "changes that only the check found");

    // One that begins with empty caches finds nothing to write.
    let writes = || {
        operator_requests(&server.cluster, |verb, object| {
            !["get", "list", "watch"].contains(&verb) && object.resource != "leases"
        })
        .unwrap()
    };
    let before = writes();
    operators.end().await;
    let operators = Operators::start(server);
    operators.leader().await.reconciled(NAMESPACES.len() * RESOURCES).await;
    assert_eq!(before, writes(), "writes of an operator that begins anew");
    until_right(&client, "after the last start").await;
}

/// Waits until every resource and all that belongs to it is as its spec says.
async fn until_right(client: &Client, when: &str) {
    let mut last = Vec::new();
    let right = async {
        loop {
            match wrong(client).await {
                Ok(wrong) if wrong.is_empty() => return,
                Ok(wrong) => last = wrong,
                Err(error) => last = vec![error.to_string()],
            }
            sleep(LOOK).await;
        }
    };
    let right = timeout(PATIENCE, right).await;
    assert!(right.is_ok(), "{when}, not as the specs say:\n{}", last.join("\n"));
}
