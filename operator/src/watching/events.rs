//! What the kubelet said of a pod. Events are not watched, since a cluster has many; those of one pod
//! are asked for when the pod's own status does not tell what is wrong with it, such as a volume
//! that cannot be mounted or a probe that fails.

use k8s_openapi::api::core::v1::Event;
use kube::{Api, Client, ResourceExt, api::ListParams};

use super::pods::WatchedPod;
use crate::api_error;

/// How many events of one pod are looked at.
const LIMIT: u32 = 50;

/// The events of a pod could not be had.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the events of pod {pod:?}: {}", api_error::message(source))]
pub(crate) struct EventsError {
    pod: String,
    source: kube::Error,
}

/// What was said about a pod.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) message: String,
    /// Whether it is a warning. Else the pod may still come up by itself.
    pub(crate) is_warning: bool,
}

/// That the pod's image is being pulled, while that is the last that was said: a registry that does
/// not answer causes no warning. Else the last warning.
pub(crate) async fn last_told(
    client: &Client,
    pod: &WatchedPod,
) -> Result<Option<Told>, EventsError> {
    let api = Api::<Event>::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
    let about = format!("involvedObject.uid={}", pod.uid().unwrap_or_default());
    let events = api.list(&ListParams::default().fields(&about).limit(LIMIT)).await;
    let events = events.map_err(|source| EventsError { pod: pod.name_any(), source })?;
    Ok(latest(&events.items))
}

fn latest(events: &[Event]) -> Option<Told> {
    let when = |event: &&Event| {
        let last = event.last_timestamp.as_ref().map(|time| time.0);
        last.max(event.event_time.as_ref().map(|time| time.0))
            .max(event.metadata.creation_timestamp.as_ref().map(|t| t.0))
    };
    let is_warning = |event: &Event| event.type_.as_deref() == Some("Warning");
    // Of those of the same second, the last in the list is the latest: its name has the time.
    let last = events.iter().max_by_key(when);
    let told = last
        .filter(|event| event.reason.as_deref() == Some("Pulling"))
        .or_else(|| events.iter().filter(|event| is_warning(event)).max_by_key(when))?;
    let message = told.message.clone().filter(|message| !message.is_empty())?;
    Some(Told { message, is_warning: is_warning(told) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_warning_that_came_last_is_told() {
        let event = |message: &str, last: serde_json::Value, series: serde_json::Value| {
            let event = json!({
                "type": "Warning", "involvedObject": {},
                "metadata": { "creationTimestamp": "2026-01-01T00:00:00Z" },
                "message": message, "lastTimestamp": last, "eventTime": series,
            });
            serde_json::from_value::<Event>(event).unwrap()
        };
        let (null, early, late) =
            (json!(null), json!("2026-01-01T00:00:01Z"), json!("2026-01-01T00:00:09Z"));
        let events = vec![
            event("a", early.clone(), null.clone()),
            event("b", late, null.clone()),
            event("c", null, early),
        ];
        let told = Told { message: "b".to_owned(), is_warning: true };
        assert_eq!(latest(&events), Some(told));
        assert_eq!(latest(&[]), None);
    }

    #[test]
    fn a_pull_is_told_until_something_else_is_said() {
        let event = |kind: &str, reason: &str| {
            let event = json!({
                "type": kind, "reason": reason, "message": format!("{reason} said"),
                "metadata": { "creationTimestamp": "2026-01-01T00:00:00Z" }, "involvedObject": {},
            });
            serde_json::from_value::<Event>(event).unwrap()
        };
        let (scheduled, pulling) = (event("Normal", "Scheduled"), event("Normal", "Pulling"));
        let told =
            |message: &str, is_warning| Some(Told { message: message.to_owned(), is_warning });
        let warned = event("Warning", "FailedMount");
        let mut said = vec![scheduled, warned, pulling];
        assert_eq!(latest(&said), told("Pulling said", false));
        said.push(event("Normal", "Pulled"));
        assert_eq!(latest(&said), told("FailedMount said", true));
    }
}
