//! A way for what is outside, such as a person's browser, to reach what is inside.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{Cluster, ClusterError, namespaces};

/// Connections at once; further ones wait to be accepted.
const CONNECTIONS: usize = 128;
/// How long the target may take to accept.
const DIAL: Duration = Duration::from_secs(5);

/// Forwards TCP connections from an address outside the cluster to one inside, until it is dropped.
#[derive(Debug)]
pub struct Forward {
    address: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Forward {
    /// The address outside, with the port that was chosen if port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens outside, then goes inside with the listener to dial from there. `target` is
    /// `HOST:PORT`; its name is resolved by the cluster's DNS for each connection.
    pub(super) fn start(
        cluster: &Cluster,
        listen: SocketAddr,
        target: &str,
    ) -> Result<Self, ClusterError> {
        let failed = |source| ClusterError::Forward { listen, target: target.to_owned(), source };
        let listener = StdListener::bind(listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stop = CancellationToken::new();
        let (entered, is_inside) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name(format!("forward {target}")).spawn({
            let (cluster, target, stop) = (cluster.clone(), target.to_owned(), stop.clone());
            move || {
                let inside = namespaces::enter(cluster.pid, &cluster.run_directory())
                    .map_err(io::Error::other);
                // The runtime's threads start in this one's namespaces, those that resolve names
                // included.
                let runtime = inside.and_then(|()| {
                    tokio::runtime::Builder::new_current_thread().enable_all().build()
                });
                match runtime {
                    Ok(runtime) => {
                        let listening = runtime.block_on(async { TcpListener::from_std(listener) });
                        match listening {
                            Ok(listener) => {
                                if entered.send(Ok(())).is_ok() {
                                    runtime.block_on(
                                        stop.run_until_cancelled(serve(listener, &target)),
                                    );
                                }
                                runtime.shutdown_background();
                            }
                            Err(error) => drop(entered.send(Err(error))),
                        }
                    }
                    Err(error) => drop(entered.send(Err(error))),
                }
            }
        });
        let thread = thread.map_err(failed)?;
        is_inside
            .recv()
            .unwrap_or_else(|_| Err(io::Error::other("the forwarding thread ended")))
            .map_err(failed)?;
        Ok(Self { address, stop, thread: Some(thread) })
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // It holds the cluster's network as long as it lives. A panic in it has been printed.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, target: &str) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let target: Arc<str> = target.into();
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((mut outside, _)) => {
                let target = Arc::clone(&target);
                tokio::spawn(async move {
                    let _place = place;
                    match tokio::time::timeout(DIAL, TcpStream::connect(&*target)).await {
                        Ok(Ok(mut inside)) => {
                            // Either side may end a connection as it likes: that is no fault of the
                            // forwarder's.
                            let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                        }
                        Ok(Err(error)) => tracing::debug!(%target, %error, "target refused"),
                        Err(_) => tracing::debug!(%target, "target did not accept in time"),
                    }
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: they come back when a connection ends.
                tracing::debug!(%error, "failed to accept");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
