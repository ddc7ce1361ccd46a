//! Connections and their end.
//!
//! ```text
//! signal ─▶ stopping: not ready, nothing new is accepted, each response says that its connection closes after it
//!        ─▶ a moment: idle connections close, requests in flight go on
//!        ─▶ four fifths of the grace period: what still streams is ended
//!        ─▶ the rest of it, or a second signal: what is left is cut
//! ```

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Response, header::CONNECTION},
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as HyperService, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    signal::unix::{Signal, SignalKind, signal},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{either::Either, sync::CancellationToken, task::TaskTracker};

/// Longest time between a connection's (or the last response's) end and the next request's complete head. Above the idle
/// time of common load balancers (60 s), so that the balancer closes first and no request meets a closed connection.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// Largest head of a request, in bytes.
const HEAD_MAX: usize = 64 * 1024;
/// Longest time for a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection waits for one more request once the server stops: a request that crosses with a close fails
/// (RFC 9112 §9.5), while a client that is told with a response goes elsewhere.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long accepting waits when the system has no more file descriptors: only a connection that ends gives one back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The stages of stopping, each a token that all tasks share.
#[derive(Debug, Clone, Default)]
pub struct Stages {
    /// Nothing new is accepted, and each response says that its connection closes after it.
    pub stopping: CancellationToken,
    /// Idle connections close.
    pub closing_idle: CancellationToken,
    /// What still streams is ended.
    pub ending_streams: CancellationToken,
    /// What is left is cut.
    pub cut: CancellationToken,
}

/// SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes over both signals.
    ///
    /// # Errors
    ///
    /// When the system does not let it.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next of them.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

impl Stages {
    /// Goes through the stages while `connections` end: to be called at the first signal. Returns when all have ended, at
    /// the latest after `grace`, or at once after another signal.
    pub async fn run(
        &self,
        grace: Duration,
        signals: &mut Signals,
        connections: impl Future<Output = ()>,
    ) {
        self.stopping.cancel();
        let last_part = grace / 5;
        let farewell = FAREWELL.min(last_part);
        let deadline = async {
            sleep(farewell).await;
            self.closing_idle.cancel();
            sleep(grace.saturating_sub(last_part + farewell)).await;
            tracing::warn!("requests are still in flight; ending streams");
            self.ending_streams.cancel();
            // Leaves time for the process itself to end within the grace period.
            sleep(last_part * 4 / 5).await;
        };
        tokio::select! {
            () = connections => tracing::info!("all connections have ended"),
            () = deadline => tracing::warn!("connections are cut at the end of SHUTDOWN_GRACE"),
            () = signals.next() => tracing::warn!("connections are cut at the second signal"),
        }
        self.cut.cancel();
    }
}

/// Serves `router` on `listener`, behind TLS where `tls` is given, at most `max_connections` at a time (more wait in the system's queue), until `stages`
/// say otherwise; returns when its last connection has ended.
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    max_connections: usize,
    stages: Stages,
) {
    let slots = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
    let (ongoing, stopping) = (TaskTracker::new(), Arc::new(AtomicBool::new(false)));
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_MAX);
    while let Some((stream, slot)) = accept(&listener, &slots, &stages.stopping).await {
        let service = farewell(router.clone(), Arc::clone(&stopping));
        let (http, watcher, tls, stages) =
            (http.clone(), connections.watcher(), tls.clone(), stages.clone());
        ongoing.spawn(async move {
            let _slot = slot;
            let stream = match tls {
                None => Either::Left(stream),
                Some(tls) => match handshake(&tls, stream, &stages.stopping).await {
                    Some(stream) => Either::Right(stream),
                    None => return,
                },
            };
            let connection = watcher.watch(http.serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                ended = connection => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection broke");
                    }
                }
                () = stages.cut.cancelled() => {}
            }
        });
    }
    drop(listener);
    stopping.store(true, Ordering::Relaxed);
    ongoing.close();
    tokio::select! {
        () = ongoing.wait() => {}
        () = stages.closing_idle.cancelled() => connections.shutdown().await,
    }
}

/// The router, whose responses say once `stopping` is true that their connection closes after them (RFC 9112 §9.6).
fn farewell(
    router: Router,
    stopping: Arc<AtomicBool>,
) -> impl HyperService<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
{
    let service = TowerToHyperService::new(router);
    service_fn(move |request| {
        let (answering, stopping) = (service.call(request), Arc::clone(&stopping));
        async move {
            let mut response = answering.await?;
            if stopping.load(Ordering::Relaxed) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        }
    })
}

/// The connection once it is encrypted; `None` when that fails, takes too long, or is no longer wanted.
async fn handshake(
    tls: &TlsAcceptor,
    stream: TcpStream,
    stopping: &CancellationToken,
) -> Option<TlsStream<TcpStream>> {
    let handshake = timeout(HANDSHAKE_TIMEOUT, tls.accept(stream));
    let ended = tokio::select! {
        ended = handshake => ended,
        () = stopping.cancelled() => return None,
    };
    match ended {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
        Err(_) => tracing::debug!("a TLS handshake took too long"),
    }
    None
}

/// The next connection and its place among those that are allowed; `None` once stopping.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
    stopping: &CancellationToken,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let accepted = async {
        let slot = slots.clone().acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    // Answers are small and whole: waiting to fill a segment only delays them.
                    let _best_effort = stream.set_nodelay(true);
                    return Some((stream, slot));
                }
                // The client went away before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::error!(%error, "failed to accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        accepted = accepted => accepted,
        () = stopping.cancelled() => None,
    }
}
