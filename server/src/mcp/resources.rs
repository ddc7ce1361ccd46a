//! `resources/list`, `resources/templates/list` and `resources/read`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Server, VOLATILE_TTL_MS,
    answer::{Answer, Outcome as Answered},
    audit::Audit,
    confirmation::Answers,
    context::Context,
    dispatch::one_page,
    params::ListParams,
    shown,
    tool_call::Failed,
};
use crate::{
    identity::Identity,
    json_rpc::RpcError,
    lenses,
    resources::{self, ENVIRONMENTS, TEMPLATES, Template},
    tools::{self, Outcome, ToolError, Unavailable},
};

const JSON: &str = "application/json";

impl Server {
    /// The resources that have a name of their own: the environments, and each environment, with
    /// its topics if its agent is connected.
    ///
    /// # Errors
    ///
    /// -32602 for a cursor that is none. That HQ does not answer is no error: what can be read is
    /// still there, and reading says what is wrong.
    pub(super) async fn list_resources(&self, params: &ListParams, context: &Context) -> Answered {
        let identity = &context.identity;
        let after = params.cursor.as_deref().map(name_of).transpose()?;
        let [environments, environment, topics, ..] = TEMPLATES else { return page(&[], None) };
        let mut audit = Audit::of_resource_list(self, context);
        if let Some(why) = self.unreadable(environments, identity) {
            audit.decision = why.into();
            audit.outcome = Outcome::Denied;
            return page(&[], None);
        }
        let mut listed = Vec::new();
        if after.is_none() {
            listed.push(resource(ENVIRONMENTS, environments.title, environments));
        }
        let lenses = self.lenses.as_caller(identity, context.held.clone(), context.origin());
        let found = lenses.environments().await;
        audit.outcome = Outcome::Success;
        let found = found.unwrap_or_else(|error| {
            if let lenses::Error::Unauthorized(_) = error {
                (self.on_unauthorized)(identity);
            }
            audit.failed(&error);
            lenses::RawList::default()
        });
        let is_offered = |name: &str| self.policy.includes_environment(name);
        let (found, next) = resources::page_of(&found, after.as_deref(), is_offered);
        for resources::Environment { name, title, is_connected } in found {
            let uri = format!("{ENVIRONMENTS}/{}", resources::encoded(&name));
            let is_readable = |template: &Template| {
                self.is_readable(template, identity) && self.policy.offers_in(&name, template.tool)
            };
            if is_readable(environment) {
                listed.push(resource(&uri, &format!("{title}: environment"), environment));
            }
            if is_connected && is_readable(topics) {
                let uri = format!("{uri}/topics");
                listed.push(resource(&uri, &format!("{title}: topics"), topics));
            }
        }
        page(&listed, next.map(|name| URL_SAFE_NO_PAD.encode(name)))
    }

    /// The templates of what the caller can read.
    pub(super) fn list_templates(&self, params: &ListParams, context: &Context) -> Answered {
        one_page(params)?;
        let is_listed = |template: &&Template| {
            !template.variables.is_empty() && self.is_readable(template, &context.identity)
        };
        let listed: Vec<_> = TEMPLATES.iter().filter(is_listed).map(listing).collect();
        Ok(Answer::object(&json!({ "resourceTemplates": listed }))?.cacheable(VOLATILE_TTL_MS))
    }

    fn is_readable(&self, template: &Template, identity: &Identity) -> bool {
        self.unreadable(template, identity).is_none()
    }

    /// What keeps `identity` from what `template` leads to.
    fn unreadable(&self, template: &Template, identity: &Identity) -> Option<Unavailable> {
        let tool = tools::registry().find(template.tool)?;
        self.policy.unavailable(tool, identity.scopes)
    }

    /// What `uri` leads to, as JSON.
    pub(super) async fn read_resource(&self, uri: String, context: &Context) -> Answered {
        let at = json!({ "uri": shown(&uri) });
        // Revision 2026-07-28 has no code of its own for it.
        let not_found = |message: String| RpcError {
            code: if context.revision.is_stateless() { -32602 } else { -32002 },
            ..RpcError::invalid_params(message).with_data(at.clone())
        };
        let (template, arguments) = resources::find(&uri).map_err(|error| {
            Audit::of_unknown_resource(self, context).outcome = Outcome::Error;
            not_found(format!("the URI: {error}"))
        })?;
        let Some(tool) = tools::registry().find(template.tool) else {
            return Err(internal("the resource has no tool".to_owned(), at));
        };
        let mut audit = Audit::of_resource(template, tool, &arguments, self, context);
        let reading = self.call(tool, arguments, Answers::default(), context, &mut audit);
        let result = reading.await.map_err(|failed| match failed {
            Failed::Tool(ToolError::Lenses {
                error: error @ lenses::Error::NotFound(_), ..
            }) => not_found(error.to_string()),
            Failed::Tool(ToolError::Arguments(error)) => not_found(format!("the URI: {error}")),
            Failed::Refused { why, .. } => not_found(why),
            Failed::Protocol(error) => error,
            failed => internal(failed.to_string(), at.clone()),
        })?;
        let Some(found) = result.structured() else {
            audit.outcome = Outcome::Error;
            return Err(internal("the resource has no content".to_owned(), at));
        };
        let contents = json!([{ "uri": uri, "mimeType": JSON, "text": found }]);
        Ok(Answer::object(&json!({ "contents": contents }))?.cacheable(VOLATILE_TTL_MS))
    }
}

fn internal(message: String, at: Value) -> RpcError {
    RpcError::internal(StatusCode::OK, message).with_data(at)
}

fn page(listed: &[Value], next: Option<String>) -> Answered {
    let mut page = json!({ "resources": listed });
    if let Some(next) = next {
        page["nextCursor"] = next.into();
    }
    Ok(Answer::object(&page)?.cacheable(VOLATILE_TTL_MS))
}

fn resource(uri: &str, title: &str, template: &Template) -> Value {
    json!({
        "uri": uri,
        "name": uri.trim_start_matches("lenses://"),
        "title": title,
        "description": template.description,
        "mimeType": JSON,
    })
}

fn listing(template: &Template) -> Value {
    json!({
        "uriTemplate": template.uri,
        "name": template.name,
        "title": template.title,
        "description": template.description,
        "mimeType": JSON,
    })
}

/// The environment after which a page begins.
fn name_of(cursor: &str) -> Result<String, RpcError> {
    let name = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.filter(|name| !name.is_empty())
        .ok_or_else(|| RpcError::invalid_params("unknown cursor: give nextCursor as it was given"))
}
