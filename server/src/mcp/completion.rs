//! `completion/complete`.

use rmcp::{
    ErrorData, RoleServer,
    model::{CompleteRequestParams, CompletionInfo, Reference},
    service::RequestContext,
};

use super::{Server, shown};
use crate::{
    completion::Source,
    identity::Identity,
    lenses, prompts, resources,
    tools::{self, Outcome},
};

impl Server {
    /// What can stand in the argument that `request` names.
    ///
    /// What the caller may not see is no error here: there is nothing to propose. That HQ fails is one, as MCP has it
    /// (-32603): an empty list would say that there is nothing.
    pub(super) async fn completion(
        &self,
        request: &CompleteRequestParams,
        identity: &Identity,
        context: &RequestContext<RoleServer>,
    ) -> Result<CompletionInfo, ErrorData> {
        let Some(source) = source(request)? else { return Ok(CompletionInfo::default()) };
        let policy = &self.shared.policy;
        let tool = tools::registry().find(source.tool());
        if tool.is_none_or(|tool| policy.unavailable(tool, identity.scopes).is_some()) {
            self.shared.metrics.completed(source, Outcome::Denied);
            return Ok(CompletionInfo::default());
        }
        let environment =
            request.context.as_ref().and_then(|context| context.get_argument("environment"));
        // What can be no name is the name of nothing.
        let environment = environment.and_then(|name| name.parse().ok());
        let lenses = self.shared.lenses.as_caller(identity);
        let names = source.names(&lenses, policy, environment.as_ref(), &request.argument.value);
        let names = tokio::select! {
            names = names => names,
            () = context.ct.cancelled() => {
                self.shared.metrics.completed(source, Outcome::Cancelled);
                return Err(ErrorData::internal_error("the request was cancelled", None));
            }
        };
        let names = names.map_err(|error| {
            if let lenses::Error::Unauthorized(_) = error {
                (self.shared.on_unauthorized)(identity);
            }
            let advice = error.advice();
            let message = format!("{error}. {advice}");
            self.shared.metrics.completed(source, tools::ToolError::from(error).outcome());
            ErrorData::internal_error(message, None)
        })?;
        self.shared.metrics.completed(source, Outcome::Success);
        let total = names.len();
        let values = names.into_iter().take(CompletionInfo::MAX_VALUES).collect();
        CompletionInfo::with_pagination(
            values,
            u32::try_from(total).ok(),
            total > CompletionInfo::MAX_VALUES,
        )
        .map_err(|error| ErrorData::internal_error(error, None))
    }
}

/// Where the values of the argument come from; `None` for texts, of which there is no list.
fn source(request: &CompleteRequestParams) -> Result<Option<Source>, ErrorData> {
    let argument = request.argument.name.as_str();
    let source = match &request.r#ref {
        Reference::Prompt(prompt) => {
            let Some(prompt) = prompts::find(&prompt.name) else {
                return Err(ErrorData::invalid_params(
                    format!("unknown prompt: {}", shown(&prompt.name)),
                    None,
                ));
            };
            prompt
                .arguments()
                .iter()
                .find(|known| known.name() == argument)
                .map(prompts::Argument::source)
        }
        Reference::Resource(resource) => {
            let Some(template) =
                resources::TEMPLATES.iter().find(|template| template.uri == resource.uri)
            else {
                return Err(ErrorData::invalid_params(
                    format!("unknown template: {}", shown(&resource.uri)),
                    None,
                ));
            };
            template
                .variables
                .iter()
                .find(|known| known.name == argument)
                .map(|variable| Some(variable.source))
        }
        _ => None,
    };
    source.ok_or_else(|| {
        ErrorData::invalid_params(format!("there is no argument `{}`", shown(argument)), None)
    })
}
