//! A stand-in for Lenses HQ: a small program with real state behind the interfaces that an MCP
//! server uses.
//!
//! Lenses HQ is a commercial product that cannot be part of a test bed. What stands here behaves as
//! its interfaces are known to: an OAuth 2.1 authorization server ([`oauth`]), the REST API and its
//! proxy to an environment's agent ([`environments`], [`routes`]), and SQL over a WebSocket
//! ([`sql`]). A created topic shows in later reads, a deleted group is gone, a revoked application
//! is out. Faults are set, and the requests that HQ saw are read, on a listener of their own
//! ([`control`]).
//!
//! As HQ does as far as is known, it checks the rights of the *user* and leaves a token's scopes to
//! the resource server: a server that forgets to check scopes is therefore caught by the tests.
//!
//! Read [`app`] first: it shows every route.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

mod agent_error;
mod app;
#[cfg(test)]
mod applications_tests;
mod approvals;
mod connect;
mod control;
mod credentials;
mod environments;
mod faults;
mod kafka;
mod meta_info;
mod oauth;
mod problem;
mod proxied;
mod queries;
mod redirect_uri;
mod requests;
mod routes;
mod scope;
mod secret;
mod seed;
mod serve;
#[cfg(test)]
mod serve_tests;
pub mod settings;
mod sql;
mod streams;
#[cfg(test)]
mod test_client;
mod users;

pub use serve::{Running, ServeError};

/// All that the stand-in knows: its settings and everything that requests read and change.
pub(crate) struct Hq {
    pub(crate) settings: settings::Settings,
    /// The issuer identifier (RFC 8414 §2), byte for byte as clients must see it.
    pub(crate) issuer: settings::Issuer,
    pub(crate) oauth: Mutex<oauth::store::Store>,
    pub(crate) environments: environments::Environments,
    pub(crate) faults: watch::Sender<faults::Faults>,
    /// Whether HQ's own listener is open.
    pub(crate) listening: watch::Sender<bool>,
    /// Kept only while there is a control listener to read them from.
    pub(crate) requests: Option<Mutex<requests::RequestLog>>,
    /// Cancelled when the process is asked to end.
    pub(crate) stop: CancellationToken,
}

impl Hq {
    pub(crate) fn new(settings: settings::Settings, issuer: settings::Issuer) -> Arc<Self> {
        let store = oauth::store::Store::with_clients(&settings.clients);
        let requests = settings.control.map(|_| Mutex::default());
        Arc::new(Self {
            settings,
            issuer,
            oauth: Mutex::new(store),
            environments: environments::Environments::new(seed::environments()),
            faults: watch::Sender::new(faults::Faults::default()),
            listening: watch::Sender::new(false),
            requests,
            stop: CancellationToken::new(),
        })
    }

    /// Waits until HQ ends or is set `down`: then whatever hangs or streams lets go of its client.
    pub(crate) async fn gone(&self) {
        let mut faults = self.faults.subscribe();
        tokio::select! {
            () = self.stop.cancelled() => {}
            _ = faults.wait_for(|faults| faults.down) => {}
        }
    }
}

/// Locks what a panic elsewhere cannot have left half-changed: every change here is made whole
/// under one lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
