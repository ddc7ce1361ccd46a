//! One watch, which can be made to begin anew.

use std::{sync::Arc, time::Duration};

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use kube::{
    Api,
    core::Status,
    runtime::{
        WatchStreamExt,
        watcher::{self, Error, Event, watcher},
    },
};
use tokio::{sync::Notify, time::sleep};

use super::coverage::{Coverage, Scope};
use crate::apis::Kind;

/// A watch's events.
pub(crate) type Events<K> = BoxStream<'static, Result<Event<K>, Error>>;

/// The events of several watches, each with where it was seen.
pub(super) type ScopedEvents<K> = BoxStream<'static, (Scope, Result<Event<K>, Error>)>;

/// The wait before a watch that cannot go on begins anew.
const ANEW: Duration = Duration::from_secs(10);

/// How a watch goes on.
enum Next<K> {
    Follow(Events<K>),
    /// It cannot be resumed, and kube would try just that for ever.
    Anew,
}

/// The events of a kind's watch. It begins with a list, and with a new one whenever `restart` is
/// notified.
pub(super) fn watch<K: Kind>(
    api: Api<K>,
    config: watcher::Config,
    prune: fn(&mut K),
    restart: Arc<Notify>,
) -> Events<K> {
    let start =
        move || watcher(api.clone(), config.clone()).default_backoff().modify(prune).boxed();
    stream::unfold(Next::Follow(start()), move |next| {
        let (start, restart) = (start.clone(), Arc::clone(&restart));
        async move {
            let mut events = match next {
                Next::Follow(events) => events,
                Next::Anew => {
                    sleep(ANEW).await;
                    start()
                }
            };
            let event = tokio::select! {
                biased;
                () = restart.notified() => {
                    events = start();
                    events.next().await
                }
                event = events.next() => event,
            }?;
            let next = match &event {
                Err(error) if !is_resumable(error) => Next::Anew,
                _ => Next::Follow(events),
            };
            Some((event, next))
        }
    })
    .boxed()
}

/// Whether the same watch may be had a moment later: not after a version is forgotten, and not
/// while it is not allowed. Then a list tells what is so.
fn is_resumable(error: &Error) -> bool {
    let Error::WatchStartFailed(kube::Error::Api(status)) = error else { return true };
    !(status.is_forbidden() || status.code == 410)
}

/// What the API server says if it refuses a list to this operator.
fn refusal(error: &Error) -> Option<&Status> {
    match error {
        Error::InitialListFailed(kube::Error::Api(status)) if status.is_forbidden() => Some(status),
        _ => None,
    }
}

/// A watch failed; it tries again by itself. Tells whether the list was refused.
pub(super) fn failed<K: Kind>(coverage: &Coverage, scope: &Scope, error: &Error) -> bool {
    let kind = K::kind(&());
    let Some(status) = refusal(error) else {
        tracing::warn!(%kind, %error, "failed to watch");
        return false;
    };
    if coverage.refused(scope) {
        let namespace = scope.namespace();
        tracing::warn!(
            %kind, namespace, message = %status.message,
            "cannot list: the namespace, or the operator's Role in it, is missing; \
             the operator tries again and works in the other namespaces"
        );
    }
    true
}
