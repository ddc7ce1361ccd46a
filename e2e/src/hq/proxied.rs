//! What every route of an agent is given: the agent, who asks, and the body.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use http::{StatusCode, header, request::Parts};
use serde::de::DeserializeOwned;

use super::Hq;
use super::agent_error::AgentError;
use super::environments::Agent;
use super::problem::Problem;
use super::users::Caller;

/// A request that HQ proxies: it has a good credential, and the agent of its environment is
/// connected.
pub(crate) struct Proxied {
    pub(crate) agent: Arc<Agent>,
    pub(crate) caller: Caller,
}

impl FromRequestParts<Arc<Hq>> for Proxied {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, hq: &Arc<Hq>) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, hq).await?;
        let parameters = RawPathParams::from_request_parts(parts, hq)
            .await
            .map_err(|error| Problem::invalid_parameter(error.to_string()))?;
        let environment =
            parameters.iter().find(|(name, _)| *name == "environment").map(|(_, value)| value);
        let agent = hq.environments.agent(environment.unwrap_or_default())?;
        Ok(Self { agent, caller })
    }
}

/// A body as an agent reads it: JSON that says so. Fields that it does not know are ignored.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<Hq>> for Body<T> {
    type Rejection = AgentError;

    async fn from_request(request: Request, hq: &Arc<Hq>) -> Result<Self, AgentError> {
        let content_type =
            request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type
            .is_none_or(|value| value.split(';').next().map(str::trim) != Some("application/json"))
        {
            let error = "the body must be application/json".to_owned();
            return Err(AgentError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                error,
            ));
        }
        let invalid = |error: String| AgentError::invalid(vec![("body", error)]);
        let body =
            Bytes::from_request(request, hq).await.map_err(|error| invalid(error.to_string()))?;
        serde_json::from_slice(&body).map(Self).map_err(|error| invalid(error.to_string()))
    }
}
