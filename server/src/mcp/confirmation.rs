//! Asking the user before something is deleted.
//!
//! In revision 2026-07-28 the question travels: the first call is answered with the question and a
//! sealed text (SEP-2322), and the client calls again with the user's answer and that text. The
//! seal holds for one caller, one tool, the same arguments and a minute, on every replica that has
//! the key, and once on each. In the revisions before, the call itself waits while the client asks
//! (`elicitation.rs`).

mod message;
mod used;

use std::time::Duration;

use rmcp::model::{RequestStateCodec, RequestStateError, SealOptions};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::{
    message::message,
    used::{Nonce, UsedSeals},
};
use super::{elicitation::user, object::OfObject};
use crate::{identity::Identity, json_rpc::RpcError, policy::Confirm, tools::Tool};

/// How long an answer is taken, the user's time to think included.
const VALID_FOR: Duration = Duration::from_mins(1);
/// The question's name among the requests for input, and its field.
const QUESTION: &str = "confirm";

/// Decides whether a call may run now.
pub(super) struct Confirmation {
    confirm: Confirm,
    codec: RequestStateCodec,
    used: UsedSeals,
}

/// What the user is asked about one call.
pub(super) struct Question {
    message: String,
    binding: Vec<u8>,
    /// Whether the call is refused if the client can't ask.
    pub(super) is_required: bool,
}

/// What the client brings back.
#[derive(Default)]
pub(super) struct Answers {
    /// The sealed text, as it was given with the question.
    pub(super) state: Option<String>,
    /// What the user answered.
    pub(super) responses: Option<Map<String, Value>>,
}

/// What to do with the call.
#[derive(Debug)]
pub(super) enum Decision {
    /// Run it.
    Run,
    /// Ask the user first: the members of an input-required result.
    Ask(Value),
    /// The user said no.
    Declined,
    /// The user, or a client without one, did not answer.
    Cancelled,
}

/// What the user did with the question.
#[derive(Deserialize)]
struct Elicited {
    action: String,
    content: Option<Map<String, Value>>,
}

impl Confirmation {
    /// Seals with `codec`.
    pub(super) fn new(confirm: Confirm, codec: RequestStateCodec) -> Self {
        Self { confirm, codec, used: UsedSeals::new(VALID_FOR) }
    }

    /// What to ask before this call; none if nobody needs to be asked. `rule` is what a rule for
    /// its environment says.
    pub(super) fn question(
        &self,
        tool: &Tool,
        arguments: &Map<String, Value>,
        identity: &Identity,
        rule: Option<Confirm>,
    ) -> Option<Question> {
        let confirm = rule.unwrap_or(self.confirm);
        let asks = confirm != Confirm::Never && tool.is_confirmed(arguments);
        asks.then(|| Question {
            message: message(tool, arguments),
            binding: binding(tool, arguments, identity),
            is_required: confirm == Confirm::Required,
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
    ) -> Result<Decision, RpcError> {
        let Some(state) = &answers.state else { return Ok(self.ask(question)) };
        let nonce = match self.codec.open_with(state, &question.binding) {
            Ok(nonce) => nonce,
            // The user took too long: that is no fault of the client's.
            Err(RequestStateError::Expired) => return Ok(self.ask(question)),
            Err(_) => {
                return Err(RpcError::invalid_params(
                    "requestState is not for this call: send it as it was given, with the same \
                     tool and arguments, or call without it to start over",
                ));
            }
        };
        let answer = answers.responses.as_ref().and_then(|responses| responses.get(QUESTION));
        Ok(match answer.map(OfObject::<Elicited>::deserialize) {
            // An answer counts once: a second call needs a second answer.
            Some(Ok(OfObject(answer))) if self.used.is_first_use(&nonce) => judge(&answer),
            _ => self.ask(question),
        })
    }

    fn ask(&self, question: &Question) -> Decision {
        let options = SealOptions::new().associated_data(&question.binding).ttl(VALID_FOR);
        let sealed = self.codec.seal_with(&rand::random::<Nonce>(), &options);
        Decision::Ask(json!({
            "inputRequests": {
                QUESTION: { "method": "elicitation/create", "params": question.params() }
            },
            "requestState": sealed,
        }))
    }
}

impl Question {
    /// The params of `elicitation/create`.
    pub(super) fn params(&self) -> Value {
        json!({
            "mode": "form",
            "message": self.message,
            "requestedSchema": {
                "type": "object",
                "properties": { QUESTION: {
                    "type": "boolean",
                    "title": "Go ahead",
                    "description": "Without this nothing is done.",
                    "default": false,
                } },
                "required": [QUESTION],
            },
        })
    }

    /// What to do with the call, by the client's `result` of `elicitation/create`.
    pub(super) fn answered(result: &str) -> Decision {
        let answer = serde_json::from_str(result);
        answer.map_or(Decision::Declined, |OfObject(answer)| judge(&answer))
    }
}

fn judge(Elicited { action, content }: &Elicited) -> Decision {
    let confirmed = content.as_ref().and_then(|content| content.get(QUESTION));
    // Some clients' forms give flags as texts.
    let is_yes = confirmed.is_some_and(|it| it == &Value::Bool(true) || it == "true");
    match action.as_str() {
        "accept" if is_yes => Decision::Run,
        "cancel" => Decision::Cancelled,
        _ => Decision::Declined,
    }
}

/// What the seal holds for.
fn binding(tool: &Tool, arguments: &Map<String, Value>, identity: &Identity) -> Vec<u8> {
    // Sorted by name, as a client may send them in another order.
    let arguments = serde_json::to_vec(arguments).unwrap_or_default();
    let digest = Sha256::digest(&arguments);
    // Each part with its length, so that none can pass for a part of its neighbour.
    [b"confirm".as_slice(), user(identity).as_bytes(), tool.name().as_bytes(), &digest]
        .into_iter()
        .flat_map(|part| part.len().to_be_bytes().into_iter().chain(part.iter().copied()))
        .collect()
}
