//! `resources/list`, `resources/templates/list` and `resources/read`.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rmcp::{
    ErrorData, RoleServer,
    model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate},
    service::RequestContext,
};
use serde_json::{Value, json};
use tracing::Instrument;

use super::{Server, audit::Audit, confirmation::Answers, handler::Failed, shown};
use crate::{
    identity::Identity,
    lenses,
    resources::{self, ENVIRONMENTS, TEMPLATES, Template},
    tools::{self, Outcome, ToolError},
};

const JSON: &str = "application/json";
/// Environments of one page of `resources/list`; each is two resources.
const PAGE: usize = 200;

/// A page of `resources/list`, and the cursor of the next.
type Page = (Vec<Resource>, Option<String>);

impl Server {
    /// The resources that have a name of their own: the environments, and each environment with its topics.
    ///
    /// # Errors
    ///
    /// -32602 for a cursor that is none. That HQ does not answer is no error: what can be read is still there, and
    /// reading says what is wrong.
    pub(super) async fn listed_resources(
        &self,
        cursor: Option<&str>,
        identity: &Identity,
        context: &RequestContext<RoleServer>,
    ) -> Result<Page, ErrorData> {
        let after = cursor.map(name_of).transpose()?;
        let [environments, environment, topics, ..] = TEMPLATES else {
            return Ok((Vec::new(), None));
        };
        if !self.is_readable(environments, identity) {
            return Ok((Vec::new(), None));
        }
        let mut listed = Vec::new();
        if after.is_none() {
            listed.push(resource(
                ENVIRONMENTS.to_owned(),
                environments.title.to_owned(),
                environments,
            ));
        }
        let lenses = self.shared.lenses.as_caller(identity);
        let found = tokio::select! {
            found = lenses.environments() => found,
            () = context.ct.cancelled() => Ok(Vec::new()),
        };
        let mut found = found.unwrap_or_else(|error| {
            if let lenses::Error::Unauthorized(_) = error {
                (self.shared.on_unauthorized)(identity);
            }
            Vec::new()
        });
        let name =
            |record: &lenses::Object| record.get("name").and_then(Value::as_str).map(str::to_owned);
        found.retain(|record| {
            name(record).is_some_and(|name| {
                self.shared.policy.includes_environment(&name)
                    && after.as_ref().is_none_or(|after| name > *after)
            })
        });
        found.sort_by_cached_key(name);
        let next = found.get(PAGE).and(found.get(PAGE - 1)).and_then(name);
        for record in found.iter().take(PAGE) {
            let Some(name) = name(record) else { continue };
            let title = record.get("display_name").and_then(Value::as_str).unwrap_or(&name);
            let uri = format!("{ENVIRONMENTS}/{}", resources::encoded(&name));
            let parts = [
                (environment, uri.clone(), "environment"),
                (topics, format!("{uri}/topics"), "topics"),
            ];
            for (template, uri, what) in parts {
                if self.is_readable(template, identity) {
                    listed.push(resource(uri, format!("{title}: {what}"), template));
                }
            }
        }
        Ok((listed, next.map(|name| URL_SAFE_NO_PAD.encode(name))))
    }

    /// The templates of what a caller like `identity` can read.
    pub(super) fn listed_templates(&self, identity: &Identity) -> Vec<ResourceTemplate> {
        let is_listed = |template: &&Template| {
            !template.variables.is_empty() && self.is_readable(template, identity)
        };
        TEMPLATES.iter().filter(is_listed).map(listing).collect()
    }

    fn is_readable(&self, template: &Template, identity: &Identity) -> bool {
        let tool = tools::registry().find(template.tool);
        tool.is_some_and(|tool| self.shared.policy.unavailable(tool, identity.scopes).is_none())
    }

    /// What `uri` leads to, as JSON.
    pub(super) async fn resource(
        &self,
        uri: String,
        identity: &Identity,
        context: &RequestContext<RoleServer>,
    ) -> Result<ReadResourceResult, ErrorData> {
        let at = Some(json!({ "uri": shown(&uri) }));
        let not_found = |message: String| ErrorData::resource_not_found(message, at.clone());
        let (template, arguments) =
            resources::find(&uri).map_err(|error| not_found(format!("the URI: {error}")))?;
        let Some(tool) = tools::registry().find(template.tool) else {
            return Err(ErrorData::internal_error("the resource has no tool", None));
        };
        let mut audit = Audit::of_resource(template, identity, &self.shared.metrics, context);
        let reading = self
            .call(tool, arguments, identity, Answers::default(), context)
            .instrument(audit.span());
        let result = reading.await.map_err(|failed| {
            audit.outcome = failed.outcome();
            match failed {
                Failed::Tool(ToolError::Lenses {
                    error: error @ lenses::Error::NotFound(_),
                    ..
                }) => not_found(error.to_string()),
                Failed::Tool(ToolError::Arguments(error)) => not_found(format!("the URI: {error}")),
                Failed::Refused(why) => not_found(why),
                Failed::Protocol(error) => error,
                failed => ErrorData::internal_error(failed.to_string(), at.clone()),
            }
        })?;
        let Some(found) = result.structured_content else {
            return Err(ErrorData::internal_error("the resource has no content", at));
        };
        audit.outcome = Outcome::Success;
        let contents = ResourceContents::text(found.to_string(), uri).with_mime_type(JSON);
        Ok(ReadResourceResult::new(vec![contents]))
    }
}

fn resource(uri: String, title: String, template: &Template) -> Resource {
    let name = uri.trim_start_matches("lenses://").to_owned();
    Resource::new(uri, name)
        .with_title(title)
        .with_description(template.description)
        .with_mime_type(JSON)
}

fn listing(template: &Template) -> ResourceTemplate {
    ResourceTemplate::new(template.uri, template.name)
        .with_title(template.title)
        .with_description(template.description)
        .with_mime_type(JSON)
}

/// The environment after which a page begins.
fn name_of(cursor: &str) -> Result<String, ErrorData> {
    let name = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| {
        ErrorData::invalid_params("unknown cursor: give nextCursor as it was given", None)
    })
}
