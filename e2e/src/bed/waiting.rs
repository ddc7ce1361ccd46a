//! Waiting for what must come true, by watching and with a limit.

use std::{fmt::Debug, time::Duration};

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{
    Api, Resource, ResourceExt,
    runtime::{WatchStreamExt, watcher},
};
use lenses_mcp_crds::LensesMcpServer;
use serde::de::DeserializeOwned;

use super::{Bed, Trouble};

/// Far more than anything takes on a slow machine with a cold start.
const LIMIT: Duration = Duration::from_secs(90);

/// The condition of type `kind` of `server`.
#[must_use]
pub fn condition<'a>(server: &'a LensesMcpServer, kind: &str) -> Option<&'a Condition> {
    server.status.as_ref()?.conditions.iter().find(|condition| condition.type_ == kind)
}

/// Watches the object `name` until `holds` is true of it (`None`: it does not exist); gives back
/// the object as it was then.
///
/// # Errors
/// When that does not come within 90 seconds: with `what` and the object as it was seen last.
pub async fn until<K>(
    api: &Api<K>,
    name: &str,
    what: &str,
    holds: impl Fn(Option<&K>) -> bool,
) -> Result<Option<K>, Trouble>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
    K::DynamicType: Default,
{
    let mut seen: Option<K> = None;
    let watch = async {
        let mut versions = watcher::watch_object(api.clone(), name).default_backoff().boxed();
        while let Some(version) = versions.try_next().await? {
            if holds(version.as_ref()) {
                return Ok(version);
            }
            seen = version;
        }
        Err::<_, Trouble>("the watch ended".into())
    };
    match tokio::time::timeout(LIMIT, watch).await {
        Ok(outcome) => outcome,
        Err(_) => {
            Err(format!("waited {LIMIT:?} in vain for {what}; {name} was last {seen:?}").into())
        }
    }
}

impl Bed {
    /// Waits until the resource `name` is Ready for the generation that it has.
    ///
    /// # Errors
    /// As [`until`].
    pub async fn until_ready(&self, name: &str) -> Result<LensesMcpServer, Trouble> {
        self.until_condition(name, "Ready", "Ready=True", |ready| ready.status == "True").await
    }

    /// Waits until the condition of type `kind` of the resource `name` has this reason, for the
    /// generation that it has.
    ///
    /// # Errors
    /// As [`until`].
    pub async fn until_reason(
        &self,
        name: &str,
        kind: &str,
        reason: &str,
    ) -> Result<LensesMcpServer, Trouble> {
        let what = format!("{kind} with reason {reason}");
        self.until_condition(name, kind, &what, |condition| condition.reason == reason).await
    }

    async fn until_condition(
        &self,
        name: &str,
        kind: &str,
        what: &str,
        holds: impl Fn(&Condition) -> bool,
    ) -> Result<LensesMcpServer, Trouble> {
        let servers: Api<LensesMcpServer> = self.api();
        let seen = until(&servers, name, what, |server| {
            server.is_some_and(|server| {
                condition(server, kind).is_some_and(|shown| {
                    holds(shown) && shown.observed_generation == server.meta().generation
                })
            })
        });
        seen.await?.ok_or_else(|| format!("{name} is gone").into())
    }
}

/// The names and resource versions of what `api` holds, sorted, so that two states can be compared.
///
/// # Errors
/// When the list is refused.
pub async fn versions<K>(api: &Api<K>) -> Result<Vec<(String, Option<String>)>, Trouble>
where
    K: Resource + Clone + Debug + DeserializeOwned,
{
    let objects = api.list(&kube::api::ListParams::default()).await?;
    let mut versions: Vec<_> =
        objects.iter().map(|object| (object.name_any(), object.resource_version())).collect();
    versions.sort();
    Ok(versions)
}
