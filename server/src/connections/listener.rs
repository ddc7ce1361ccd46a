//! Listening and accepting.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use super::table::Table;

/// What the system may hold of a response that its client has not taken yet, in bytes; Linux
/// doubles it. By itself it grows to 4 MiB for each connection. It counts as the server's memory,
/// and a write that waits goes on only once a third of it is free.
const SEND_BUFFER: u32 = 128 * 1024;
/// Connections that the system holds until they are accepted.
const BACKLOG: u32 = 1024;
/// How long accepting waits when the system has no more file descriptors: only a connection that
/// ends gives one back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Listens on `address`.
///
/// # Errors
///
/// If the address can't be listened on.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait for the connections of the process before it.
    socket.set_reuseaddr(true)?;
    // Connections take it over from their listener.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The next connection; `None` once stopping.
pub(super) async fn accept(
    listener: &TcpListener,
    table: &Table,
    stopping: &CancellationToken,
) -> Option<(TcpStream, SocketAddr)> {
    let accepted = async {
        loop {
            match listener.accept().await {
                Ok(accepted) => return accepted,
                // The client went away before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    tracing::error!(%error, "failed to accept a connection");
                    table.make_room();
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        accepted = accepted => Some(accepted),
        () = stopping.cancelled() => None,
    }
}
