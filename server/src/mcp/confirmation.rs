//! Asking the user before something is deleted.
//!
//! The server keeps no state, so the question travels: the first call is answered with the question and a sealed text
//! (SEP-2322, revision 2026-07-28), and the client calls again with the user's answer and that text. The seal holds for one
//! caller, one tool, the same arguments and five minutes, on every replica that has the key. A client that does not say
//! that it can ask is not kept from calling: the tool is marked destructive, and asking is then the client's part.

use std::{collections::BTreeMap, time::Duration};

use rmcp::{
    ErrorData, RoleServer,
    model::{
        BooleanSchema, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
        ElicitationSchema, InputRequest, InputRequiredResult, InputResponses,
        PrimitiveSchemaDefinition, RequestStateCodec, RequestStateError, SealOptions,
    },
    service::RequestContext,
};
use secrecy::{ExposeSecret, SecretSlice};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::gaps;
use crate::{identity::Identity, settings::Confirm, tools::Tool};

/// How long an answer is taken.
const VALID_FOR: Duration = Duration::from_mins(5);
/// The question's name among the requests for input, and its field.
const QUESTION: &str = "confirm";
/// Longest value of an argument in the question, in characters.
const SHOWN_MAX: usize = 300;

/// Decides whether a call may run now.
pub(super) struct Confirmation {
    confirm: Confirm,
    codec: RequestStateCodec,
}

/// What the user is asked about one call.
pub(super) struct Question {
    message: String,
    binding: Vec<u8>,
}

/// What the client brings back.
#[derive(Default)]
pub(super) struct Answers {
    /// The sealed text, as it was given with the question.
    pub(super) state: Option<String>,
    /// What the user answered.
    pub(super) responses: Option<InputResponses>,
}

/// What to do with the call.
#[derive(Debug)]
pub(super) enum Decision {
    /// Run it.
    Run,
    /// Ask the user first.
    Ask(Box<InputRequiredResult>),
    /// The user said no.
    Declined,
}

impl Confirmation {
    /// Seals with `key`, or where there is none, with one that no other process has.
    pub(super) fn new(confirm: Confirm, key: Option<&SecretSlice<u8>>) -> Self {
        // Settings take no key of less than 32 bytes.
        let codec = match key {
            Some(key) => RequestStateCodec::new_unchecked(key.expose_secret()),
            None => RequestStateCodec::new_unchecked(rand::random::<[u8; 32]>()),
        };
        Self { confirm, codec }
    }

    /// What to ask before this call; `None` where nobody needs to be asked, or where the client can't ask.
    pub(super) fn question(
        &self,
        tool: &Tool,
        arguments: &Map<String, Value>,
        identity: &Identity,
        context: &RequestContext<RoleServer>,
    ) -> Option<Question> {
        let asks = self.confirm == Confirm::Destructive
            && tool.is_confirmed(arguments)
            && can_ask(context);
        asks.then(|| Question {
            message: message(tool, arguments),
            binding: binding(tool, arguments, identity),
        })
    }

    /// What to do with the call that `question` is about.
    ///
    /// # Errors
    ///
    /// The sealed text is not this server's, or belongs to another call: -32602.
    pub(super) fn decide(
        &self,
        question: &Question,
        answers: &Answers,
    ) -> Result<Decision, ErrorData> {
        let Some(state) = &answers.state else { return Ok(self.ask(question)) };
        match self.codec.open_with(state, &question.binding) {
            Ok(_) => {}
            // The user took too long: that is no fault of the client's.
            Err(RequestStateError::Expired) => return Ok(self.ask(question)),
            Err(_) => {
                return Err(ErrorData::invalid_params(
                    "requestState is not for this call: send it as it was given, with the same tool and arguments, or \
                     call without it to start over",
                    None,
                ));
            }
        }
        let answer = answers.responses.as_ref().and_then(|responses| responses.get(QUESTION));
        Ok(
            match answer
                .and_then(|answer| serde_json::from_value::<ElicitResult>(answer.clone()).ok())
            {
                None => self.ask(question),
                Some(answer) if is_yes(&answer) => Decision::Run,
                Some(_) => Decision::Declined,
            },
        )
    }

    fn ask(&self, question: &Question) -> Decision {
        let options = SealOptions::new().associated_data(&question.binding).ttl(VALID_FOR);
        let sealed = self.codec.seal_with(b"", &options);
        let request = InputRequest::Elicitation(ElicitRequest::new(
            ElicitRequestParams::FormElicitationParams {
                meta: None,
                message: question.message.clone(),
                requested_schema: schema(),
            },
        ));
        let requests = BTreeMap::from([(QUESTION.to_owned(), request)]);
        Decision::Ask(Box::new(InputRequiredResult::new(Some(requests), Some(sealed))))
    }
}

/// Only revision 2026-07-28 lets a server without sessions ask, and only clients that show forms can.
fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let elicitation = || context.client_capabilities()?.elicitation;
    // Naming no mode means forms (SEP-1036).
    gaps::has_result_metadata(context)
        && elicitation()
            .is_some_and(|elicitation| elicitation.form.is_some() || elicitation.url.is_none())
}

fn is_yes(answer: &ElicitResult) -> bool {
    let confirmed =
        answer.content.as_ref().and_then(|content| content.get(QUESTION)).and_then(Value::as_bool);
    answer.action == ElicitationAction::Accept && confirmed == Some(true)
}

fn schema() -> ElicitationSchema {
    let yes = BooleanSchema::new()
        .title("Go ahead")
        .description("Without this nothing is done.")
        .with_default(false);
    let mut schema = ElicitationSchema::new(BTreeMap::from([(
        QUESTION.to_owned(),
        PrimitiveSchemaDefinition::Boolean(yes),
    )]));
    schema.required = Some(vec![QUESTION.to_owned()]);
    schema
}

/// What the seal holds for. The user rather than the token: a token may be refreshed while the user thinks.
fn binding(tool: &Tool, arguments: &Map<String, Value>, identity: &Identity) -> Vec<u8> {
    let Identity { subject, client_id, fingerprint, .. } = identity;
    let user = subject.as_deref().map_or_else(|| fingerprint.to_string(), str::to_owned);
    // Sorted by name, as a client may send them in another order.
    let arguments = Value::Object(arguments.clone()).to_string();
    let client = client_id.as_deref().unwrap_or_default();
    let digest = Sha256::digest(arguments.as_bytes());
    // Each part with its length, so that none can pass for a part of its neighbour.
    [user.as_bytes(), client.as_bytes(), tool.name().as_bytes(), &digest]
        .into_iter()
        .flat_map(|part| part.len().to_be_bytes().into_iter().chain(part.iter().copied()))
        .collect()
}

fn message(tool: &Tool, arguments: &Map<String, Value>) -> String {
    let title = tool.listing().title.as_deref().unwrap_or(tool.name());
    let arguments = arguments.iter().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let cut = if value.chars().nth(SHOWN_MAX).is_some() { "…" } else { "" };
        let value: String = value.chars().take(SHOWN_MAX).collect();
        format!("\n{name}: {}{cut}", value.escape_debug())
    });
    format!("{title}? This can't be undone.{}", arguments.collect::<String>())
}
