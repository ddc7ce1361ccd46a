//! What watches show, and what of it is news to a cache.

use std::borrow::Cow;

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use kube::runtime::watcher::{self, Event};

use super::cache::Touched;
use crate::apis::Kind;

/// A watch's events.
pub(crate) type Events<K> = BoxStream<'static, Result<Event<K>, watcher::Error>>;

/// What watches show, after it went into a cache.
pub(crate) type Changes = BoxStream<'static, Change>;

/// An object that came, changed or went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What a cache found to be news. A watch that fails begins anew by itself.
pub(crate) fn changes<K: Kind>(
    news: impl Stream<Item = Result<Vec<Touched>, watcher::Error>> + Send + 'static,
) -> Changes {
    let news = news.map(|news| {
        news.unwrap_or_else(|error| {
            tracing::warn!(kind = %K::kind(&()), %error, "failed to watch");
            Vec::new()
        })
    });
    news.flat_map(stream::iter)
        .map(|(namespace, name)| Change { kind: K::kind(&()), namespace, name })
        .boxed()
}
