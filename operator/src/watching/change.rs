//! What watches show, and what of it is news to a cache.

use std::borrow::Cow;

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};

use super::cache::Touched;
use crate::apis::Kind;

/// What watches show, after it went into a cache.
pub(crate) type Changes = BoxStream<'static, Change>;

/// An object that came, changed or went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What a cache found to be news.
pub(crate) fn changes<K: Kind>(news: impl Stream<Item = Vec<Touched>> + Send + 'static) -> Changes {
    news.flat_map(stream::iter)
        .map(|(namespace, name)| Change { kind: K::kind(&()), namespace, name })
        .boxed()
}
