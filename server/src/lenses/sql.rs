//! Queries: HQ's SQL websocket, `ws[s]://…/api/v1/environments/{environment}/proxy/api/ws/v2/sql/execute`.
//!
//! One connection, one statement. The answer arrives as frames (`frame.rs`) until END, SUCCESS or a clean close. A
//! query that reaches a limit is cut: the rows so far are the answer, and [`Cut`] says that there is more. Dropping the
//! future closes the connection, which is how HQ learns that a query is wanted no longer.

mod frame;

use std::{sync::Arc, time::Duration};

use futures::{SinkExt, StreamExt};
use http::header::{AUTHORIZATION, USER_AGENT};
use serde_json::json;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        protocol::{WebSocketConfig, frame::coding::CloseCode},
    },
};
use url::Host;

use self::frame::Frame;
use super::{CONNECT_TIMEOUT, Error, Name, Object, Problem, Session, chain};

/// The largest frame that is read whatever the limits say: HQ's own cap on what it proxies.
const MAX_FRAME_BYTES: usize = 32 << 20;
/// How long the closing handshake of a query that was cut may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Queries read records of a few hundred bytes; the library's default of 128 KiB per connection would be idle memory.
const BUFFER_BYTES: usize = 16 << 10;

/// Where a query is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most rows that are kept.
    pub rows: usize,
    /// Most bytes of rows that are kept, as HQ sends them.
    pub bytes: usize,
    /// Longest time, from connecting to the last row.
    pub time: Duration,
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// The rows in the order in which they came. A tombstone is a row with a null value, and a row of nothing is `{}`.
    pub rows: Vec<Object>,
    /// Why there may be more rows than these.
    pub cut: Option<Cut>,
}

/// Why a query ended before its result did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// The limit of rows.
    #[error("the limit of {0} rows was reached")]
    Rows(usize),
    /// The limit of bytes.
    #[error("the limit of {0} bytes was reached")]
    Bytes(usize),
    /// The limit of time.
    #[error("the time limit of {} s was reached", .0.as_secs_f32())]
    Time(Duration),
    /// HQ went away.
    #[error("Lenses closed the connection before the end of the result")]
    Closed,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

impl Session {
    /// Runs one statement, or several with `;` between them.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::Query`] with Lenses' message when it refuses the statement or fails while running it, rows
    /// or not. A limit that is reached before the first row is an error too: no rows would look like no data.
    pub async fn query(&self, environment: &Name, sql: &str, limits: Limits) -> Result<Rows, Error> {
        let measured = self.measure("execute_sql");
        let deadline = Instant::now() + limits.time;
        let result = match timeout_at(deadline, self.open(environment, limits)).await {
            Err(_) => Err(Error::TimedOut { after: limits.time }),
            Ok(Err(error)) => Err(error),
            Ok(Ok(mut socket)) => self.run(&mut socket, sql, limits, deadline).await,
        };
        measured.finish(result.as_ref().err());
        result
    }

    async fn open(&self, environment: &Name, limits: Limits) -> Result<Socket, Error> {
        let url = self.agent(environment, "api/ws/v2/sql/execute").websocket();
        let mut request =
            url.as_str().into_client_request().map_err(|error| Error::Unreachable { reason: chain(&error) })?;
        request.headers_mut().insert(AUTHORIZATION, self.bearer()?);
        request.headers_mut().insert(USER_AGENT, http::HeaderValue::from_static(super::USER_AGENT));

        let port = url.port_or_known_default().unwrap_or(80);
        let connecting = async {
            match url.host() {
                Some(Host::Domain(name)) => TcpStream::connect((name, port)).await,
                Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await,
                Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await,
                None => Err(std::io::ErrorKind::InvalidInput.into()),
            }
        };
        let stream = match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(|error| Error::Unreachable { reason: error.to_string() })?,
            Err(_) => return Err(Error::Unreachable { reason: "connecting took too long".to_owned() }),
        };

        let most = limits.bytes.min(MAX_FRAME_BYTES);
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(most))
            .max_frame_size(Some(most));
        let connector = match url.scheme() {
            "wss" => Connector::Rustls(Arc::clone(&self.client.0.tls)),
            _ => Connector::Plain,
        };
        let handshake = client_async_tls_with_config(request, stream, Some(config), Some(connector));
        match timeout(self.client.0.request_timeout, handshake).await {
            Err(_) => Err(Error::TimedOut { after: self.client.0.request_timeout }),
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(tungstenite::Error::Http(reply))) => {
                let body = reply.body().as_deref().unwrap_or_default();
                Err(Error::from_reply(reply.status(), Problem::read(body, &self.credential)))
            }
            Ok(Err(tungstenite::Error::Io(error))) => Err(Error::Unreachable { reason: error.to_string() }),
            Ok(Err(tungstenite::Error::Tls(error))) => Err(Error::Unreachable { reason: chain(&error) }),
            Ok(Err(_)) => Err(Error::Unreadable { what: "something other than a websocket" }),
        }
    }

    async fn run(&self, socket: &mut Socket, sql: &str, limits: Limits, deadline: Instant) -> Result<Rows, Error> {
        socket
            .send(Message::text(json!({ "sql": sql }).to_string()))
            .await
            .map_err(|error| Error::Interrupted { reason: chain(&error) })?;

        let mut rows = Vec::new();
        let mut bytes = 0;
        let cut = loop {
            let message = match timeout_at(deadline, socket.next()).await {
                Err(_) => break Cut::Time(limits.time),
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(tungstenite::Error::Capacity(_)))) => break Cut::Bytes(limits.bytes.min(MAX_FRAME_BYTES)),
                Ok(Some(Err(_)) | None) => break Cut::Closed,
            };
            let text = match &message {
                Message::Text(text) => text.as_bytes(),
                Message::Binary(bytes) => bytes,
                Message::Close(Some(close)) if close.code != CloseCode::Normal => break Cut::Closed,
                Message::Close(_) => return Ok(Rows { rows, cut: None }),
                // Answered by the library.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
            };
            match Frame::read(text, &self.credential)? {
                Frame::Record(_) if rows.len() == limits.rows => break Cut::Rows(limits.rows),
                Frame::Record(_) if text.len() > limits.bytes - bytes => break Cut::Bytes(limits.bytes),
                Frame::Record(row) => {
                    bytes += text.len();
                    rows.push(row);
                }
                Frame::Passing => {}
                Frame::Error(problem) => return Err(Error::Query(problem)),
                Frame::End => {
                    close(socket).await;
                    return Ok(Rows { rows, cut: None });
                }
            }
        };
        // HQ stops the query when the connection closes; a peer that does not answer the close is dropped all the same.
        close(socket).await;
        match cut {
            Cut::Time(after) if rows.is_empty() => Err(Error::TimedOut { after }),
            Cut::Bytes(limit) if rows.is_empty() => Err(Error::TooLarge { limit }),
            Cut::Closed if rows.is_empty() => Err(Error::Interrupted { reason: cut.to_string() }),
            cut => Ok(Rows { rows, cut: Some(cut) }),
        }
    }
}

async fn close(socket: &mut Socket) {
    // The rows are here and the connection goes away next: a failure to say goodbye changes nothing.
    let _ = timeout(CLOSE_TIMEOUT, socket.close(None)).await;
}
