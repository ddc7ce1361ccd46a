//! `prompts/list` and `prompts/get`.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        GetPromptRequestParams, GetPromptResult, Prompt as Listing, PromptArgument, PromptMessage,
        Role,
    },
    service::RequestContext,
};

use super::{Server, audit::Audit, shown};
use crate::{identity::Identity, prompts, tools::Outcome};

impl Server {
    /// The prompts of which a caller like `identity` can use something.
    pub(super) fn listed_prompts(&self, identity: &Identity) -> Vec<Listing> {
        let policy = &self.shared.policy;
        let is_listed =
            |prompt: &&&prompts::Prompt| prompt.unavailable(policy, identity.scopes).is_none();
        prompts::all().iter().filter(is_listed).map(|prompt| listing(prompt)).collect()
    }

    /// The prompt that `request` asks for.
    pub(super) fn prompt(
        &self,
        request: GetPromptRequestParams,
        identity: &Identity,
        context: &RequestContext<RoleServer>,
    ) -> Result<GetPromptResult, ErrorData> {
        let Some(prompt) = prompts::find(&request.name) else {
            return Err(ErrorData::invalid_params(
                format!("unknown prompt: {}", shown(&request.name)),
                None,
            ));
        };
        let arguments = request.arguments.unwrap_or_default();
        let mut audit =
            Audit::of_prompt(prompt, &arguments, identity, &self.shared.metrics, context);
        let text =
            prompt.text(&arguments, &self.shared.policy, identity.scopes).map_err(|error| {
                audit.outcome = match error {
                    prompts::PromptError::Arguments(_) => Outcome::Error,
                    _ => Outcome::Denied,
                };
                ErrorData::invalid_params(error.to_string(), None)
            })?;
        audit.outcome = Outcome::Success;
        let message = PromptMessage::new_text(Role::User, text);
        Ok(GetPromptResult::new(vec![message]).with_description(prompt.description()))
    }
}

fn listing(prompt: &prompts::Prompt) -> Listing {
    let arguments = prompt.arguments().iter().map(|argument| {
        PromptArgument::new(argument.name())
            .with_description(argument.description())
            .with_required(true)
    });
    Listing::new(prompt.name(), Some(prompt.description()), Some(arguments.collect()))
        .with_title(prompt.title())
}
