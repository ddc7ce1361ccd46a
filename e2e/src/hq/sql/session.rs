//! One WebSocket: one statement, from the acknowledgement of the login to the close.
//!
//! Rows are sent as fast as the client takes them and no faster: the scan goes on only when the
//! socket took what it found, so memory does not grow with the rows. When the client goes, the
//! query is killed, or HQ ends, the scan is dropped where it is and is no longer listed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use serde_json::json;

use super::commands::{self, Outcome};
use super::frame::{Frame, Request, Stats};
use super::limits::Limits;
use super::parser;
use super::scan::Scan;
use super::statement::{Script, Select, Statement};
use crate::hq::environments::Agent;
use crate::hq::faults::{SqlEnding, SqlFault};
use crate::hq::queries::RunningQuery;
use crate::hq::users::Caller;
use crate::hq::{Hq, lock};

/// How long the client has to ask.
const FIRST_FRAME: Duration = Duration::from_secs(10);
/// How often a running query says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long the client has to take the last frames.
const FAREWELL: Duration = Duration::from_secs(5);

type Sender = SplitSink<WebSocket, Message>;
type Receiver = SplitStream<WebSocket>;

/// Why a query sends no more.
enum Ended {
    /// With these last frames and a close.
    With(Vec<Frame>),
    /// Without a word: the client has gone, or the fault that was asked for.
    Silently,
}

/// Serves the socket until it is closed.
pub(crate) async fn run(
    socket: WebSocket,
    hq: Arc<Hq>,
    agent: Arc<Agent>,
    caller: Caller,
    target: &str,
) {
    let (mut sender, mut receiver) = socket.split();
    if sender.send(Frame::SignedIn.into_message()).await.is_err() {
        return;
    }
    let asked = tokio::select! {
        asked = tokio::time::timeout(
            FIRST_FRAME, first_frame(&mut receiver)
        ) => asked.unwrap_or(Ok(None)),
        () = hq.gone() => return,
    };
    let request = match asked {
        Ok(Some(request)) => request,
        Ok(None) => return,
        Err(fault) => return close(&mut sender, vec![Frame::InvalidRequest(fault)]).await,
    };
    if let Some(log) = &hq.requests {
        lock(log).push("WEBSOCKET", target, None, Some(json!({"sql": request.sql})));
    }
    let ended = match begin(&request, &agent, &caller) {
        Err(fault) => Ended::With(vec![Frame::Error(fault)]),
        Ok((script, started)) => {
            let (killed, limit) = (started.killed.clone(), script.limits.max_query_time);
            tokio::select! {
                ended = answer(&mut sender, &hq, &agent, &request, script, &started) => ended,
                () = left(&mut receiver) => Ended::Silently,
                () = hq.gone() => Ended::Silently,
                () = killed.cancelled() => Ended::With(
                    vec![Frame::Error(format!("query [{}] was killed", started.id))]
                ),
                () = tokio::time::sleep(limit) => {
                    Ended::With(
                        vec![
                            Frame::Error(
                                format!("query [{}] ran longer than max.query.time", started.id)
                            )
                        ]
                    )
                }
            }
        }
    };
    if let Ended::With(frames) = ended {
        close(&mut sender, frames).await;
    }
}

/// The request; none when the client left; an error when the frame is not a request.
async fn first_frame(receiver: &mut Receiver) -> Result<Option<Request>, String> {
    while let Some(Ok(message)) = receiver.next().await {
        match message {
            Message::Text(text) => {
                return serde_json::from_str(&text)
                    .map(Some)
                    .map_err(|error| format!("not a request: {error}"));
            }
            Message::Binary(_) => return Err("not a request: binary frame".to_owned()),
            Message::Close(_) => return Ok(None),
            Message::Ping(_) | Message::Pong(_) => {}
        }
    }
    Ok(None)
}

/// Returns when the client closes or is gone.
async fn left(receiver: &mut Receiver) {
    while let Some(Ok(message)) = receiver.next().await {
        if matches!(message, Message::Close(_)) {
            return;
        }
    }
}

fn begin(
    request: &Request,
    agent: &Agent,
    caller: &Caller,
) -> Result<(Script, RunningQuery), String> {
    let script = parser::parse(&request.sql)?;
    commands::authorize(&script.statement, caller)?;
    let started = agent.queries.start(&request.sql, &caller.name, Timestamp::now())?;
    Ok((script, started))
}

async fn answer(
    sender: &mut Sender,
    hq: &Hq,
    agent: &Agent,
    request: &Request,
    script: Script,
    started: &RunningQuery,
) -> Ended {
    let Script { statement, limits } = script;
    let fault = hq.faults.borrow().sql;
    match statement {
        Statement::Select(select) => {
            match stream(sender, agent, select, &limits, request.stats_interval(), started, fault)
                .await
            {
                Ok(ended) => ended,
                Err(_gone) => Ended::Silently,
            }
        }
        statement => match commands::execute(statement, agent, Timestamp::now()) {
            Err(error) => Ended::With(vec![Frame::Error(error)]),
            Ok(Outcome::Done(done)) => Ended::With(vec![Frame::Success(done), Frame::End]),
            Ok(Outcome::Rows(rows)) => {
                let row = |(rownum, value)| {
                    Frame::Record(
                        json!({"key": null, "value": value, "rownum": rownum}).to_string(),
                    )
                };
                Ended::With(rows.into_iter().enumerate().map(row).chain([Frame::End]).collect())
            }
        },
    }
}

/// Sends the rows of a SELECT.
async fn stream(
    sender: &mut Sender,
    agent: &Agent,
    select: Select,
    limits: &Limits,
    stats_interval: Option<Duration>,
    started: &RunningQuery,
    fault: Option<SqlFault>,
) -> Result<Ended, axum::Error> {
    let stats = Stats { id: started.id, started_at: started.started_at, ..Stats::default() };
    let scan = Scan::new(select, limits.max_size, &lock(&agent.kafka), stats);
    let mut scan = match scan {
        Ok(scan) => scan,
        Err(error) => return Ok(Ended::With(vec![Frame::Error(error)])),
    };
    let begin = Instant::now();
    let (mut last_heartbeat, mut last_stats) = (begin, begin);
    let mut sent = 0;
    sender.send(Frame::Heartbeat.into_message()).await?;
    loop {
        let step = scan.step(&lock(&agent.kafka));
        let batch = match step {
            Ok(batch) => batch,
            Err(error) => return Ok(Ended::With(vec![Frame::Error(error)])),
        };
        for row in batch.rows {
            if let Some(fault) = fault.filter(|fault| fault.after_records == sent) {
                return end_early(sender, fault.then).await;
            }
            sender.feed(Frame::Record(row).into_message()).await?;
            sent += 1;
        }
        scan.stats.duration = begin.elapsed();
        if batch.done {
            break;
        }
        if last_heartbeat.elapsed() >= HEARTBEAT {
            last_heartbeat = Instant::now();
            sender.send(Frame::Heartbeat.into_message()).await?;
        }
        if stats_interval.is_some_and(|interval| last_stats.elapsed() >= interval) {
            last_stats = Instant::now();
            sender.send(Frame::Stats(scan.stats.clone()).into_message()).await?;
        }
        // A scan that finds nothing to send must still let others run.
        tokio::task::yield_now().await;
    }
    match fault {
        Some(fault) => end_early(sender, fault.then).await,
        None => Ok(Ended::With(vec![Frame::Stats(scan.stats), Frame::End])),
    }
}

/// The ending that was asked for.
async fn end_early(sender: &mut Sender, ending: SqlEnding) -> Result<Ended, axum::Error> {
    sender.flush().await?;
    match ending {
        SqlEnding::Error => Ok(Ended::With(vec![Frame::Error(
            "fault set on the stand-in: the query failed".to_owned(),
        )])),
        SqlEnding::InvalidRequest => {
            Ok(Ended::With(vec![Frame::InvalidRequest("fault set on the stand-in".to_owned())]))
        }
        SqlEnding::Close => Ok(Ended::With(Vec::new())),
        SqlEnding::Drop => Ok(Ended::Silently),
        SqlEnding::Hang => loop {
            sender.send(Frame::Heartbeat.into_message()).await?;
            tokio::time::sleep(HEARTBEAT).await;
        },
    }
}

/// Sends the last frames and closes, if the client takes them.
async fn close(sender: &mut Sender, frames: Vec<Frame>) {
    let farewell = async {
        for frame in frames {
            sender.feed(frame.into_message()).await?;
        }
        sender
            .send(Message::Close(Some(CloseFrame { code: close_code::NORMAL, reason: "".into() })))
            .await
    };
    // Whether the client hears it or has gone makes no difference here.
    drop(tokio::time::timeout(FAREWELL, farewell).await);
}
