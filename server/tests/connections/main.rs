//! Connections over real sockets: how many there may be, how long they may take, and whose they
//! are.

#![expect(clippy::panic, reason = "a test that fails says so by panicking")]
#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod address;
mod bounds;
mod shutdown;
mod times;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Extension, Router,
    extract::Request,
    extract::State,
    routing::{get, post},
};
use lenses_mcp_server::{
    client_address::ClientAddress,
    connections::{self, ConnectionHandle, Options, metrics::ConnectionMetrics},
    lifecycle::Stages,
    limits,
};
use prometheus_client::registry::Registry;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
    time::timeout,
};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server with a route that answers at once (`/`), one that waits to be released (`/held`), one
/// with a long answer (`/long`), one that refuses what is posted to it (`/refused`), and one that
/// says who asks (`/client`).
struct Server {
    address: SocketAddr,
    stages: Stages,
    serving: JoinHandle<()>,
    registry: Registry,
    held: Arc<Held>,
}

/// The requests to `/held`.
struct Held {
    begun: AtomicUsize,
    released: Semaphore,
}

impl Server {
    fn start(options: Options) -> Self {
        let mut registry = Registry::default();
        let metrics = ConnectionMetrics::new(&mut registry).of("mcp");
        let held = Arc::new(Held { begun: AtomicUsize::new(0), released: Semaphore::new(0) });
        let stages = Stages::default();
        let router = Router::new()
            .route("/", get(async || "served"))
            .route("/held", get(hold).with_state(held.clone()))
            .route("/long", get(async || "x".repeat(1 << 20)))
            .route("/refused", post(refuse).with_state(held.clone()))
            .route("/client", get(client));
        let listener = connections::listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let options = Options { metrics, ..options };
        let serving = tokio::spawn(connections::serve(listener, router, options, stages.clone()));
        Self { address, stages, serving, registry, held }
    }

    /// A metric's value; `labels` are all but the listener's.
    fn metric(&self, name: &str, labels: &str) -> u64 {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).unwrap();
        let series = format!("{name}{{listener=\"mcp\"{labels}}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&series)?.parse().ok());
        value.unwrap_or_else(|| panic!("{series} is not in\n{text}"))
    }

    fn closed(&self, reason: &str) -> u64 {
        self.metric("connections_closed_total", &format!(",reason=\"{reason}\""))
    }

    fn in_flight(&self) -> u64 {
        self.metric("connections_in_flight", "")
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection from another address.
    async fn connect_from(&self, address: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// A connection with a request in flight.
    async fn busy(&self) -> TcpStream {
        self.begin("GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n").await
    }

    /// A connection with a request in flight that is refused, and whose body does not end.
    async fn refused(&self) -> TcpStream {
        let head = "POST /refused HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{";
        self.begin(head).await
    }

    async fn begin(&self, request: &str) -> TcpStream {
        let begun = self.held.begun.load(Ordering::Relaxed);
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        until("a request", async || self.held.begun.load(Ordering::Relaxed) > begun).await;
        stream
    }

    /// Lets a request to `/held` be answered.
    fn release(&self) {
        self.held.released.add_permits(1);
    }
}

async fn hold(State(held): State<Arc<Held>>) -> &'static str {
    held.begun.fetch_add(1, Ordering::Relaxed);
    held.released.acquire().await.unwrap().forget();
    "served"
}

/// As the endpoint does without a token.
async fn refuse(State(held): State<Arc<Held>>, request: Request) -> &'static str {
    held.begun.fetch_add(1, Ordering::Relaxed);
    let (parts, body) = request.into_parts();
    limits::discard(body, &ConnectionHandle::of(&parts.extensions)).await;
    "not served"
}

async fn client(Extension(address): Extension<ClientAddress>) -> String {
    format!("{} served", address.client)
}

async fn send(stream: &mut TcpStream, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// The response to what was sent; every short response ends with "served".
async fn response(stream: &mut TcpStream) -> String {
    let mut response = String::new();
    while !response.ends_with("served") {
        let mut part = [0; 512];
        let read = timeout(PATIENCE, stream.read(&mut part)).await.unwrap().unwrap();
        assert!(read > 0, "closed after {response:?}");
        response.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    response
}

async fn ask(stream: &mut TcpStream) -> String {
    send(stream, "/").await;
    response(stream).await
}

/// Waits until the server has closed the connection.
async fn closed(stream: &mut TcpStream) {
    let mut part = [0; 512];
    // A connection with bytes that nobody read is reset.
    while timeout(PATIENCE, stream.read(&mut part)).await.unwrap().is_ok_and(|read| read > 0) {}
}

/// Asks until `condition` holds.
async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
