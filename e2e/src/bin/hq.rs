//! The stand-in Lenses HQ as a process. What it does is in the library: `lenses_mcp_e2e::hq`.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use lenses_mcp_e2e::hq::Running;
use lenses_mcp_e2e::hq::settings::{Flags, Settings};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Settings that cannot be used (`EX_CONFIG` of sysexits.h).
const BAD_SETTINGS: u8 = 78;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let settings = match Flags::parse().check() {
        Ok(settings) => settings,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(BAD_SETTINGS);
        }
    };
    match run(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings) -> Result<(), Box<dyn Error>> {
    // Before anything else: the first process of a container ignores a signal that it has no
    // handler for.
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    if settings.approve_as.is_some() {
        tracing::warn!("--approve-as: authorization is granted without asking anyone");
    }
    let running = Running::start(settings).await?;
    println!("Lenses HQ (stand-in) listens on {}", running.address);
    println!("issuer: {}", running.issuer);
    println!("service account token: {}", running.service_account_token);
    println!(
        "users: alice (all rights), bob (reads everything, creates topics named sandbox.*); \
         password = name"
    );
    if let Some(control) = running.control {
        println!("control: http://{control}/faults and http://{control}/requests");
    }
    let stop = running.stopper();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(running.ended().await?)
}
