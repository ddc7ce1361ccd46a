//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): a client that is
//! named by the URL of its own metadata, and so need not be registered.
//!
//! Such URLs are https. The stand-in trusts no authority, so it takes http on loopback instead.

use std::time::Duration;

use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Position, Url};

use crate::hq::redirect_uri;
use crate::hq::scope::Scopes;

/// Largest document, in bytes: what the draft suggests.
const DOCUMENT_MAX: usize = 5 * 1024;
const TIME_MAX: Duration = Duration::from_secs(5);

/// What is read of a document; the rest is ignored.
#[derive(Debug, Deserialize)]
struct Document {
    client_id: String,
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    #[serde(default)]
    grant_types: Vec<String>,
    scope: Option<String>,
}

/// A client as its document describes it.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) redirect_uris: Vec<String>,
    /// Scopes that a request which names none asks for.
    pub(crate) scopes: Scopes,
    pub(crate) may_refresh: bool,
}

/// The client whose id is the URL `id`; `None` for an id that is no such URL.
///
/// # Errors
/// Why the document is not a client's.
pub(crate) async fn described(id: &str) -> Option<Result<Described, String>> {
    let url = Url::parse(id).ok().filter(is_document_url)?;
    let read = timeout(TIME_MAX, read(&url)).await;
    let read = read.unwrap_or_else(|_| Err(format!("{id} does not answer in time")));
    Some(read.and_then(|document| accept(id, document)))
}

/// A path is required, and there is nothing that could name two documents (draft §3).
fn is_document_url(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        _ => false,
    };
    url.scheme() == "http"
        && loopback
        && url.path() != "/"
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
}

async fn read(url: &Url) -> Result<Document, String> {
    let unreachable = |error: &dyn std::error::Error| format!("{url} can't be read: {error}");
    let address = &url[Position::BeforeHost..Position::AfterPort];
    let stream = TcpStream::connect(address).await.map_err(|error| unreachable(&error))?;
    let (mut sender, connection) = http1::handshake::<_, Empty<Bytes>>(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(&error))?;
    tokio::spawn(connection);
    let request = Request::get(&url[Position::BeforePath..])
        .header(header::HOST, address)
        .header(header::ACCEPT, "application/json")
        .body(Empty::new())
        .map_err(|error| unreachable(&error))?;
    let response = sender.send_request(request).await.map_err(|error| unreachable(&error))?;
    if response.status() != StatusCode::OK {
        return Err(format!("{url} is answered with {}", response.status()));
    }
    let body = Limited::new(response.into_body(), DOCUMENT_MAX).collect().await;
    let body = body.map_err(|error| format!("{url} can't be read: {error}"))?.to_bytes();
    serde_json::from_slice(&body).map_err(|error| format!("{url} is no client metadata: {error}"))
}

fn accept(id: &str, document: Document) -> Result<Described, String> {
    if document.client_id != id {
        return Err(format!("the document at {id} is of another client"));
    }
    for uri in &document.redirect_uris {
        redirect_uri::check(uri)?;
    }
    Ok(Described {
        name: document.client_name.unwrap_or_else(|| id.to_owned()),
        redirect_uris: document.redirect_uris,
        scopes: Scopes::parse(document.scope.as_deref().unwrap_or_default()),
        may_refresh: document.grant_types.iter().any(|grant| grant == "refresh_token"),
    })
}

#[cfg(test)]
mod tests {
    use axum::{Json, Router, extract::State, routing::get};
    use serde_json::{Value, json};
    use tokio::net::TcpListener;

    use crate::hq::test_client::{CALLBACK, TestClient};

    const ON: &[&str] = &["--client-id-metadata-documents=true", "--dcr=false"];

    /// Serves the metadata of a client, which `changes` change: the URL is the client's id.
    async fn published(changes: Value) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let id = format!("http://{}/client.json", listener.local_addr().unwrap());
        let mut document = json!({
            "client_id": id,
            "client_name": "Published",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        let router = Router::new()
            .route("/client.json", get(async |State(document): State<Value>| Json(document)))
            .with_state(document);
        tokio::spawn(async move { axum::serve(listener, router).await });
        id
    }

    #[tokio::test]
    async fn a_client_named_by_its_metadata_signs_in_and_refreshes_unregistered() {
        let client = TestClient::new(ON);
        let id = published(json!({})).await;
        let tokens = client.tokens(&id, "alice", &["read"]).await;
        assert!(client.is_active(&tokens).await);
        assert_eq!(client.refresh(&id, &tokens).await.status, 200);
    }

    #[tokio::test]
    async fn metadata_tells_whether_such_clients_are_taken() {
        for (flags, supported, registration) in
            [(ON, json!(true), false), (&[][..], Value::Null, true)]
        {
            let client = TestClient::new(flags);
            let metadata = client.get("/.well-known/oauth-authorization-server", "").await.json();
            assert_eq!(metadata["client_id_metadata_document_supported"], supported);
            assert_eq!(metadata["registration_endpoint"].is_string(), registration);
        }
    }

    #[tokio::test]
    async fn a_document_that_is_not_the_clients_is_refused_to_the_person() {
        let client = TestClient::new(ON);
        let nobody = "http://127.0.0.1:1/client.json".to_owned();
        for (id, said) in [
            (published(json!({"client_id": "http://127.0.0.1/other"})).await, "another client"),
            (published(json!({"redirect_uris": ["ftp://x"]})).await, "redirect URI"),
            (published(json!({"redirect_uris": null})).await, "no client metadata"),
            (published(json!({"client_name": "x".repeat(6000)})).await, "read"),
            (published(json!({"redirect_uris": ["https://a.example/"]})).await, "did not register"),
            (nobody, "be read"),
            ("https://client.example/client.json".to_owned(), "not registered"),
        ] {
            let page = client.authorize(&id, "read", &[]).await;
            assert_eq!(page.status, 400, "{id}: {}", page.text);
            assert!(page.text.contains(said), "{id}: {said:?} is not in {}", page.text);
        }
    }

    #[tokio::test]
    async fn without_the_setting_a_url_is_an_id_like_any_other() {
        let client = TestClient::new(&[]);
        let page = client.authorize(&published(json!({})).await, "read", &[]).await;
        assert!(page.text.contains("not registered"), "{}", page.text);
    }
}
