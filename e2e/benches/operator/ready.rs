//! Some hundred resources from their creation until all are Ready.
//!
//! The API server, etcd and the controller manager are real, so that a Deployment leads to
//! pods. There is no kubelet: [`make_pods_ready`] says of each pod that it is ready. The
//! endpoint of all resources is one real server, which the operator verifies as it does any.

use clap::Parser as _;
use lenses_mcp_e2e::{
    control_plane::{ApiServer, McpServer, make_pods_ready},
    hq::{Running, settings::Flags},
};
use tokio::time::Instant;

use crate::{
    Arguments, audit,
    figure::{Figure, count, per_second},
    fleet::{FLEET, Fleet},
    operator::Operator,
    rest::at_rest,
};

pub(crate) async fn measure(server: &ApiServer, arguments: &Arguments) -> Vec<Figure> {
    let Arguments { ready: resources, concurrency, .. } = *arguments;
    let hq = Running::start(Flags::parse_from(["hq"]).check().unwrap()).await.unwrap();
    server.install();
    let client = server.client().await;
    let mcp_server = McpServer::start(&arguments.server, &hq.issuer).await;
    let fleet = Fleet {
        client: client.clone(),
        hq: hq.issuer.clone(),
        endpoint: Some(mcp_server.url.clone()),
        concurrency,
    };
    fleet.make_namespaces().await;
    let kubelet = tokio::spawn(make_pods_ready(client, FLEET.to_owned()));
    let operator = Operator::start(server, &arguments.operator, FLEET, concurrency);
    operator.ready().await;
    operator.rested().await;
    let idle = operator.memory("VmRSS");

    let before =
        (audit::requests(&server.cluster), operator.cpu_time(), server.cpu_time(), Instant::now());
    fleet.make(FLEET, resources).await;
    operator.all_are("Ready", resources).await;
    let took = before.3.elapsed();
    let cpu = [before.1.abs_diff(operator.cpu_time()), before.2.abs_diff(server.cpu_time())];
    let requests = audit::requests(&server.cluster).since(&before.0);
    println!("requests until {resources} resources are Ready: {requests}");
    operator.rested().await;
    let each = |total: f64| total / count(resources);
    let [own, api_server] = cpu.map(|time| each(time.as_secs_f64() * 1_000.0));
    let speed = per_second(resources, took);
    let mut figures = vec![
        Figure::at_most("requests until Ready, each", each(count(requests.total())), 9.0, ""),
        Figure::at_most("status writes, each", each(count(requests.of_status())), 2.0, ""),
        Figure::at_most("processor time until Ready, each", own, 5.0, "ms"),
        Figure::at_most("the API server's processor time, each", api_server, 100.0, "ms"),
        Figure::new("Ready a second", format!("{speed:.1}"), "at least 18", speed >= 18.0),
        Figure::memory("memory, idle", idle, 12),
        Figure::memory("memory, after", operator.memory("VmRSS"), 20),
    ];
    figures.extend(at_rest(&operator, &server.cluster).await);
    operator.stop().await;
    kubelet.abort();
    figures
}
