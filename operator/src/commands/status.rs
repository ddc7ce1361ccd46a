//! `status`: the servers of a namespace or of the cluster, one a line, and why one is not ready.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::{ResourceExt, core::DynamicObject};
use serde::Serialize;

use super::{
    NOT_WELL, Output,
    cluster::{Selection, block_on},
    columns::columns,
    could_not_look, structured, write,
};

/// The arguments of `status`.
#[derive(Args, Clone, Debug)]
pub struct Status {
    #[command(flatten)]
    selection: Selection,
    /// How the servers are written.
    #[arg(short, long, value_enum, default_value_t = StatusOutput::Table)]
    output: StatusOutput,
}

/// How the servers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StatusOutput {
    /// For people.
    Table,
    /// For people, with sign-in, replicas, tools and the image.
    Wide,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
}

/// A server, as its status shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Server {
    namespace: String,
    name: String,
    /// `True`, `False` or `Unknown`.
    ready: String,
    reason: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lenses_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_mode: Option<String>,
    ready_replicas: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
}

/// Runs it: exit status 0 if every server is ready, 1 if one is not, 2 if they cannot be read.
#[must_use]
pub fn run(status: &Status) -> ExitCode {
    let read = block_on(status.selection.read()).and_then(|read| read);
    let servers: Vec<_> = match &read {
        Ok((_, servers)) => servers.iter().map(server).collect(),
        Err(error) => return could_not_look(error),
    };
    write::to_stdout(&match status.output {
        StatusOutput::Json => structured(&servers, Output::Json),
        StatusOutput::Yaml => structured(&servers, Output::Yaml),
        StatusOutput::Table => table(&servers, false, Timestamp::now()),
        StatusOutput::Wide => table(&servers, true, Timestamp::now()),
    });
    if servers.iter().all(Server::is_ready) { ExitCode::SUCCESS } else { ExitCode::from(NOT_WELL) }
}

impl Server {
    fn is_ready(&self) -> bool {
        self.ready == "True"
    }
}

fn server(object: &DynamicObject) -> Server {
    let status = &object.data["status"];
    let text = |field: &str| status[field].as_str().map(str::to_owned);
    let conditions = status["conditions"].as_array();
    let ready =
        conditions.into_iter().flatten().find(|condition| condition["type"] == "Ready").cloned();
    let ready = ready.unwrap_or_default();
    let of_ready = |field: &str| ready[field].as_str().map(str::to_owned);
    let (mut reason, mut message) = (
        of_ready("reason").unwrap_or_default(),
        of_ready("message").unwrap_or_else(|| {
            "the operator has not seen it: is it running, and does it watch this namespace?"
                .to_owned()
        }),
    );
    let mut state = of_ready("status").unwrap_or_else(|| "Unknown".to_owned());
    // The status of an older spec says nothing about this one.
    let seen = status["observedGeneration"].as_i64();
    if seen.is_some() && seen != object.metadata.generation {
        "Unknown".clone_into(&mut state);
        "NotObserved".clone_into(&mut reason);
        "the operator has not seen the latest change yet".clone_into(&mut message);
    }
    let image = text("image");
    Server {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
        ready: state,
        reason,
        message,
        version: image.as_deref().and_then(version).map(str::to_owned),
        lenses_version: text("lensesVersion"),
        url: text("url"),
        auth_mode: text("authMode"),
        ready_replicas: status["readyReplicas"].as_i64().unwrap_or_default(),
        tools: status["tools"]["count"].as_i64(),
        image,
        created: object.creation_timestamp().map(|time| time.0.to_string()),
    }
}

/// The tag of an image, or its digest, shortened.
pub(super) fn version(image: &str) -> Option<&str> {
    if let Some((_, digest)) = image.split_once('@') {
        return Some(digest.get(.."sha256:".len() + 12).unwrap_or(digest));
    }
    let name = image.rsplit('/').next()?;
    name.split_once(':').map(|(_, tag)| tag)
}

/// The servers, then what those wait for that are not ready.
fn table(servers: &[Server], wide: bool, now: Timestamp) -> String {
    let mut rows = vec![headings(wide)];
    rows.extend(servers.iter().map(|server| row(server, wide, now)));
    let mut text = columns(&rows);
    let waiting: Vec<_> = servers.iter().filter(|server| !server.is_ready()).collect();
    if !waiting.is_empty() {
        text.push('\n');
    }
    for Server { namespace, name, message, .. } in waiting {
        text.extend([namespace, "/", name, ": ", message, "\n"]);
    }
    text
}

fn headings(wide: bool) -> Vec<String> {
    let common = ["NAMESPACE", "NAME", "READY", "REASON", "VERSION", "LENSES", "URL", "AGE"];
    let more = ["AUTH", "REPLICAS", "TOOLS", "IMAGE"];
    let shown = common.into_iter().chain(more.into_iter().filter(|_| wide));
    shown.map(str::to_owned).collect()
}

fn row(server: &Server, wide: bool, now: Timestamp) -> Vec<String> {
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let mut row = vec![
        server.namespace.clone(),
        server.name.clone(),
        server.ready.clone(),
        if server.reason.is_empty() { "-".to_owned() } else { server.reason.clone() },
        known(&server.version),
        known(&server.lenses_version),
        known(&server.url),
        age(server.created.as_deref(), now),
    ];
    if wide {
        row.extend([
            known(&server.auth_mode),
            server.ready_replicas.to_string(),
            server.tools.map_or_else(|| "-".to_owned(), |count| count.to_string()),
            known(&server.image),
        ]);
    }
    row
}

/// The time since then in its two largest units at most, as kubectl shows it.
fn age(created: Option<&str>, now: Timestamp) -> String {
    let Some(created) = created.and_then(|time| time.parse::<Timestamp>().ok()) else {
        return "-".to_owned();
    };
    let age = now.duration_since(created).max(SignedDuration::ZERO).as_secs();
    let (minute, hour, day) = (60, 3600, 86400);
    match age {
        0..120 => format!("{age}s"),
        120..7200 => format!("{}m", age / minute),
        7200..172_800 => format!("{}h", age / hour),
        _ => format!("{}d", age / day),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_version_of_an_image_is_its_tag_or_the_begin_of_its_digest() {
        for (image, tag) in [
            ("lensesio/lenses-mcp-server:0.1.0", Some("0.1.0")),
            ("registry.example.com:5000/lenses-mcp-server:1", Some("1")),
            ("registry.example.com:5000/lenses-mcp-server", None),
            ("x:1@sha256:0123456789abcdef0123", Some("sha256:0123456789ab")),
            ("x@sha256:01", Some("sha256:01")),
        ] {
            assert_eq!(version(image), tag, "{image}");
        }
    }

    #[test]
    fn an_age_is_in_the_unit_that_kubectl_shows() {
        let now = "2026-11-28T12:00:00Z".parse().unwrap();
        for (created, shown) in [
            (Some("2026-11-28T11:59:59Z"), "1s"),
            (Some("2026-11-28T11:57:00Z"), "3m"),
            (Some("2026-11-28T09:00:00Z"), "3h"),
            (Some("2026-11-01T00:00:00Z"), "27d"),
            (Some("2026-11-28T12:00:05Z"), "0s"),
            (Some("yesterday"), "-"),
            (None, "-"),
        ] {
            assert_eq!(age(created, now), shown, "{created:?}");
        }
    }

    #[test]
    fn a_status_of_an_older_spec_is_not_taken_for_this_ones() {
        let object = |seen: i64| {
            let object = json!({
                "metadata": { "name": "a", "namespace": "b", "generation": 2 },
                "status": {
                    "observedGeneration": seen,
                    "conditions": [{ "type": "Ready", "status": "True", "reason": "Ready" }],
                },
            });
            server(&serde_json::from_value(object).unwrap())
        };
        assert_eq!(object(2).ready, "True");
        assert_eq!(object(1).ready, "Unknown");
        assert!(object(1).message.contains("latest change"));
    }
}
