//! Queries: HQ's SQL websocket,
//! `ws[s]://…/api/v1/environments/{environment}/proxy/api/ws/v2/sql/execute`.
//!
//! One connection, one statement. The answer arrives as frames (`frame.rs`) until END or a clean
//! close. SUCCESS ends nothing: it acknowledges the login, and later a statement that has no rows.
//! A query that reaches a limit is cut: the rows so far are the answer, and [`Cut`] says that there
//! is more. Frames are read one at a time, so that HQ sends no faster than rows are taken. Dropping
//! the future closes the connection, which is how HQ learns that a query is wanted no longer.

mod frame;
#[cfg(test)]
mod fuzz;
mod handshake;
mod rows;

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::json;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::{
    self, Message,
    error::ProtocolError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};
use tracing::Instrument;

pub use self::rows::Rows;
use self::{
    frame::{Frame, Stats},
    handshake::Socket,
    rows::Collected,
};
use super::{CallerClient, Error, Name, error::chain};

/// How long the closing handshake of a query that was cut may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How often HQ is asked to say how far it is, in ms.
const STATS_INTERVAL_MS: u64 = 500;

/// Where a query is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most rows that are kept.
    pub rows: usize,
    /// Most bytes of rows that are kept, as HQ sends them. The first row is kept whatever its
    /// length.
    pub bytes: usize,
    /// Longest time, from connecting to the last row.
    pub time: Duration,
    /// Bytes of records after which Lenses itself ends this query, as far as is known.
    pub scanned_bytes: u64,
}

/// How far a query has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Rows that came.
    pub rows: usize,
    /// Records that Lenses looked at, as it last said.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
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
    /// Lenses looked at so many bytes of records that it ended by its own limit.
    #[error("Lenses read {0} bytes of records and most likely ended at its own limit max.size")]
    Scanned(u64),
    /// HQ went away.
    #[error("Lenses closed the connection before the end of the result")]
    Closed,
}

impl CallerClient {
    /// Runs one statement, or several with `;` between them. `seen` is told how far it is after
    /// each frame.
    ///
    /// # Errors
    ///
    /// [`Error`]; [`Error::Query`] with Lenses' message when it refuses the statement or fails
    /// while running it, rows or not. A limit that is reached before the first row is an error too:
    /// no rows would look like no data.
    pub async fn query(
        &self,
        environment: &Name,
        sql: &str,
        limits: Limits,
        seen: impl Fn(Seen) + Send,
    ) -> Result<Rows, Error> {
        let measured = self.measure("execute_sql");
        let deadline = Instant::now() + limits.time;
        let endpoint = self.agent_websocket(environment, "api/ws/v2/sql/execute");
        let asked = async {
            let request = json!({ "sql": sql, "stats": STATS_INTERVAL_MS }).to_string();
            match timeout_at(deadline, self.open(endpoint, request.len())).await {
                Err(_) => Err(Error::TimedOut { after: limits.time }),
                Ok(Err(error)) => Err(error),
                Ok(Ok(mut socket)) => self.run(&mut socket, request, limits, deadline, seen).await,
            }
        };
        let result = asked.instrument(measured.span.clone()).await;
        measured.finish(result.as_ref().err());
        result
    }

    async fn run(
        &self,
        socket: &mut Socket,
        request: String,
        limits: Limits,
        deadline: Instant,
        seen: impl Fn(Seen) + Send,
    ) -> Result<Rows, Error> {
        match timeout_at(deadline, socket.send(Message::text(request))).await {
            Err(_) => return Err(Error::TimedOut { after: limits.time }),
            Ok(sent) => sent.map_err(|error| Error::Interrupted { reason: chain(&error) })?,
        }
        let mut rows = Collected::new();
        let mut stats = Stats::default();
        let mut message = None;
        let mut frames = Frames::None;
        let cut = loop {
            let text = match timeout_at(deadline, next(socket)).await {
                Err(_) => break Some(Cut::Time(limits.time)),
                Ok(Received::Frame(text)) => text,
                Ok(Received::TooLarge) => break Some(Cut::Bytes(self.max_message_bytes())),
                Ok(Received::Unreadable(what)) => return Err(Error::Unreadable { what }),
                Ok(Received::End) if frames == Frames::Known => {
                    break ended_early(stats, limits);
                }
                Ok(Received::End) if frames == Frames::Unknown => return Err(UNKNOWN),
                // Not one frame: that is no answer.
                Ok(Received::Broken | Received::End) => break Some(Cut::Closed),
            };
            let frame = Frame::read(&text, &self.credential)?;
            match &frame {
                Frame::Unknown if frames == Frames::None => frames = Frames::Unknown,
                Frame::Unknown | Frame::End => {}
                _ => frames = Frames::Known,
            }
            match frame {
                Frame::Record(_) if rows.count() == limits.rows => {
                    break Some(Cut::Rows(limits.rows));
                }
                Frame::Record(row) if !rows.has_room(row.map_or(2, <[u8]>::len), limits.bytes) => {
                    break Some(Cut::Bytes(limits.bytes));
                }
                Frame::Record(row) => rows.push(row),
                Frame::Stats(said) => stats = said,
                Frame::Success(text) => message = text.or(message),
                Frame::Heartbeat | Frame::Unknown => {}
                Frame::Invalid(problem) => return Err(Error::InvalidQuery(problem)),
                Frame::Error(problem) => return Err(Error::Query(problem)),
                Frame::End if frames == Frames::Unknown => return Err(UNKNOWN),
                Frame::End => break ended_early(stats, limits),
            }
            seen(Seen {
                rows: rows.count(),
                records: stats.records_scanned,
                bytes: stats.bytes_read,
            });
        };
        // HQ stops the query when the connection closes; a peer that does not answer the close is
        // dropped all the same, and a failure to say goodbye changes nothing.
        let _ = timeout(CLOSE_TIMEOUT, socket.close(None)).await;
        match cut {
            Some(Cut::Time(after)) if rows.count() == 0 => Err(Error::TimedOut { after }),
            Some(Cut::Bytes(limit)) if rows.count() == 0 => Err(Error::TooLarge { limit }),
            Some(Cut::Closed) if rows.count() == 0 => {
                Err(Error::Interrupted { reason: Cut::Closed.to_string() })
            }
            cut => Ok(rows.end(message, cut)),
        }
    }
}

/// A stream of frames none of which is known gives no rows, which would look like no data.
const UNKNOWN: Error = Error::Unreadable { what: "frames that are not SQL's" };

/// What is known of the frames so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frames {
    /// There were none.
    None,
    /// There were some, all of types that are not known.
    Unknown,
    /// There was one of a known type.
    Known,
}

/// Whether a query that Lenses ended was ended by its limit of what a query reads. Only its count
/// of bytes tells.
fn ended_early(stats: Stats, limits: Limits) -> Option<Cut> {
    (stats.bytes_read >= limits.scanned_bytes).then_some(Cut::Scanned(stats.bytes_read))
}

/// What the socket gave.
enum Received {
    Frame(tungstenite::Bytes),
    /// A close that says that all is well.
    End,
    Broken,
    TooLarge,
    Unreadable(&'static str),
}

/// The next message. Cancelling it loses nothing but the message, which is why it is only ever
/// cancelled at the end.
async fn next(socket: &mut Socket) -> Received {
    loop {
        return match socket.next().await {
            Some(Ok(Message::Text(text))) => Received::Frame(text.into()),
            Some(Ok(Message::Binary(bytes))) => Received::Frame(bytes),
            // Answered by the library.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(Message::Close(None | Some(CloseFrame { code: CloseCode::Normal, .. })))) => {
                Received::End
            }
            Some(Err(tungstenite::Error::Capacity(_))) => Received::TooLarge,
            Some(Err(tungstenite::Error::Utf8(_))) => {
                Received::Unreadable("text that is not UTF-8")
            }
            Some(Err(tungstenite::Error::Protocol(error)))
                if error != ProtocolError::ResetWithoutClosingHandshake =>
            {
                Received::Unreadable("a malformed websocket frame")
            }
            Some(Ok(Message::Close(Some(_))) | Err(_)) | None => Received::Broken,
        };
    }
}
