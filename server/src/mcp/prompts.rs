//! `prompts/list` and `prompts/get`.

use serde_json::{Value, json};

use super::{
    Server, VOLATILE_TTL_MS,
    answer::{Answer, Outcome as Answered},
    audit::Audit,
    context::Context,
    dispatch::one_page,
    params::{GetPromptParams, ListParams},
    shown,
};
use crate::{
    audit::{DecidedBy, Decision},
    json_rpc::RpcError,
    prompts::{self, PromptError},
    tools::Outcome,
};

impl Server {
    /// The prompts of which the caller can use something.
    pub(super) fn list_prompts(&self, params: &ListParams, context: &Context) -> Answered {
        one_page(params)?;
        let (policy, scopes) = (&self.policy, context.identity.scopes);
        let is_listed = |prompt: &&&prompts::Prompt| prompt.unavailable(policy, scopes).is_none();
        let listed: Vec<_> =
            prompts::all().iter().filter(is_listed).map(|prompt| listing(prompt)).collect();
        Ok(Answer::object(&json!({ "prompts": listed }))?.cacheable(VOLATILE_TTL_MS))
    }

    /// The prompt that `params` ask for.
    pub(super) fn get_prompt(&self, params: &GetPromptParams, context: &Context) -> Answered {
        let Some(prompt) = prompts::find(&params.name) else {
            Audit::of_unknown_prompt(self, context).outcome = Outcome::Error;
            let message = format!("unknown prompt: {}", shown(&params.name));
            return Err(RpcError::invalid_params(message));
        };
        let mut audit = Audit::of_prompt(prompt, &params.arguments, self, context);
        let text = prompt.text(&params.arguments, &self.policy, context.identity.scopes);
        let text = text.map_err(|error| {
            audit.outcome = match error {
                PromptError::Arguments(_) => Outcome::Error,
                PromptError::Unavailable { why, .. } => {
                    audit.decision = why.into();
                    Outcome::Denied
                }
                PromptError::Environment(variable) => {
                    audit.decision = Decision::denied(DecidedBy::Policy, variable);
                    Outcome::Denied
                }
            };
            RpcError::invalid_params(error.to_string())
        })?;
        audit.outcome = Outcome::Success;
        Answer::object(&json!({
            "description": prompt.description(),
            "messages": [{ "role": "user", "content": { "type": "text", "text": text } }],
        }))
    }
}

fn listing(prompt: &prompts::Prompt) -> Value {
    let arguments: Vec<_> = prompt
        .arguments()
        .iter()
        .map(|argument| {
            json!({
                "name": argument.name(),
                "description": argument.description(),
                "required": true,
            })
        })
        .collect();
    json!({
        "name": prompt.name(),
        "title": prompt.title(),
        "description": prompt.description(),
        "arguments": arguments,
    })
}
