//! `completion/complete`.

use serde_json::json;

use super::{
    Server,
    answer::{Answer, Outcome as Answered},
    audit::Audit,
    context::Context,
    params::{CompleteParams, Reference},
    shown,
};
use crate::{
    completion::Source,
    json_rpc::RpcError,
    lenses, prompts, resources,
    tools::{self, Outcome},
};

/// Most values of one answer (MCP, "Completion").
const VALUES_MAX: usize = 100;

impl Server {
    /// What can stand in the argument that `params` name.
    ///
    /// What the caller may not see is no error here: there is nothing to propose. That HQ fails is
    /// one, as MCP has it (-32603): an empty list would say that there is nothing.
    pub(super) async fn complete(&self, params: &CompleteParams, context: &Context) -> Answered {
        let Some(source) = source(params)? else { return answer(&[], 0) };
        let identity = &context.identity;
        let known = params.context.as_ref().and_then(|context| context.arguments.as_ref());
        let environment = known.and_then(|arguments| arguments.get("environment"));
        // What can be no name is the name of nothing.
        let environment = environment.and_then(|name| name.parse().ok());
        let mut audit = Audit::of_completion(source, environment.as_ref(), self, context);
        let Some(tool) = tools::registry().find(source.tool()) else { return answer(&[], 0) };
        if let Some(why) = self.policy.unavailable(tool, identity.scopes) {
            audit.decision = why.into();
            audit.outcome = Outcome::Denied;
            return answer(&[], 0);
        }
        let lenses = self.lenses.as_caller(identity, context.held.clone(), context.origin());
        let names =
            source.names(&lenses, &self.policy, environment.as_ref(), &params.argument.value);
        let names = match names.await {
            Ok(names) => names,
            Err(error) => {
                if let lenses::Error::Unauthorized(_) = error {
                    (self.on_unauthorized)(identity);
                }
                let message =
                    format!("{error}. {}", error.advice(identity.sign_in, lenses::Intent::Read));
                audit.failed(&error);
                return Err(RpcError::internal(http::StatusCode::OK, message));
            }
        };
        audit.outcome = Outcome::Success;
        let total = names.len();
        let names: Vec<_> = names.into_iter().take(VALUES_MAX).collect();
        answer(&names, total)
    }
}

fn answer(values: &[String], total: usize) -> Answered {
    let has_more = total > values.len();
    let completion = json!({ "values": values, "total": total, "hasMore": has_more });
    Answer::object(&json!({ "completion": completion }))
}

/// Where the values of the argument come from; none for texts, of which there is no list.
fn source(params: &CompleteParams) -> Result<Option<Source>, RpcError> {
    let argument = params.argument.name.as_str();
    let source = match &params.reference {
        Reference::Prompt { name } => {
            let Some(prompt) = prompts::find(name) else {
                let message = format!("unknown prompt: {}", shown(name));
                return Err(RpcError::invalid_params(message));
            };
            prompt
                .arguments()
                .iter()
                .find(|known| known.name() == argument)
                .map(prompts::Argument::source)
        }
        Reference::Resource { uri } => {
            let template = resources::TEMPLATES.iter().find(|template| template.uri == uri);
            let Some(template) = template else {
                let message = format!("unknown template: {}", shown(uri));
                return Err(RpcError::invalid_params(message));
            };
            template
                .variables
                .iter()
                .find(|known| known.name == argument)
                .map(|variable| Some(variable.source))
        }
    };
    source.ok_or_else(|| {
        RpcError::invalid_params(format!("there is no argument `{}`", shown(argument)))
    })
}
