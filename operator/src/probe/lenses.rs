//! Whether HQ is as sign-in needs it, seen from where the pods see it: four requests, at most.

mod evaluate;
mod version;

use lenses_mcp_oauth::{basic, locations};
use reqwest::{
    RequestBuilder, StatusCode,
    header::{ACCEPT, AUTHORIZATION},
};
use serde::Deserialize;
use url::Url;

pub use self::version::version;
use super::{
    AuthorizationServer, ClientCredentials, Finding, Lenses,
    answer::{Answer, NoAnswer},
    http::{ANSWER_MAX, Http},
};

/// What is read of the metadata (RFC 8414 §2).
#[derive(Clone, Debug, Deserialize)]
struct Metadata {
    issuer: String,
    #[serde(default)]
    registration_endpoint: Option<String>,
    #[serde(default)]
    client_id_metadata_document_supported: Option<bool>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
}

/// What is read of an introspection reply (RFC 7662 §2.2).
#[derive(Clone, Copy, Debug, Deserialize)]
struct Introspected {
    active: bool,
}

/// What came of a request: what was to be read of a 200, or any other status.
#[derive(Clone, Debug)]
enum Reply<T> {
    Is(T),
    /// 200, but something else.
    Unreadable,
    Status(StatusCode),
}

/// A request and what came of it.
#[derive(Clone, Debug)]
struct Asked<T> {
    url: Url,
    reply: Result<Reply<T>, NoAnswer>,
}

/// Asks HQ, as `client` if the pods have the credentials of one.
pub async fn probe(http: &Http, lenses: &Lenses, client: Option<&ClientCredentials>) -> Finding {
    match &lenses.authorization_server {
        None => {
            let reply = http
                .send(http.get(lenses.url.clone()), ANSWER_MAX)
                .await
                .map(|answer| answer.status);
            evaluate::reachable(&lenses.url, &reply)
        }
        Some(server) => {
            let metadata = metadata(http, &lenses.url, &server.issuer).await;
            // What has not shown itself to be an authorization server is sent no POST, and another
            // origin than HQ's gets none either: the author may have written any address.
            let is_there = matches!(metadata.reply, Ok(Reply::Is(_)));
            let is_hq = server.introspection_url.origin() == lenses.url.origin();
            let introspection =
                if is_there && is_hq { Some(introspect(http, server, client).await) } else { None };
            evaluate::authorization_server(
                server,
                &metadata,
                introspection.as_ref(),
                client.is_some(),
            )
        }
    }
}

/// HQ knows its issuer's path, a proxy on the way its own prefix, and not every server puts the
/// well-known path first: it is looked for wherever a path may have put it.
async fn metadata(http: &Http, lenses_url: &Url, issuer: &str) -> Asked<Metadata> {
    let (first, others) = locations(lenses_url, issuer);
    let mut asked = ask(http, first.clone(), http.get(first)).await;
    for url in others {
        if !matches!(asked.reply, Ok(Reply::Status(StatusCode::NOT_FOUND | StatusCode::GONE))) {
            break;
        }
        asked = ask(http, url.clone(), http.get(url)).await;
    }
    asked
}

async fn introspect(
    http: &Http,
    server: &AuthorizationServer,
    client: Option<&ClientCredentials>,
) -> Asked<Introspected> {
    let url = server.introspection_url.clone();
    // No server can have issued it.
    let token = format!("verification-{:032x}", rand::random::<u128>());
    let mut request = http
        .post(url.clone())
        .form(&[("token", token.as_str()), ("token_type_hint", "access_token")]);
    if let Some(authorization) = client.and_then(|client| basic(&client.id, &client.secret)) {
        request = request.header(AUTHORIZATION, authorization);
    }
    ask(http, url, request).await
}

async fn ask<T: serde::de::DeserializeOwned>(
    http: &Http,
    url: Url,
    request: RequestBuilder,
) -> Asked<T> {
    let reply = http
        .send(request.header(ACCEPT, "application/json"), ANSWER_MAX)
        .await
        .map(|answer| read(&answer));
    Asked { url, reply }
}

fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Reply<T> {
    match answer.status {
        StatusCode::OK => {
            let body = answer.body.as_deref().and_then(|body| serde_json::from_slice(body).ok());
            body.map_or(Reply::Unreadable, Reply::Is)
        }
        status => Reply::Status(status),
    }
}
