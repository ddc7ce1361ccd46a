//! The hourly check: whether a cache has what the API server has.
//!
//! A watch tells of everything, so this should find nothing, and a metric counts what it does find.
//! It lists metadata, in pages, and compares versions. A watch that has missed something begins
//! anew, with a list.

use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Duration};

use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use kube::{Api, api::ListParams};
use tokio::{sync::Notify, time::sleep};

use super::{
    cache::{Touched, Version, version},
    coverage::Scope,
};
use crate::{apis::Kind, metrics::Metrics};

/// How far a watch may be behind a list.
const LAG: Duration = Duration::from_secs(10);
/// How many objects are listed at a time.
const PAGE: u32 = 500;

/// The version of each object.
pub(super) type Versions = HashMap<Touched, Version>;

/// How one watch is checked.
pub(crate) struct Check {
    kind: Cow<'static, str>,
    scope: Scope,
    list: Box<dyn Fn() -> BoxFuture<'static, kube::Result<Listed>> + Send + Sync>,
    kept: Arc<dyn Fn(&Scope) -> Versions + Send + Sync>,
    restart: Arc<Notify>,
}

/// What the API server has.
struct Listed {
    version: Version,
    objects: Versions,
}

/// Checks each watch for ever. `interval` is the mean time between two checks of one.
pub(crate) async fn resync(checks: Vec<Check>, interval: Duration, metrics: &Metrics) {
    join_all(checks.iter().map(|check| check.repeat(interval, metrics))).await;
}

impl Check {
    /// `kept`: the versions that the watch has shown.
    pub(super) fn new<K: Kind>(
        api: Api<K>,
        selector: &str,
        scope: Scope,
        kept: Arc<dyn Fn(&Scope) -> Versions + Send + Sync>,
    ) -> Self {
        let params = ListParams::default().labels(selector).limit(PAGE);
        let list = Box::new(move || list(api.clone(), params.clone()).boxed());
        Self { kind: K::kind(&()), scope, list, kept, restart: Arc::default() }
    }

    /// What makes the watch begin anew.
    pub(super) fn restart(&self) -> Arc<Notify> {
        Arc::clone(&self.restart)
    }

    async fn repeat(&self, interval: Duration, metrics: &Metrics) {
        metrics.checks(&self.kind);
        loop {
            // Up to a quarter longer or shorter, so that the checks of the kinds spread over it.
            sleep(interval.mul_f64(rand::random_range(0.75..1.25))).await;
            let (kind, namespace) = (&self.kind, self.scope.namespace());
            match self.missed().await {
                Ok(0) => metrics.checked(kind, 0),
                Ok(count) => {
                    metrics.checked(kind, count);
                    tracing::warn!(
                        %kind, namespace, count, "the watch has missed changes; it begins anew"
                    );
                    self.restart.notify_one();
                }
                // The watch itself tells of a right or an API that is missing.
                Err(error) => tracing::debug!(%kind, namespace, %error, "failed to check"),
            }
        }
    }

    /// How many objects are not kept as they are. What differs twice, with nothing shown of it in
    /// between, has been missed.
    async fn missed(&self) -> kube::Result<usize> {
        let first = self.suspects().await?;
        if first.is_empty() {
            return Ok(0);
        }
        sleep(LAG).await;
        let again = self.suspects().await?;
        Ok(again.iter().filter(|(key, kept)| first.get(*key) == Some(kept)).count())
    }

    /// The objects that are kept in an older version than the API server has, or against its word:
    /// with the version in which they are kept.
    async fn suspects(&self) -> kube::Result<HashMap<Touched, Option<Version>>> {
        let listed = (self.list)().await?;
        let kept = (self.kept)(&self.scope);
        Ok(suspects(&listed, &kept))
    }
}

fn suspects(listed: &Listed, kept: &Versions) -> HashMap<Touched, Option<Version>> {
    let stale = listed.objects.iter().filter_map(|(key, version)| {
        let kept = kept.get(key).copied();
        kept.is_none_or(|kept| kept < *version).then(|| (key.clone(), kept))
    });
    let gone = kept.iter().filter(|(key, kept)| {
        // What is newer than the list was made after it.
        !listed.objects.contains_key(*key) && **kept <= listed.version
    });
    stale.chain(gone.map(|(key, kept)| (key.clone(), Some(*kept)))).collect()
}

async fn list<K: Kind>(api: Api<K>, mut params: ListParams) -> kube::Result<Listed> {
    let mut listed = Listed { version: 0, objects: HashMap::new() };
    loop {
        let page = api.list_metadata(&params).await?;
        let parsed = page.metadata.resource_version.and_then(|version| version.parse().ok());
        listed.version = parsed.unwrap_or_default();
        listed.objects.extend(page.items.into_iter().map(|object| {
            let key = (
                object.metadata.namespace.clone().unwrap_or_default(),
                object.metadata.name.clone().unwrap_or_default(),
            );
            (key, version(&object))
        }));
        params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
        if params.continue_token.is_none() {
            return Ok(listed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_older_than_the_list_or_against_it_is_suspect() {
        let key = |name: &str| ("a".to_owned(), name.to_owned());
        let versions = |of: &[(&str, Version)]| {
            of.iter().map(|(name, version)| (key(name), *version)).collect::<Versions>()
        };
        let listed =
            Listed { version: 9, objects: versions(&[("same", 1), ("old", 5), ("new", 7)]) };
        for (kept, suspect) in [
            (&[("same", 1), ("old", 5), ("new", 7)][..], &[][..]),
            (&[("same", 1), ("old", 4), ("new", 7)], &[("old", Some(4))]),
            (&[("same", 1), ("old", 5)], &[("new", None)]),
            (&[("same", 1), ("old", 5), ("new", 7), ("gone", 9)], &[("gone", Some(9))]),
            // Written by this operator since.
            (&[("same", 1), ("old", 10), ("new", 7), ("later", 11)], &[]),
        ] {
            let wanted = suspect.iter().map(|(name, kept)| (key(name), *kept)).collect();
            assert_eq!(suspects(&listed, &versions(kept)), wanted, "{kept:?}");
        }
    }
}
