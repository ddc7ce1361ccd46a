//! What a request can say about the connection that it came over.

use std::sync::Arc;

use http::Extensions;

use super::activity::Activity;

/// The connection of a request, among the request's extensions.
#[derive(Debug, Clone, Default)]
pub struct ConnectionHandle(Option<Arc<Activity>>);

/// A refused request's time to end. The connection counts as idle until this is dropped.
#[derive(Debug)]
pub struct Discarding(Option<Arc<Activity>>);

impl ConnectionHandle {
    pub(super) fn new(activity: Arc<Activity>) -> Self {
        Self(Some(activity))
    }

    /// The connection of the request with `extensions`; without one, as in a test of the router,
    /// nothing has to be said about it.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Lets the connection be closed for another one while what is left of a refused request is
    /// read: a caller who is refused must not take a connection from one who is not.
    #[must_use]
    pub fn discarding(&self) -> Discarding {
        if let Some(activity) = &self.0 {
            activity.set_discards(true);
        }
        Discarding(self.0.clone())
    }
}

impl Drop for Discarding {
    fn drop(&mut self) {
        if let Some(activity) = &self.0 {
            activity.set_discards(false);
        }
    }
}
