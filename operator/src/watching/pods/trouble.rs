//! What is wrong with a pod, as its status tells it, without anything that differs from one try to the next.

use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Pod,
    PodCondition,
};
use lenses_mcp_crds::conditions::Reason;
use serde_json::Value;

use super::PodState;

/// How much of what a container said goes into a condition.
const SAID_MAX: usize = 600;

/// Settings whose values are in Secrets, and the fields of the spec that name them. What the server says of such a value names the
/// setting alone, and never shows the value.
const FIELDS: [(&str, &str); 4] = [
    ("LENSES_API_KEY", "spec.auth.apiKey.secretKeyRef"),
    ("MCP_CALLER_TOKEN", "spec.auth.apiKey.callers.tokenSecretRef"),
    ("INTROSPECTION_CLIENT_ID", "spec.auth.oauth.introspection.clientCredentialsSecretRef"),
    ("INTROSPECTION_CLIENT_SECRET", "spec.auth.oauth.introspection.clientCredentialsSecretRef"),
];

/// Why a pod does not come up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Trouble {
    /// Its image cannot be had.
    ImagePull { image: String, why: String },
    /// A container cannot be made, such as for a key that a Secret has not.
    NotMade { container: String, why: String },
    /// A container ends again and again.
    Crash { container: String, how: String, said: String },
    /// No node takes it.
    Unschedulable { why: String },
}

impl Trouble {
    /// The reason that it gives the condition.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::ImagePull { .. } => Reason::ImagePullFailed,
            Self::NotMade { .. } => Reason::RolloutInProgress,
            Self::Crash { .. } => Reason::CrashLooping,
            Self::Unschedulable { .. } => Reason::Unschedulable,
        }
    }

    /// What is wrong, for people.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::ImagePull { image, why } => format!("the image {image} cannot be pulled: {why}"),
            Self::NotMade { container, why } => {
                format!("the container {container} cannot be made: {why}")
            }
            Self::Crash { container, how, said } if said.is_empty() => {
                format!(
                    "the container {container} {how} at each start: kubectl logs --previous shows what it said"
                )
            }
            Self::Crash { container, how, said } => {
                format!("the container {container} {how} at each start: {said}")
            }
            Self::Unschedulable { why } => format!("no node takes the pods: {why}"),
        }
    }
}

/// What a pod's status says about it.
pub(super) fn state(pod: &Pod) -> PodState {
    let Some(status) = &pod.status else { return PodState::Starting };
    let condition =
        |kind: &str| status.conditions.iter().flatten().find(|condition| condition.type_ == kind);
    let ready = condition("Ready");
    if ready.is_some_and(|ready| ready.status == "True") {
        return PodState::Ready;
    }
    if let Some(scheduled) =
        condition("PodScheduled").filter(|scheduled| scheduled.status == "False")
    {
        return PodState::Failing(Trouble::Unschedulable {
            why: scheduled.message.clone().unwrap_or_default(),
        });
    }
    let containers = || {
        status
            .init_container_statuses
            .iter()
            .flatten()
            .chain(status.container_statuses.iter().flatten())
    };
    if let Some(trouble) = containers().find_map(|container| trouble(container, ready)) {
        return PodState::Failing(trouble);
    }
    let lost = containers().any(|container| !container.ready && was_ready(container, ready));
    if lost { PodState::Unready } else { PodState::Starting }
}

fn trouble(container: &ContainerStatus, ready: Option<&PodCondition>) -> Option<Trouble> {
    let ContainerState { waiting, terminated, running } =
        container.state.clone().unwrap_or_default();
    let name = container.name.clone();
    let last = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
    if let Some(ContainerStateWaiting { reason: Some(reason), message }) = waiting {
        let why = message.unwrap_or_else(|| reason.clone());
        return match reason.as_str() {
            "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "InvalidImageName"
            | "ImageInspectError" => {
                // Between two tries the kubelet repeats what the last one said.
                let why = why
                    .split_once("ErrImagePull: ")
                    .map_or(why.as_str(), |(_, why)| why)
                    .to_owned();
                Some(Trouble::ImagePull { image: container.image.clone(), why })
            }
            "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
                Some(Trouble::NotMade { container: name, why })
            }
            _ => last.map(|last| crash(name, last)),
        };
    }
    match (terminated, running) {
        // An init container has done its work.
        (Some(ended), _) if ended.exit_code == 0 && container.ready => None,
        (Some(ended), _) => Some(crash(name, &ended)),
        (None, Some(_)) if !container.ready && !was_ready(container, ready) => {
            last.map(|last| crash(name, last))
        }
        _ => None,
    }
}

/// Whether the container that runs now has been ready: the pod then turned unready after it was started.
fn was_ready(container: &ContainerStatus, ready: Option<&PodCondition>) -> bool {
    let running = container.state.as_ref().and_then(|state| state.running.as_ref());
    let started = running.and_then(|running| running.started_at.as_ref());
    let turned = ready.and_then(|ready| ready.last_transition_time.as_ref());
    matches!((started, turned), (Some(started), Some(turned)) if turned.0 > started.0)
}

fn crash(container: String, ended: &ContainerStateTerminated) -> Trouble {
    let how = match ended.reason.as_deref() {
        Some("OOMKilled") => {
            "is killed for using more memory than spec.resources.limits.memory".to_owned()
        }
        _ => format!("ends with exit status {}", ended.exit_code),
    };
    Trouble::Crash { container, how, said: said(ended.message.as_deref().unwrap_or_default()) }
}

/// The last words of a container in one line: what it wrote for people; else, of a log in JSON, what went wrong.
fn said(message: &str) -> String {
    let (mut plain, mut logged) = (Vec::new(), Vec::new());
    for line in message.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match serde_json::from_str::<Value>(line) {
            Ok(Value::Object(entry)) => {
                let text = |name: &str| entry.get(name).and_then(Value::as_str);
                if matches!(text("level"), Some("ERROR" | "WARN")) {
                    logged.push(
                        [text("message"), text("error")]
                            .into_iter()
                            .flatten()
                            .collect::<Vec<_>>()
                            .join(": "),
                    );
                }
            }
            // The start of the message is cut off where the log is long, so it may be a part of an entry.
            _ if line.starts_with('{') || line.ends_with('}') => {}
            _ => plain.push(with_field(line)),
        }
    }
    let words = if plain.is_empty() { logged } else { plain };
    let words = words.join("; ");
    words.chars().take(SAID_MAX).collect()
}

/// A fault of a setting, with the field of the spec that it is from.
fn with_field(line: &str) -> String {
    let is_about =
        |setting: &str| line.strip_prefix(setting).is_some_and(|rest| rest.starts_with(" is "));
    match FIELDS.iter().find(|(setting, _)| is_about(setting)) {
        Some((_, field)) => format!("{field}: {line}"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(status: &Value) -> PodState {
        state(
            &serde_json::from_value(json!({ "metadata": { "name": "x" }, "status": status }))
                .unwrap(),
        )
    }

    fn container(ready: bool, state: &Value, last: &Value) -> Value {
        json!({
            "conditions": [{ "type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": "2026-01-01T00:00:10Z" }],
            "containerStatuses": [{
                "name": "server", "image": "x:1", "imageID": "", "ready": ready, "restartCount": 1, "state": state, "lastState": last,
            }],
        })
    }

    fn said_of(status: &Value) -> (Reason, String) {
        match of(status) {
            PodState::Failing(trouble) => (trouble.reason(), trouble.message()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_image_that_cannot_be_pulled_says_the_same_between_two_tries() {
        let why = "failed to resolve reference \"docker.io/x:1\": not found";
        let trying = json!({ "waiting": { "reason": "ErrImagePull", "message": why } });
        let waiting = format!("Back-off pulling image \"x:1\": ErrImagePull: {why}");
        let waiting = json!({ "waiting": { "reason": "ImagePullBackOff", "message": waiting } });
        let wanted = (Reason::ImagePullFailed, format!("the image x:1 cannot be pulled: {why}"));
        assert_eq!(said_of(&container(false, &trying, &json!({}))), wanted);
        assert_eq!(said_of(&container(false, &waiting, &json!({}))), wanted);
    }

    #[test]
    fn a_crash_loop_says_the_same_in_each_of_its_states() {
        let ended = json!({ "terminated": { "exitCode": 78, "reason": "Error", "message": "LENSES_URL: \"x\" is not a URL\n" } });
        let backing_off = json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 20s restarting failed container" } });
        let again = json!({ "running": { "startedAt": "2026-01-01T00:00:20Z" } });
        let wanted = (
            Reason::CrashLooping,
            "the container server ends with exit status 78 at each start: LENSES_URL: \"x\" is not a URL".to_owned(),
        );
        assert_eq!(said_of(&container(false, &ended, &json!({}))), wanted);
        assert_eq!(said_of(&container(false, &backing_off, &ended)), wanted);
        assert_eq!(said_of(&container(false, &again, &ended)), wanted);
    }

    #[test]
    fn an_unusable_caller_token_is_told_with_its_field_and_unseen() {
        use lenses_mcp_server::settings::{Settings, Variables};
        // What the server itself writes, with the settings that this operator gives it.
        let environment = [
            ("LENSES_URL", "http://hq:9991"),
            ("TRANSPORT", "http"),
            ("LENSES_API_KEY", "key"),
            ("MCP_CALLER_TOKEN_FILE", "/token"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let read_file = |path: &std::path::Path| match path.to_str() {
            Some("/token") => Ok("p@ssw0rd!2026\n".to_owned()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        };
        let variables = Variables::load(environment, &read_file).unwrap();
        let said = Settings::read(&variables).unwrap_err().to_string();
        let ended = json!({ "terminated": { "exitCode": 78, "reason": "Error", "message": said } });
        let (reason, message) = said_of(&container(false, &ended, &json!({})));
        assert_eq!(reason, Reason::CrashLooping);
        assert_eq!(
            message,
            "the container server ends with exit status 78 at each start: \
             spec.auth.apiKey.callers.tokenSecretRef: MCP_CALLER_TOKEN is a secret with characters that no bearer token has \
             (RFC 6750): write at least 16 letters, digits or -._~+/, such as what `openssl rand -hex 32` prints"
        );
    }

    #[test]
    fn a_container_that_was_ready_after_a_crash_and_is_no_more_does_not_crash() {
        let ended = json!({ "terminated": { "exitCode": 1 } });
        let since = json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } });
        assert_eq!(of(&container(false, &since, &ended)), PodState::Unready);
        assert_eq!(of(&container(true, &since, &ended)), PodState::Ready);
    }

    #[test]
    fn what_else_keeps_a_pod_down_is_told() {
        let unschedulable = json!({ "conditions": [
            { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient cpu." },
        ] });
        let killed = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
        let no_key = json!({ "waiting": { "reason": "CreateContainerConfigError", "message": "couldn't find key k in Secret a/b" } });
        for (status, reason, message) in [
            (
                unschedulable,
                Reason::Unschedulable,
                "no node takes the pods: 0/1 nodes are available: 1 Insufficient cpu.",
            ),
            (
                container(false, &killed, &json!({})),
                Reason::CrashLooping,
                "the container server is killed for using more memory than spec.resources.limits.memory at each start: kubectl logs \
                 --previous shows what it said",
            ),
            (
                container(false, &no_key, &json!({})),
                Reason::RolloutInProgress,
                "the container server cannot be made: couldn't find key k in Secret a/b",
            ),
        ] {
            assert_eq!(said_of(&status), (reason, message.to_owned()));
        }
        let creating = json!({ "waiting": { "reason": "ContainerCreating" } });
        assert_eq!(of(&container(false, &creating, &json!({}))), PodState::Starting);
    }

    #[test]
    fn last_words_are_what_was_written_for_people_or_the_errors_of_the_log_without_their_times() {
        let logged = |level: &str, time: u8| {
            format!(
                r#"{{"timestamp":"2026-01-01T00:00:0{time}Z","level":"{level}","message":"failed","error":"no port"}}"#
            )
        };
        for (message, wanted) in [
            (String::new(), String::new()),
            ("one\n\n  two \n".to_owned(), "one; two".to_owned()),
            (
                format!("{}\n{}", logged("INFO", 1), logged("ERROR", 2)),
                "failed: no port".to_owned(),
            ),
            (format!("cut\"off\"}}\n{}\nplain", logged("ERROR", 2)), "plain".to_owned()),
            ("x".repeat(2000), "x".repeat(SAID_MAX)),
        ] {
            assert_eq!(said(&message), wanted);
        }
    }
}
