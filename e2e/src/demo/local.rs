//! `make try`: the stand-in HQ and the server on this machine, without Kubernetes.

use std::{collections::BTreeMap, io, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use clap::Parser as _;
use lenses_mcp_server::{
    audit::AuditLog,
    metrics::Metrics,
    settings::{Settings, Variables},
    start,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time,
};

use super::{
    Error,
    calls::call_tools,
    connect,
    steps::{Shown, Steps},
};
use crate::hq::{Running, settings::Flags};

/// Where the two listen.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// HQ; port 0 takes a free one.
    pub hq: SocketAddr,
    /// The server.
    pub mcp: SocketAddr,
}

/// Starts HQ and the server, signs in and calls tools. When a person `stays`, both run until
/// Ctrl-C.
///
/// # Errors
/// The first step that fails, which has been printed by then.
pub async fn run(addresses: Addresses, stays: bool) -> Result<(), Error> {
    let mut steps = Steps::begin();
    let outcome = tokio::select! {
        outcome = show(&mut steps, addresses, stays) => outcome,
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Error::from),
    };
    println!("\n{}", steps.sum());
    outcome
}

async fn show(steps: &mut Steps, addresses: Addresses, stays: bool) -> Result<(), Error> {
    let hq = steps.take("start a stand-in Lenses HQ", start_hq(addresses.hq)).await?.0;
    let starting = start_server(&hq.issuer, addresses.mcp);
    let server = steps.take("start lenses-mcp-server", starting).await?.0;
    let mcp_url = format!("http://{}/mcp", addresses.mcp);
    call_tools(steps, "make try", &mcp_url).await?;
    println!("\n{}\n", connect::instructions(&mcp_url));
    if stays {
        println!("Ctrl-C ends the server and HQ.");
        server.await??;
    }
    Ok(())
}

/// Before anything listens there, so that the other program is not taken for ours.
async fn free(address: SocketAddr, option: &str) -> Result<(), Error> {
    TcpListener::bind(address).await.map(drop).map_err(|error| {
        let remedy = format!("end what listens there, or name another address with {option}");
        format!("failed to listen on {address}: {error}; {remedy}").into()
    })
}

async fn start_hq(listen: SocketAddr) -> Result<Shown<Running>, Error> {
    free(listen, "--hq").await?;
    let settings = Flags::try_parse_from(["hq", "--listen", &listen.to_string()])?.check()?;
    let hq = Running::start(settings).await?;
    let issuer = hq.issuer.clone();
    Ok(Shown(hq, issuer))
}

type Serving = JoinHandle<Result<(), start::StartError>>;

/// Starts the server with the settings that a person would give it, and waits until it listens.
async fn start_server(hq: &str, listen: SocketAddr) -> Result<Shown<Serving>, Error> {
    free(listen, "--mcp").await?;
    let given = [
        ("OAUTH_ENABLED", "true".to_owned()),
        ("LENSES_URL", hq.to_owned()),
        ("MCP_ADVERTISED_URL", format!("http://{listen}")),
        ("HOST", listen.ip().to_string()),
        ("PORT", listen.port().to_string()),
    ];
    let words = given.each_ref().map(|(name, value)| format!("{name}={value}")).join(" ");
    let environment: BTreeMap<_, _> =
        given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let no_files = |_: &Path| Err(io::ErrorKind::NotFound.into());
    let settings = Settings::read(&Variables::load(environment, &no_files)?)?;
    let run = start::run(settings, Arc::new(Metrics::new()), AuditLog::default());
    let mut serving = tokio::spawn(run);
    tokio::select! {
        ended = &mut serving => {
            ended??;
            Err("the server ended as soon as it started".into())
        }
        () = listens(listen) => Ok(Shown(serving, words)),
    }
}

async fn listens(address: SocketAddr) {
    while TcpStream::connect(address).await.is_err() {
        time::sleep(Duration::from_millis(10)).await;
    }
}
