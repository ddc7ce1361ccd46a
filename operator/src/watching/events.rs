//! What the kubelet warned of. Events are not watched, since a cluster has many; those of one pod are asked for when the pod's own
//! status does not tell what is wrong with it, such as a volume that cannot be mounted or a probe that fails.

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

/// The last warning about a pod.
pub(crate) async fn last_warning(
    client: &Client,
    pod: &WatchedPod,
) -> Result<Option<String>, EventsError> {
    let api = Api::<Event>::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
    let about = format!("involvedObject.uid={},type=Warning", pod.uid().unwrap_or_default());
    let events = api.list(&ListParams::default().fields(&about).limit(LIMIT)).await;
    let events = events.map_err(|source| EventsError { pod: pod.name_any(), source })?;
    Ok(latest(events.items))
}

fn latest(events: Vec<Event>) -> Option<String> {
    let when = |event: &Event| {
        let last = event.last_timestamp.as_ref().map(|time| time.0);
        last.max(event.event_time.as_ref().map(|time| time.0))
            .max(event.metadata.creation_timestamp.as_ref().map(|t| t.0))
    };
    events
        .into_iter()
        .max_by_key(when)
        .and_then(|event| event.message)
        .filter(|message| !message.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_warning_that_came_last_is_told() {
        let event = |message: &str, last: serde_json::Value, series: serde_json::Value| {
            let event = json!({
                "metadata": { "creationTimestamp": "2026-01-01T00:00:00Z" }, "involvedObject": {},
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
        assert_eq!(latest(events).as_deref(), Some("b"));
        assert_eq!(latest(Vec::new()), None);
    }
}
