//! Clients that call without a pause, so that no interruption of a server stays unseen.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Trouble;
use crate::client::{Application, Session};

/// How many clients call at the same time on connections that they keep, and how many connect anew for each call.
const STAYING: usize = 2;
const COMING: usize = 2;

/// Clients that call without a pause.
#[derive(Debug)]
pub struct Clients {
    calls: Arc<AtomicU32>,
    stop: CancellationToken,
    running: JoinSet<Result<(), String>>,
}

impl Clients {
    /// Starts them; each connects as `application` with `token`.
    ///
    /// # Errors
    /// When one cannot connect.
    pub async fn start(application: &Application, token: &str) -> Result<Self, Trouble> {
        let (calls, stop) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
        let mut running = JoinSet::new();
        for _ in 0..STAYING {
            let session = application.connect(Some(token)).await?;
            running.spawn(until_stopped(
                "one that stays",
                Arc::clone(&calls),
                stop.clone(),
                async move || call(&session).await,
            ));
        }
        for _ in 0..COMING {
            let (application, token) = (application.clone(), token.to_owned());
            running.spawn(until_stopped(
                "one that comes",
                Arc::clone(&calls),
                stop.clone(),
                async move || {
                    call(
                        &application
                            .connect(Some(&token))
                            .await
                            .map_err(|refusal| format!("{refusal:?}"))?,
                    )
                    .await
                },
            ));
        }
        Ok(Self { calls, stop, running })
    }

    /// Waits until each client has called a few times more; what failed until then is a failure of
    /// `what`.
    ///
    /// # Errors
    /// When a call failed, or none comes any more.
    pub async fn still_call(&self, what: &str) -> Result<(), Trouble> {
        let enough = self.calls.load(SeqCst) + 20;
        let called = async {
            while self.calls.load(SeqCst) < enough && !self.stop.is_cancelled() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_mins(1), called).await;
        if in_time.is_err() || self.stop.is_cancelled() {
            return Err(format!(
                "the clients do not call any more after {what}; see the first failure above"
            )
            .into());
        }
        Ok(())
    }

    /// Stops them. How many calls there were.
    ///
    /// # Errors
    /// When a call failed.
    pub async fn end(mut self) -> Result<u32, Trouble> {
        self.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended??;
        }
        Ok(self.calls.load(SeqCst))
    }
}

async fn until_stopped(
    client: &str,
    calls: Arc<AtomicU32>,
    stop: CancellationToken,
    call: impl AsyncFn() -> Result<(), String>,
) -> Result<(), String> {
    while !stop.is_cancelled() {
        if let Err(failure) = call().await {
            stop.cancel();
            let failure = format!("{client}, after {} calls of all: {failure}", calls.load(SeqCst));
            eprintln!("{failure}");
            return Err(failure);
        }
        calls.fetch_add(1, SeqCst);
    }
    Ok(())
}

async fn call(session: &Session) -> Result<(), String> {
    match session.call("list_environments", json!({})).await {
        Ok(result) if result.is_error != Some(true) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}
