//! Listening, ending, and being down on request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::settings::{Issuer, Settings};
use super::{Hq, app, control};

/// How long requests in flight have once the listener closes.
const GRACE: Duration = Duration::from_secs(1);

/// A stand-in that runs in this process.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where its control listener is, when it has one.
    pub control: Option<SocketAddr>,
    /// Its issuer identifier.
    pub issuer: String,
    /// The service account's token.
    pub service_account_token: String,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<Result<(), ServeError>>>,
}

/// Why the stand-in does not listen.
#[derive(Debug, Error)]
pub enum ServeError {
    /// An address cannot be bound.
    #[error(
        "failed to listen on {address} ({source}): is it taken? choose another with --listen or \
         --control"
    )]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A bound address is no issuer.
    #[error("the listen address makes no issuer URL ({0}): set --issuer-url")]
    Issuer(String),
    /// The listener failed.
    #[error("failed to serve ({0})")]
    Serve(#[source] io::Error),
}

impl Running {
    /// Binds and begins to serve.
    ///
    /// # Errors
    /// When an address cannot be bound.
    pub async fn start(settings: Settings) -> Result<Self, ServeError> {
        let listener = bind(settings.listen).await?;
        let address = local_address(&listener, settings.listen)?;
        let control_listener = match settings.control {
            None => None,
            Some(wanted) => Some(bind(wanted).await?),
        };
        let issuer = match &settings.issuer {
            Some(issuer) => issuer.clone(),
            None => Issuer::parse(&format!("http://{}", reachable(address)))
                .map_err(ServeError::Issuer)?,
        };
        let hq = Hq::new(settings, issuer);
        let mut running = Self {
            address,
            control: None,
            issuer: hq.issuer.as_str().to_owned(),
            service_account_token: hq.settings.service_account_token.clone(),
            stop: hq.stop.clone(),
            tasks: Vec::new(),
        };
        if let Some(listener) = control_listener {
            running.control = Some(local_address(&listener, address)?);
            let router = control::router(hq.clone());
            running.tasks.push(tokio::spawn(serve_until(listener, router, hq.stop.child_token())));
        }
        running.tasks.push(tokio::spawn(serve_while_up(listener, address, hq)));
        Ok(running)
    }

    /// Tells the stand-in to end.
    #[must_use]
    pub fn stopper(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// When a listener failed.
    pub async fn ended(self) -> Result<(), ServeError> {
        for task in self.tasks {
            task.await.map_err(|error| ServeError::Serve(io::Error::other(error)))??;
        }
        Ok(())
    }
}

/// Serves, except while the `down` fault is set: then the address refuses connections, as that of a
/// stopped process does.
async fn serve_while_up(
    first: TcpListener,
    address: SocketAddr,
    hq: Arc<Hq>,
) -> Result<(), ServeError> {
    let mut faults = hq.faults.subscribe();
    let mut listener = Some(first);
    while !hq.stop.is_cancelled() {
        let open = match listener.take() {
            Some(listener) => listener,
            None => bind(address).await?,
        };
        hq.listening.send_replace(true);
        let up = hq.stop.child_token();
        let serving = serve_until(open, app::router(hq.clone()), up.clone());
        tokio::pin!(serving);
        tokio::select! {
            ended = &mut serving => return ended,
            _ = faults.wait_for(|faults| faults.down) => up.cancel(),
        }
        serving.await?;
        hq.listening.send_replace(false);
        tokio::select! {
            () = hq.stop.cancelled() => {}
            _ = faults.wait_for(|faults| !faults.down) => {}
        }
    }
    Ok(())
}

async fn serve_until(
    listener: TcpListener,
    router: Router,
    end: CancellationToken,
) -> Result<(), ServeError> {
    let server = axum::serve(listener, router)
        .with_graceful_shutdown(end.clone().cancelled_owned())
        .into_future();
    tokio::select! {
        ended = server => ended.map_err(ServeError::Serve),
        () = async { end.cancelled().await; tokio::time::sleep(GRACE).await } => Ok(()),
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Bind { address, source })
}

fn local_address(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, ServeError> {
    listener.local_addr().map_err(|source| ServeError::Bind { address, source })
}

/// An unspecified address is reached at loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}
