//! Connections: accepted, bounded in number and time, and served.
//!
//! ```text
//! listener ─▶ table: one place each, an idle connection makes room for a new one
//!          ─▶ WriteTimeout ─▶ TLS ─▶ ReadTimeout ─▶ hyper ─▶ service ─▶ router
//! ```

mod activity;
mod handle;
mod listener;
pub mod metrics;
mod read_timeout;
mod service;
mod table;
mod write_timeout;

use std::{
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{either::Either, task::TaskTracker};

use self::{
    activity::Activity,
    listener::accept,
    metrics::{Closed, ConnectionMetrics, ListenerMetrics},
    read_timeout::ReadTimeout,
    service::service,
    table::{Place, Table},
    write_timeout::WriteTimeout,
};
pub use self::{
    handle::{ConnectionHandle, Discarding},
    listener::listen,
};
use crate::{client_address::TrustedProxies, lifecycle::Stages};

/// Largest head of a request, in bytes. Each connection with a body on its way has a buffer of this
/// length besides the bytes that the body has reserved.
const HEAD_MAX: usize = 32 * 1024;
/// How often a connection that should end is checked for a client that lets it wait.
const ABANDONED_PAUSE: Duration = Duration::from_millis(500);

/// How many connections a listener has at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// All of them. One more closes the connection that has been idle for the longest.
    pub total: usize,
    /// Those of one address, or of one /64 network of IPv6; trusted proxies are not bounded. One
    /// more closes the connection of that address that has been idle for the longest.
    pub per_address: usize,
    /// What happens to one more in total if none is idle. False: it is closed. True: the one whose
    /// request has been answered for the longest is closed, so that a probe always gets through.
    pub close_busy: bool,
}

/// How long a client may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the first byte of a request's head to its last; and for a TLS handshake.
    pub head: Duration,
    /// Without taking a byte of what is written to it.
    pub write: Duration,
    /// From the end of a response to the first byte of the next request.
    pub idle: Duration,
}

/// How a listener serves.
#[derive(Clone)]
pub struct Options {
    /// Behind TLS, if given.
    pub tls: Option<TlsAcceptor>,
    /// How many connections.
    pub bounds: Bounds,
    /// How long each may take.
    pub timeouts: Timeouts,
    /// The proxies that are not bounded per address and report their clients' addresses.
    pub trusted_proxies: Arc<TrustedProxies>,
    /// What is counted.
    pub metrics: ListenerMetrics,
}

impl Default for Options {
    /// The default settings, without TLS, with metrics that nobody reads.
    fn default() -> Self {
        Self {
            tls: None,
            bounds: Bounds { total: 1024, per_address: 64, close_busy: false },
            timeouts: Timeouts {
                head: Duration::from_secs(10),
                write: Duration::from_secs(30),
                idle: Duration::from_secs(75),
            },
            trusted_proxies: Arc::default(),
            metrics: ConnectionMetrics::default().of("mcp"),
        }
    }
}

/// Serves `router` on `listener` until `stages` say otherwise. Returns when the last connection has
/// ended.
pub async fn serve(listener: TcpListener, router: Router, options: Options, stages: Stages) {
    let table = Arc::new(Table::new(
        options.bounds,
        Arc::clone(&options.trusted_proxies),
        options.metrics.clone(),
    ));
    let watched = Arc::clone(&table);
    stages.readiness.add(Box::new(move || watched.fault()));
    let mut http = http1::Builder::new();
    // The time for a head is ReadTimeout's.
    http.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD_MAX);
    let server = Arc::new(Server {
        router,
        http,
        options,
        stages,
        stopping: Arc::new(AtomicBool::new(false)),
    });
    let connections = TaskTracker::new();
    while let Some((stream, peer)) = accept(&listener, &table, &server.stages.stopping).await {
        let Some(place) = table.admit(peer) else {
            tracing::debug!(%peer, "closed a connection: there are too many, and none is idle");
            continue;
        };
        let server = Arc::clone(&server);
        connections.spawn(async move { server.hold(stream, peer, place).await });
    }
    drop(listener);
    server.stopping.store(true, Ordering::Relaxed);
    connections.close();
    connections.wait().await;
}

/// What all connections share.
struct Server {
    router: Router,
    http: http1::Builder,
    options: Options,
    stages: Stages,
    /// Whether responses say that their connection closes.
    stopping: Arc<AtomicBool>,
}

impl Server {
    /// Serves a connection to its end.
    async fn hold(&self, stream: TcpStream, peer: SocketAddr, place: Place) {
        // Answers are small and whole: waiting to fill a segment only delays them.
        let _best_effort = stream.set_nodelay(true);
        let own = stream.local_addr().ok().map(|own| own.ip().to_canonical());
        let Options { tls, timeouts, metrics, .. } = &self.options;
        let stream =
            WriteTimeout::new(stream, timeouts.write, Arc::clone(&place.activity), metrics.clone());
        let stream = match tls {
            None => Either::Left(stream),
            Some(tls) => match self.handshake(tls, stream, &place).await {
                Some(stream) => Either::Right(stream),
                None => return,
            },
        };
        self.serve(stream, peer, own, &place).await;
    }

    async fn serve<S>(&self, stream: S, peer: SocketAddr, own: Option<IpAddr>, place: &Place)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let (options, activity) = (&self.options, &place.activity);
        let stream = ReadTimeout::new(
            stream,
            options.timeouts,
            Arc::clone(activity),
            options.metrics.clone(),
        );
        let service = service(
            self.router.clone(),
            peer,
            own,
            Arc::clone(&options.trusted_proxies),
            Arc::clone(activity),
            Arc::clone(&self.stopping),
        );
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let closing = async {
            tokio::select! {
                () = place.evicted.cancelled() => {}
                () = self.stages.closing_idle.cancelled() => {}
            }
        };
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = closing => {
                let makes_room = options.bounds.close_busy && place.evicted.is_cancelled();
                if makes_room || activity.idle_since().is_some() {
                    return;
                }
                // A request is answered to its end, if its client takes the response.
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = &mut connection => ended,
                    () = abandoned(activity) => return,
                    () = self.stages.cut.cancelled() => return,
                }
            }
            () = self.stages.cut.cancelled() => return,
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke");
        }
    }

    /// The connection once it is encrypted; `None` if that fails, takes too long, or is no longer
    /// wanted.
    async fn handshake<S>(
        &self,
        tls: &TlsAcceptor,
        stream: S,
        place: &Place,
    ) -> Option<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let handshake = timeout(self.options.timeouts.head, tls.accept(stream));
        let ended = tokio::select! {
            ended = handshake => ended,
            () = place.evicted.cancelled() => return None,
            () = self.stages.stopping.cancelled() => return None,
        };
        match ended {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => {
                self.options.metrics.closed(Closed::HandshakeTimeout);
                tracing::debug!("a TLS handshake took too long");
            }
        }
        None
    }
}

/// Waits until only the client keeps the connection from its end.
async fn abandoned(activity: &Activity) {
    while activity.idle_since().is_none() {
        sleep(ABANDONED_PAUSE).await;
    }
}
