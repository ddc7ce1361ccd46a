//! What runs, in which order it starts and stops.
//!
//! Start: settings, admin port, lease, controller. Stop (SIGTERM or SIGINT): no new reconcile
//! begins, reconciles under way finish, the lease is given up, exit 0, all within a hard limit that
//! is shorter than the pod's grace period. A second signal, or a lost lease, ends the process at
//! once: another operator may be working already.

mod api_client;
mod controller;
mod gather;
mod stop;

use std::{io::IsTerminal, process::ExitCode, sync::Arc, time::Duration};

use kube::Config;
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::{
    admin::{self, Admin, Stage},
    api_server,
    context::{Context, Defaults, VerificationDefaults},
    lease::{Lease, LeaseLost},
    metrics::Metrics,
    probe::{ProbeSettings, Proxy, dial::DialPolicy},
    settings::{LogFormat, Settings},
    watching::Caches,
};

/// How long reconciles under way may take to finish after the signal. The chart's grace period is
/// longer.
const DRAIN: Duration = Duration::from_secs(15);

/// Why the operator stopped other than by a signal.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("failed to find the API server: {0}")]
    Config(#[from] kube::config::InferConfigError),
    #[error("failed to make a client for the API server: {0}")]
    Client(#[from] kube::Error),
    #[error("failed to listen on {address} (ADMIN_ADDRESS): {source}")]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
    #[error("failed to serve the admin port: {0}")]
    Admin(std::io::Error),
    #[error("failed to listen for signals: {0}")]
    Signals(std::io::Error),
    #[error("stopped working: {0}")]
    Lease(#[from] LeaseLost),
}

/// Runs the operator until a signal or a lost lease ends it.
#[must_use]
pub fn run(settings: Settings) -> ExitCode {
    log(&settings);
    // One thread: the work is waiting for the API server, and what goes from thread to thread costs
    // more than it gains.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "failed to start");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(work(settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "ended");
            ExitCode::FAILURE
        }
    }
}

async fn work(settings: Settings) -> Result<(), RunError> {
    let Settings {
        server_image,
        server_image_pull_secrets,
        watch_namespaces,
        watch_selector,
        upgrades_at_once,
        cluster_domain,
        lease_name,
        lease_namespace,
        identity,
        admin_address,
        concurrency,
        resync_interval_seconds,
        trust,
        proxy,
        no_proxy,
        log_level: _,
        log_format: _,
    } = settings;

    let stop = stop_on_signal()?;
    let metrics = Arc::new(Metrics::default());
    let (stage, seen) = watch::channel(Stage::Starting);
    let listener = TcpListener::bind(admin_address)
        .await
        .map_err(|source| RunError::Listen { address: admin_address, source })?;
    let admin = admin::router(Admin { metrics: Arc::clone(&metrics), stage: seen });
    let admin = axum::serve(listener, admin);

    let config = Config::infer().await?;
    let api_server = config.cluster_url.clone();
    let client = api_client::client(config, &metrics)?;
    let namespace = lease_namespace.unwrap_or_else(|| client.default_namespace().to_owned());
    let identity =
        identity.unwrap_or_else(|| format!("{}-{:08x}", crate::MANAGER, rand::random::<u32>()));
    let lease = Lease::new(client.clone(), &namespace, lease_name, identity.clone());

    let leader = async {
        tracing::info!(identity, namespace, "waiting for the lease");
        let on_standby = || drop(stage.send_replace(Stage::Standby));
        let Some(record) = stop.run_until_cancelled(lease.acquire(on_standby)).await else {
            return Ok(());
        };
        tracing::info!(identity, "working");
        let ranges = trust.verification_allowed_cidrs.0;
        let dial = DialPolicy::new(ranges, api_server::addresses(&client, &api_server).await);
        let verification = VerificationDefaults {
            mode: trust.verification_mode,
            probes: ProbeSettings { secrets_require_label: trust.secrets_require_label, dial },
        };
        let (caches, writers) = Caches::new();
        let caches = Arc::new(caches);
        let reading = Arc::clone(&caches);
        let (context, admissions) = Context::new(
            client,
            caches,
            metrics,
            Defaults {
                image: server_image,
                image_pull_secrets: server_image_pull_secrets.0,
                cluster_domain,
                namespaces: watch_namespaces.0,
                selector: watch_selector,
                upgrades_at_once,
                operator_namespace: namespace,
                allow_host_access: trust.pod_template_allow_host_access,
                verification,
                proxy: Proxy::of_operator(proxy, no_proxy),
            },
            identity,
        );
        let context = Arc::new(context);
        stage.send_replace(Stage::Leading(Arc::clone(&context)));
        let tempo = controller::Tempo {
            concurrency,
            resync: Duration::from_secs(resync_interval_seconds.into()),
        };
        let reconciles = controller::run(context, admissions, writers, tempo, stop.clone());
        let drained = async {
            tokio::pin!(reconciles);
            tokio::select! {
                () = &mut reconciles => {}
                // Without all that it needs to read, no reconcile is under way.
                () = stop.cancelled() => {
                    if reading.unread().is_empty() && timeout(DRAIN, reconciles).await.is_err() {
                        tracing::warn!(
                            seconds = DRAIN.as_secs(), "reconciles under way did not finish"
                        );
                    }
                }
            }
        };
        tokio::select! {
            () = drained => {}
            lost = lease.hold(record) => return Err(lost.into()),
        }
        if let Err(error) = lease.release().await {
            tracing::warn!(%error, "failed to give up the lease");
        }
        tracing::info!("stopped");
        Ok(())
    };
    tokio::select! {
        done = leader => done,
        served = admin.into_future() => served.map_err(RunError::Admin),
    }
}

/// Cancelled by the first SIGTERM or SIGINT; the second ends the process.
fn stop_on_signal() -> Result<CancellationToken, RunError> {
    let mut requests = stop::Requests::listen().map_err(RunError::Signals)?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        requests.next().await;
        tracing::info!("stopping");
        stopping.cancel();
        requests.next().await;
        std::process::exit(130);
    });
    Ok(stop)
}

/// <https://no-color.org>: set, and not empty.
fn no_colour() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

fn log(settings: &Settings) {
    // kube tells of each failed request in Rust's notation; those that made it tell of it in words.
    let quiet = "kube_runtime::watcher=error,kube_client=off";
    let filter = EnvFilter::new(format!("{quiet},{}", settings.log_level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).init(),
        // Colours are for a terminal; elsewhere they are noise.
        LogFormat::Text => {
            log.with_ansi(std::io::stderr().is_terminal() && !no_colour()).init();
        }
    }
}
