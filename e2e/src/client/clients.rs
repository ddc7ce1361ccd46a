//! Clients that call on and on, whatever is done to their servers.

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

use super::{Application, Session};

/// Why a test of clients stops.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Clients that call on and on. The first call that fails stops all of them.
#[derive(Default)]
pub struct Clients {
    shared: Shared,
    running: JoinSet<Result<(), String>>,
}

impl Clients {
    /// Starts so many clients that keep their connection, and as many that connect anew for each
    /// call. `pause` is between two calls of a client.
    ///
    /// # Errors
    /// When the first call fails.
    pub async fn start(
        &mut self,
        application: &Application,
        token: &str,
        of_each_kind: usize,
        pause: Duration,
    ) -> Result<(), Trouble> {
        for _ in 0..of_each_kind {
            let session = application.connect(Some(token)).await?;
            let staying = async move || call(&session).await;
            self.running.spawn(self.shared.clone().until_stopped("one that stays", pause, staying));
            let (application, token) = (application.clone(), token.to_owned());
            let coming = async move || {
                let session = application.connect(Some(&token)).await;
                call(&session.map_err(|refusal| format!("{refusal:?}"))?).await
            };
            self.running.spawn(self.shared.clone().until_stopped("one that comes", pause, coming));
        }
        Ok(())
    }

    /// Waits until the clients have called a few times more; what failed until then is a failure of
    /// `what`.
    ///
    /// # Errors
    /// When a call failed, or none is made within a minute.
    pub async fn still_call(&self, what: &str) -> Result<(), Trouble> {
        let Shared { calls, stop } = &self.shared;
        let enough = calls.load(SeqCst) + 20;
        let called = async {
            while calls.load(SeqCst) < enough && !stop.is_cancelled() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_mins(1), called).await;
        if in_time.is_err() || stop.is_cancelled() {
            return Err(format!(
                "the clients do not call any more after {what}; see the first failure above"
            )
            .into());
        }
        Ok(())
    }

    /// Stops them, and gives the number of calls.
    ///
    /// # Errors
    /// When a call failed.
    pub async fn end(mut self) -> Result<u32, Trouble> {
        self.shared.stop.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended??;
        }
        Ok(self.shared.calls.load(SeqCst))
    }
}

/// What all clients have in common.
#[derive(Clone, Default)]
struct Shared {
    calls: Arc<AtomicU32>,
    stop: CancellationToken,
}

impl Shared {
    async fn until_stopped(
        self,
        client: &str,
        pause: Duration,
        call: impl AsyncFn() -> Result<(), String>,
    ) -> Result<(), String> {
        while !self.stop.is_cancelled() {
            if let Err(failure) = call().await {
                self.stop.cancel();
                let after = self.calls.load(SeqCst);
                let failure = format!("{client}, after {after} calls of all: {failure}");
                eprintln!("{failure}");
                return Err(failure);
            }
            self.calls.fetch_add(1, SeqCst);
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }
}

async fn call(session: &Session) -> Result<(), String> {
    match session.call("list_environments", json!({})).await {
        Ok(result) if result.is_error != Some(true) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}
