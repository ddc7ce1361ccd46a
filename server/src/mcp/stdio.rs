//! One client over standard input and output, a message a line (MCP, "stdio"). The same methods as
//! over HTTP; what HTTP says in each request is remembered for the connection.

mod lines;

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderMap;
use tokio::{
    io::{AsyncWriteExt, BufReader},
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use self::lines::next_line;
use super::{
    Handler,
    client::{Client, QUEUED},
    context::Context,
    elicitation::{Asker, Elicitation},
    message::{Message, Notification, Rejected, Request},
    method::Call,
    metrics::Transport,
    response::{Exchange, on_one_line},
    revision::{Revision, named},
};
use crate::{
    audit::Source,
    identity::Identity,
    json_rpc::{RequestId, RpcError},
    limits::{Budget, Held},
};

/// Calls that are answered at a time.
const CALLS_MAX: usize = 64;
/// How long calls may go on once the input has ended: a question can't be answered any more.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

type Running = Mutex<HashMap<String, CancellationToken>>;

/// A map is whole whatever panicked elsewhere.
fn lock(running: &Running) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one connection remembers.
struct Connection<H> {
    handler: Arc<H>,
    elicitation: Arc<Elicitation>,
    identity: Identity,
    budget: Budget,
    server_info: Arc<str>,
    revision: Revision,
    has_forms: bool,
    output: mpsc::Sender<Vec<u8>>,
    calls: JoinSet<()>,
    /// The calls that run, by their id.
    running: Arc<Running>,
}

/// Serves one client on stdin and stdout, as `identity`, until stdin ends and what it asked for is
/// answered, for at most 10 seconds more. A line may have `max_bytes`, and HQ's replies are bounded
/// by `budget`. Gives the number of lines that came.
///
/// # Errors
///
/// Standard input or output failed.
pub async fn serve_stdio<H: Handler>(
    handler: Arc<H>,
    elicitation: Arc<Elicitation>,
    identity: Identity,
    budget: Budget,
    max_bytes: usize,
) -> io::Result<u64> {
    let (output, messages) = mpsc::channel(QUEUED);
    let mut connection = Connection {
        handler,
        elicitation,
        identity,
        budget,
        server_info: super::server_info().into(),
        revision: Revision::V2025_03_26,
        has_forms: false,
        output,
        calls: JoinSet::new(),
        running: Arc::default(),
    };
    let writing = tokio::spawn(write(messages));
    let mut input = BufReader::new(tokio::io::stdin());
    let mut received = 0;
    while let Some(line) = next_line(&mut input, max_bytes).await? {
        received += 1;
        if let Ok(line) = line {
            connection.receive(Bytes::from(line)).await;
        } else {
            let error = RpcError::parse_error("the line is longer than MCP_MAX_BODY_BYTES");
            connection.fail(&RequestId::NULL, &error).await;
        }
        while connection.calls.try_join_next().is_some() {}
    }
    // A client may send all that it wants, close, and read the answers.
    let finishing = async { while connection.calls.join_next().await.is_some() {} };
    let _in_time = timeout(FINISH_WITHIN, finishing).await;
    drop(connection);
    writing.await.map_err(io::Error::other)??;
    Ok(received)
}

/// Writes a message a line.
async fn write(mut messages: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
    let mut stdout = tokio::io::stdout();
    while let Some(mut message) = messages.recv().await {
        on_one_line(&mut message);
        message.push(b'\n');
        stdout.write_all(&message).await?;
        stdout.flush().await?;
    }
    Ok(())
}

impl<H: Handler> Connection<H> {
    async fn receive(&mut self, line: Bytes) {
        if line.trim_ascii().is_empty() {
            return;
        }
        match Message::parse(&line) {
            Ok(Message::Request(request)) => self.call(*request).await,
            Ok(Message::Notification(notification)) => self.cancel(&notification),
            Ok(Message::Response(response)) => {
                if let Err(error) = self.elicitation.answer(&response, &self.identity) {
                    tracing::debug!(%error, "an answer is ignored");
                }
            }
            Err(Rejected { id, error }) => self.fail(&id, &error).await,
        }
    }

    async fn call(&mut self, request: Request) {
        let Request { id, mut call, meta } = request;
        self.handler.read_arguments(&mut call);
        if self.calls.len() >= CALLS_MAX {
            let error = RpcError::overloaded(
                http::StatusCode::TOO_MANY_REQUESTS,
                "too many calls at a time; wait for one to end",
            );
            return self.fail(&id, &error).await;
        }
        let stated = meta.protocol_version.as_deref().map(named);
        let revision = match (&call, stated.transpose()) {
            (_, Err(error)) => return self.fail(&id, &error).await,
            (Call::Initialize(params), _) => {
                self.has_forms = params.capabilities.has_forms();
                self.revision = Revision::negotiated(&params.protocol_version);
                self.revision
            }
            (_, Ok(stated)) => stated.unwrap_or(self.revision),
        };
        let has_forms = match &meta.client_capabilities {
            Some(capabilities) => capabilities.has_forms(),
            None => self.has_forms,
        };
        let (elicitation, identity) = (Arc::clone(&self.elicitation), self.identity.clone());
        let asker = Asker { identity: identity.clone(), address: None, call: id.clone() };
        let client = Client::new(self.output.clone(), elicitation, asker);
        let headers = HeaderMap::new();
        let held = Arc::new(Held::new(self.budget.clone()));
        let context = Context {
            id: id.clone(),
            identity,
            held: Arc::clone(&held),
            revision,
            meta,
            has_forms: Ok(has_forms),
            takes_events: true,
            client,
            source: Source::stdio(),
            transport: Transport::Pipe,
            headers,
        };
        let call = Arc::clone(&self.handler).handle(call, context);
        let server = Arc::clone(&self.server_info);
        let exchange = Exchange { id, revision, server, held };
        let (output, running) = (self.output.clone(), Arc::clone(&self.running));
        let (name, cancelled) = (exchange.id.as_json().to_owned(), CancellationToken::new());
        lock(&running).insert(name.clone(), cancelled.clone());
        self.calls.spawn(async move {
            tokio::select! {
                outcome = call => {
                    // The client is gone if it can't be sent.
                    let _sent = output.send(exchange.message(&outcome)).await;
                }
                () = cancelled.cancelled() => {}
            }
            lock(&running).remove(&name);
        });
    }

    /// `notifications/cancelled` ends the call that it names; it gets no answer.
    fn cancel(&self, notification: &Notification) {
        if let Some(id) = notification.cancelled()
            && let Some(call) = lock(&self.running).get(id.as_json())
        {
            call.cancel();
        }
    }

    async fn fail(&self, id: &RequestId, error: &RpcError) {
        let mut message = Vec::new();
        error.write(id, &mut message);
        let _sent = self.output.send(message).await;
    }
}
