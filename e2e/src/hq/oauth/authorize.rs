//! The authorization endpoint (OAuth 2.1 §4.1.1): reads the request, then asks the person, or
//! answers at once under `--approve-as`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use url::{Url, form_urlencoded};

use super::authorization_request::AuthorizationRequest;
use super::client_metadata_document::{self, Described};
use super::store::{Client, Pending, Registration, Store};
use super::{grant, pages, pkce, sign_in};
use crate::hq::scope::Scopes;
use crate::hq::settings::ApproveAs;
use crate::hq::{Hq, lock, redirect_uri, users};

/// How long a person has to answer.
const PENDING_LIFETIME: Duration = Duration::from_mins(10);

/// Why a request is not granted.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    /// Client or redirect URI are not to be trusted, so the person is told and nobody is redirected
    /// (RFC 6749 §4.1.2.1).
    ToPerson(String),
    /// The client is told by a redirect.
    ToClient {
        redirect_uri: String,
        state: Option<String>,
        error: &'static str,
        description: String,
    },
}

/// `GET /oauth2/authorize`
pub(crate) async fn authorize(State(hq): State<Arc<Hq>>, RawQuery(query): RawQuery) -> Response {
    let now = Timestamp::now();
    let query = query.unwrap_or_default();
    if let Err(refused) = learn(&hq, &query).await {
        return refused;
    }
    let parsed = parse(&lock(&hq.oauth), &query, hq.settings.require_pkce);
    let request = match parsed {
        Ok(request) => request,
        Err(Refusal::ToPerson(why)) => return pages::refused(&why),
        Err(Refusal::ToClient { redirect_uri, state, error, description }) => {
            let answer = [("error", error), ("error_description", description.as_str())];
            return grant::redirect(
                &hq,
                StatusCode::FOUND,
                &redirect_uri,
                state.as_deref(),
                &answer,
            );
        }
    };
    if let Some((user, scopes)) = approved(hq.settings.approve_as.as_ref(), &request) {
        return grant::finish(&hq, StatusCode::FOUND, user, &request, &scopes, now);
    }
    let expires_at = now.checked_add(PENDING_LIFETIME).unwrap_or(Timestamp::MAX);
    sign_in::ask(
        &hq,
        StatusCode::OK,
        Pending { request, user: None, attempts: 0, expires_at },
        None,
        now,
    )
}

/// Learns who the client is from its Client ID Metadata Document, if its id is the URL of one.
async fn learn(hq: &Hq, query: &str) -> Result<(), Response> {
    let id = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "client_id");
    let Some((_, id)) = id.filter(|_| hq.settings.client_id_metadata_documents) else {
        return Ok(());
    };
    let Some(described) = client_metadata_document::described(&id).await else { return Ok(()) };
    let Described { name, redirect_uris, scopes, may_refresh } =
        described.map_err(|why| pages::refused(&why))?;
    let client = Client {
        id: id.into_owned(),
        name,
        secret: None,
        redirect_uris,
        scopes,
        may_refresh,
        registration: Registration::Document,
    };
    lock(&hq.oauth).register(client).map_err(IntoResponse::into_response)
}

/// Who grants what without being asked.
fn approved(
    approve_as: Option<&ApproveAs>,
    request: &AuthorizationRequest,
) -> Option<(&'static str, Scopes)> {
    match approve_as? {
        ApproveAs::User(user, scopes) => Some((user, request.scopes.and(scopes))),
        ApproveAs::Hinted => users::find(request.login_hint.as_deref()?)
            .map(|user| (user.name, request.scopes.clone())),
    }
}

fn parse(store: &Store, query: &str, require_pkce: bool) -> Result<AuthorizationRequest, Refusal> {
    let mut parameters = HashMap::new();
    let mut resources = Vec::new();
    let mut repeated = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name == "resource" {
            resources.push(value.into_owned());
        } else if !value.is_empty()
            && parameters.insert(name.clone().into_owned(), value.into_owned()).is_some()
        {
            repeated = Some(name.into_owned());
        }
    }
    if let Some(name @ ("client_id" | "redirect_uri")) = repeated.as_deref() {
        return Err(Refusal::ToPerson(format!("the parameter {name} is repeated")));
    }
    let (client, redirect_uri) =
        addressee(store, parameters.remove("client_id"), parameters.remove("redirect_uri"))?;
    let state = parameters.remove("state");
    let refuse = |error: &'static str, description: &str| {
        let description = description.to_owned();
        Err(Refusal::ToClient {
            redirect_uri: redirect_uri.clone(),
            state: state.clone(),
            error,
            description,
        })
    };
    if let Some(name) = repeated {
        return refuse("invalid_request", &format!("the parameter {name} is repeated"));
    }
    match parameters.get("response_type").map(String::as_str) {
        Some("code") => {}
        None => return refuse("invalid_request", "response_type is missing"),
        Some(_) => return refuse("unsupported_response_type", "response_type must be code"),
    }
    let code_challenge = parameters.remove("code_challenge");
    match (&code_challenge, parameters.get("code_challenge_method").map(String::as_str)) {
        (Some(challenge), Some("S256")) if pkce::is_challenge(challenge) => {}
        (Some(_), Some("S256")) => {
            return refuse(
                "invalid_request",
                "code_challenge is not a SHA-256 digest in base64url",
            );
        }
        (Some(_), _) => return refuse("invalid_request", "code_challenge_method must be S256"),
        (None, Some(_)) => return refuse("invalid_request", "code_challenge is missing"),
        (None, None) if require_pkce => {
            return refuse(
                "invalid_request",
                "code_challenge is missing: PKCE with S256 is required",
            );
        }
        (None, None) => {}
    }
    if !resources.iter().all(|resource| is_resource(resource)) {
        return refuse(
            "invalid_target",
            "resource must be an absolute URI without a fragment (RFC 8707 §2)",
        );
    }
    let scopes = match parameters.get("scope") {
        Some(list) => Scopes::parse(list),
        None if client.scopes.is_empty() => Scopes::parse("read"),
        None => client.scopes.clone(),
    };
    if scopes.is_empty() {
        return refuse("invalid_scope", "scope names none of read, write, delete");
    }
    let login_hint = parameters.remove("login_hint");
    let client_id = client.id.clone();
    Ok(AuthorizationRequest {
        client_id,
        redirect_uri,
        scopes,
        state,
        code_challenge,
        resources,
        login_hint,
    })
}

/// Whom to answer and where.
fn addressee(
    store: &Store,
    client_id: Option<String>,
    asked: Option<String>,
) -> Result<(&Client, String), Refusal> {
    let to_person = |why: &str| Refusal::ToPerson(why.to_owned());
    let client_id = client_id
        .ok_or_else(|| to_person("the application did not say who it is (client_id is missing)"))?;
    let client = store
        .client(&client_id)
        .ok_or_else(|| to_person("the application is not registered (client_id is not known)"))?;
    let redirect_uri = match (asked, client.redirect_uris.as_slice()) {
        (Some(asked), registered)
            if registered.iter().any(|known| redirect_uri::matches(known, &asked)) =>
        {
            asked
        }
        (Some(_), _) => {
            return Err(to_person(
                "the application asks to be answered where it did not register (redirect_uri)",
            ));
        }
        (None, [only]) => only.clone(),
        (None, _) => {
            return Err(to_person(
                "the application did not say where to answer (redirect_uri is missing)",
            ));
        }
    };
    Ok((client, redirect_uri))
}

fn is_resource(value: &str) -> bool {
    value.len() <= 2048 && Url::parse(value).is_ok_and(|url| url.fragment().is_none())
}
