//! What a call can send to its client while it runs: notifications, and questions.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::{sync::mpsc, time::timeout};

use super::elicitation::{Asker, Elicitation};

/// Messages that wait to be sent. A client that does not read holds up its own call.
pub(super) const QUEUED: usize = 8;

/// The way back to the client of one call.
#[derive(Clone)]
pub struct Client {
    messages: mpsc::Sender<Vec<u8>>,
    elicitation: Arc<Elicitation>,
    asker: Asker,
}

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The client went away, or answered with an error.
    #[error("the client did not answer the question")]
    Refused,
    /// The client cancelled the call that asks.
    #[error("the client cancelled the call")]
    CallCancelled,
    /// Too many questions wait for answers.
    #[error("too many questions wait for answers")]
    TooMany,
    /// The user took too long.
    #[error("the question was not answered in time")]
    TimedOut,
}

#[derive(Serialize)]
struct Outgoing<'a, P> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    method: &'a str,
    params: P,
}

impl Client {
    /// For the call of `asker`, which sends to `messages`.
    pub(super) fn new(
        messages: mpsc::Sender<Vec<u8>>,
        elicitation: Arc<Elicitation>,
        asker: Asker,
    ) -> Self {
        Self { messages, elicitation, asker }
    }

    /// Sends a notification. False if the client is gone.
    pub async fn notify(&self, method: &str, params: impl Serialize) -> bool {
        self.send(&Outgoing { jsonrpc: "2.0", id: None, method, params }).await
    }

    /// Sends a request and waits for its result, up to `within`.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`].
    pub async fn ask(
        &self,
        method: &str,
        params: impl Serialize,
        within: Duration,
    ) -> Result<Box<RawValue>, NoAnswer> {
        let mut question = self.elicitation.ask(&self.asker).ok_or(NoAnswer::TooMany)?;
        let request = Outgoing { jsonrpc: "2.0", id: Some(&question.id), method, params };
        if !self.send(&request).await {
            return Err(NoAnswer::Refused);
        }
        let answered = timeout(within, &mut question.answer).await;
        let answer = answered.map_err(|_| NoAnswer::TimedOut)?;
        // Nobody else drops the way of the answer while the call waits.
        let result = answer.map_err(|_| NoAnswer::CallCancelled)?.ok_or(NoAnswer::Refused)?;
        RawValue::from_string(result.into()).map_err(|_| NoAnswer::Refused)
    }

    async fn send(&self, message: &impl Serialize) -> bool {
        match serde_json::to_vec(message) {
            Ok(message) => self.messages.send(message).await.is_ok(),
            Err(_) => false,
        }
    }
}
