//! What an audit line holds. The documentation and the JSON Schema are made from these types.

use std::net::IpAddr;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::{
    Caller, Source,
    decision::{DecidedBy, Decision, Event, Phase, Verdict},
    text::Text,
};
use crate::{
    identity::Fingerprint,
    tools::{Outcome, Target, TargetObject},
};

/// The version of what a line holds. It changes when a field goes or gets another meaning.
pub const SCHEMA: &str = "lenses-mcp-audit/1";

/// One line of the audit stream of lenses-mcp-server.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Line<'a> {
    /// What the lines of one event have in common.
    #[serde(flatten)]
    head: Head<'a>,
    /// What each has of its own.
    #[serde(flatten)]
    tail: Tail,
}

/// What the lines of one event have in common.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Head<'a> {
    /// Name and version of this schema. New fields may be added in the same version.
    #[schemars(schema_with = "version")]
    schema: &'static str,
    /// What the line is about.
    event: Event,
    /// Id of the HTTP request: `x-request-id` of the response, and of the requests to Lenses HQ.
    #[schemars(length(max = 64))]
    request_id: &'a str,
    /// Address of the connection's other end: a client or a proxy. Absent over stdio.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_address: Option<IpAddr>,
    /// Port of the connection's other end. Absent over stdio.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_port: Option<u16>,
    /// Address of the client. It is the one that a proxy of `MCP_TRUSTED_PROXIES` forwards, else
    /// the peer's. Absent over stdio.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_address: Option<IpAddr>,
    /// The user, as Lenses HQ names them (`sub` of the token). Absent with an API key, which all
    /// callers share, and if sign-in failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Text<'a>>,
    /// The application that the user signed in with (`client_id` of the token).
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<Text<'a>>,
    /// First eight hex digits of the token's SHA-256. Absent if no token was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = "^[0-9a-f]{8}$"))]
    token_fingerprint: Option<Fingerprint>,
    /// The method of MCP: `tools/call`, `prompts/get`, `resources/read`, `resources/list` or
    /// `completion/complete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    /// The tool; `(unknown)` if this server has no tool of the name that was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'static str>,
    /// The prompt; `(unknown)` if this server has none of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<&'static str>,
    /// The kind of resource that was read, as `resources/templates/list` names it; `(unknown)` if
    /// the URI is of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<&'static str>,
    /// The Lenses environment that the call names.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<Text<'a>>,
    /// What the call names in the environment, at most eight objects.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    objects: Vec<Object<'a>>,
    /// How many further objects the call names.
    #[serde(skip_serializing_if = "is_zero")]
    objects_omitted: usize,
    /// The verbs of the SQL statement, at most eight, in upper case. `OTHER` is a verb that this
    /// server does not know, `AMBIGUOUS` a text that can be read in several ways.
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_classes: Option<Vec<&'static str>>,
    /// SHA-256 of the SQL statement, in hex. The statement itself is in no line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    statement_sha256: Option<String>,
}

/// What each line of an event has of its own.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Tail {
    /// When in the event the line was written.
    pub phase: Phase,
    /// When the line was written (RFC 3339, UTC, microseconds).
    #[schemars(with = "String", extend("format" = "date-time"))]
    #[serde(serialize_with = "microseconds")]
    pub time: Timestamp,
    /// Whether the call may run.
    pub decision: Verdict,
    /// Who made that decision.
    pub decided_by: DecidedBy,
    /// Why it was denied, or what it waits for, in one word: the variable that decides, an error
    /// code of sign-in, or what the user did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<&'static str>,
    /// How the call ended. Absent in phase `started` and for sign-in.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "outcome")]
    #[schemars(schema_with = "outcomes")]
    pub outcome: Option<Outcome>,
    /// How long the call took, in milliseconds. Absent in phase `started`, for sign-in, and if the
    /// call was refused before it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub duration_ms: Option<f64>,
}

/// Something that a call names.
#[derive(Debug, Serialize, JsonSchema)]
struct Object<'a> {
    /// What it is, such as `topic` or `consumer_group`; `table` for what a SQL statement names.
    kind: &'static str,
    /// Its name, as the call has it.
    name: Text<'a>,
}

impl<'a> Head<'a> {
    /// An event without a call.
    #[must_use]
    pub fn new(event: Event, source: &'a Source, caller: Caller<'a>) -> Self {
        let address = source.address;
        Self {
            schema: SCHEMA,
            event,
            request_id: source.request_id.as_str(),
            peer_address: address.map(|address| address.peer.ip()),
            peer_port: address.map(|address| address.peer.port()),
            client_address: address.map(|address| address.client),
            subject: caller.subject.map(Text),
            client_id: caller.client_id.map(Text),
            token_fingerprint: caller.fingerprint,
            method: None,
            tool: None,
            prompt: None,
            resource: None,
            environment: None,
            objects: Vec::new(),
            objects_omitted: 0,
            statement_classes: None,
            statement_sha256: None,
        }
    }

    /// A call of a tool, for `target`.
    #[must_use]
    pub fn tool(self, tool: &'static str, target: &'a Target<'a>) -> Self {
        Self { method: Some("tools/call"), tool: Some(tool), ..self.target(target) }
    }

    /// A prompt, for `target`.
    #[must_use]
    pub fn prompt(self, prompt: &'static str, target: &'a Target<'a>) -> Self {
        Self { method: Some("prompts/get"), prompt: Some(prompt), ..self.target(target) }
    }

    /// A resource of the kind `resource`, for `target`.
    #[must_use]
    pub fn resource(self, resource: &'static str, target: &'a Target<'a>) -> Self {
        Self { method: Some("resources/read"), resource: Some(resource), ..self.target(target) }
    }

    /// A list of the resources, of all environments.
    #[must_use]
    pub fn resource_list(self) -> Self {
        Self { method: Some("resources/list"), ..self }
    }

    /// A completion of names, for `target`.
    #[must_use]
    pub fn completion(self, target: &'a Target<'a>) -> Self {
        Self { method: Some("completion/complete"), ..self.target(target) }
    }

    fn target(self, target: &'a Target<'a>) -> Self {
        let object =
            |TargetObject { kind, name }: &'a TargetObject<'a>| Object { kind, name: Text(name) };
        Self {
            environment: target.environment.map(Text),
            objects: target.objects.iter().map(object).collect(),
            objects_omitted: target.omitted,
            statement_classes: target.statement.as_ref().map(|it| it.classes.clone()),
            statement_sha256: target.statement.as_ref().map(|it| it.sha256.clone()),
            ..self
        }
    }
}

impl Tail {
    /// The end of an event, now.
    #[must_use]
    pub fn new(Decision { verdict, decided_by, reason }: Decision) -> Self {
        Self {
            phase: Phase::Finished,
            time: Timestamp::now(),
            decision: verdict,
            decided_by,
            reason,
            outcome: None,
            duration_ms: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn microseconds<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.6}"))
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde gives it so")]
fn outcome<S: Serializer>(outcome: &Option<Outcome>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.map_or("", Outcome::as_str))
}

fn outcomes(_: &mut SchemaGenerator) -> Schema {
    let words: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
    json_schema!({ "type": "string", "enum": words })
}

fn version(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "const": SCHEMA })
}
