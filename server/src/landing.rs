//! The page for people who open the server in a browser: what it is, and how to connect an
//! assistant to it.
//!
//! Made once, at start. It holds nothing that a caller without a token may not see: addresses, the
//! scopes on offer, and whether a token is asked for.

mod connect;

use std::{ops::ControlFlow, sync::Arc};

use askama::Template;
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use sha2::{Digest, Sha256};

use self::connect::Connect;
use crate::{
    media_type::accepted,
    scope::{Scope, ScopeSet},
    settings::{AdvertisedUrl, Callers, ENDPOINT, Http, SignIn},
};

const STYLE: &str = include_str!("../templates/landing.css");
const SCRIPT: &str = include_str!("../templates/landing.js");
/// How long a browser may keep the page. Short, so that changed settings arrive within minutes.
const CACHE: HeaderValue = HeaderValue::from_static("max-age=300");

/// The page, ready to send.
#[derive(Debug, Clone)]
pub struct LandingPage {
    html: Bytes,
    content_security_policy: HeaderValue,
}

/// The page can't be made: a fault of this program, not of the settings.
#[derive(Debug, thiserror::Error)]
pub enum LandingPageError {
    /// The template did not render.
    #[error("failed to render the landing page: {0}")]
    Render(#[from] askama::Error),
    /// A client's settings did not become JSON.
    #[error("failed to write the settings that the landing page shows: {0}")]
    Json(#[from] serde_json::Error),
    /// The policy is no header value.
    #[error("failed to make the landing page's Content-Security-Policy: {0}")]
    Policy(#[from] header::InvalidHeaderValue),
}

#[derive(Template)]
#[template(path = "landing.html")]
struct Document<'a> {
    style: &'static str,
    script: &'static str,
    connect: Connect,
    /// The server does not know its public address.
    guessed: bool,
    access: Access<'a>,
}

/// What callers must show, as the page tells it.
enum Access<'a> {
    OAuth { issuer: &'a str, scopes: Vec<Scope>, metadata_url: String },
    Token,
    Anyone,
}

impl Access<'_> {
    fn wants_token(&self) -> bool {
        matches!(self, Self::Token)
    }
}

impl LandingPage {
    /// Makes the page of the server that `http` describes.
    ///
    /// # Errors
    ///
    /// [`LandingPageError`], which no setting can cause.
    pub fn new(http: &Http, offered: ScopeSet) -> Result<Self, LandingPageError> {
        let access = match &http.sign_in {
            SignIn::OAuth(oauth) => Access::OAuth {
                issuer: &oauth.issuer,
                scopes: offered.iter().collect(),
                metadata_url: oauth.advertised_url.metadata_url(),
            },
            SignIn::ApiKey { callers: Callers::Token(_), .. } => Access::Token,
            SignIn::ApiKey { callers: Callers::Anyone, .. } => Access::Anyone,
        };
        let advertised = http.advertised_url.as_ref().map(AdvertisedUrl::resource);
        let guessed = advertised.is_none();
        let endpoint = advertised.unwrap_or_else(|| local_endpoint(http));
        let connect = Connect::new(endpoint, access.wants_token())?;
        let html = Document { style: STYLE, script: SCRIPT, connect, guessed, access }.render()?;
        Ok(Self { html: html.into(), content_security_policy: content_security_policy()? })
    }

    /// Breaks with the page for a browser at the MCP endpoint.
    pub fn answer_browsers(&self, method: &Method, headers: &HeaderMap) -> ControlFlow<Response> {
        if is_look(method) && wants_html(headers) {
            ControlFlow::Break(self.respond(method))
        } else {
            ControlFlow::Continue(())
        }
    }

    fn respond(&self, method: &Method) -> Response {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (header::CONTENT_LENGTH, HeaderValue::from(self.html.len())),
            (header::CACHE_CONTROL, CACHE),
            (header::CONTENT_SECURITY_POLICY, self.content_security_policy.clone()),
            (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        ];
        let body =
            if method == Method::HEAD { Body::empty() } else { Body::from(self.html.clone()) };
        (StatusCode::OK, headers, body).into_response()
    }
}

/// The page at `/`, and below the advertised URL's path: a proxy may pass that path on or take it
/// off.
pub fn routes(page: Arc<LandingPage>, advertised_url: Option<&AdvertisedUrl>) -> Router {
    let show =
        get(async |State(page): State<Arc<LandingPage>>, method: Method| page.respond(&method));
    let prefix = advertised_url.map(AdvertisedUrl::prefix).filter(|prefix| !prefix.is_empty());
    let paths = prefix.into_iter().flat_map(|prefix| [prefix.to_owned(), format!("{prefix}/")]);
    paths
        .fold(Router::new().route("/", show.clone()), |router, path| {
            router.route(&path, show.clone())
        })
        .with_state(page)
}

/// Says of an answer of the MCP endpoint that a browser gets another, where one would.
pub fn vary(method: &Method, answer: &mut Response) {
    if is_look(method) {
        answer.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    }
}

fn is_look(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether `Accept` names HTML. MCP clients name the event stream in each GET (Streamable HTTP),
/// and stay MCP clients even if they take HTML too; a client that takes anything is none of the
/// browsers, which all name HTML.
fn wants_html(headers: &HeaderMap) -> bool {
    let accepts = |name: &str| accepted(headers).any(|range| range.eq_ignore_ascii_case(name));
    accepts("text/html") && !accepts("text/event-stream")
}

/// The endpoint's address on its own machine.
fn local_endpoint(http: &Http) -> String {
    if http.listen.ip().is_unspecified() {
        format!("http://localhost:{}{ENDPOINT}", http.listen.port())
    } else {
        format!("http://{}{ENDPOINT}", http.listen)
    }
}

/// Nothing but the page's own style and script, known by their hashes; nothing is loaded, framed,
/// or sent anywhere.
fn content_security_policy() -> Result<HeaderValue, header::InvalidHeaderValue> {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    HeaderValue::try_from(format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; \
         base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_from_mcp_clients_by_what_they_accept() {
        let table: &[(&[&str], bool)] = &[
            (
                &["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/\
                   *;\
                   q=0.8"],
                true,
            ),
            (&["text/html"], true),
            (&["TEXT/HTML ; charset=utf-8; q=0.1"], true),
            (&["application/json", "text/html"], true),
            (&[], false),
            (&[""], false),
            (&["*/*"], false),
            (&["text/*"], false),
            (&["application/json"], false),
            (&["text/event-stream"], false),
            (&["application/json, text/event-stream"], false),
            (&["text/html, text/event-stream"], false),
            (&["text/html", "text/event-stream;q=0.5"], false),
            (&["text/html, text/event-stream;q=0"], true),
            (&["text/html;q=0"], false),
            (&["text/html; Q=0.000, */*"], false),
            (&["text/html5"], false),
            (&["\u{ff}"], false),
        ];
        for (accepts, expected) in table {
            let mut headers = HeaderMap::new();
            for accept in *accepts {
                headers.append(header::ACCEPT, HeaderValue::from_bytes(accept.as_bytes()).unwrap());
            }
            assert_eq!(wants_html(&headers), *expected, "{accepts:?}");
        }
    }
}
