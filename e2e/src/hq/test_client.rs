//! For the unit tests: an HQ without a socket, and a client of it.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::Parser as _;
use http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};

use super::settings::{Flags, Issuer};
use super::{Hq, app};

pub(crate) const SERVICE_ACCOUNT: &str = "sa_for-the-tests";
pub(crate) const CALLBACK: &str = "http://127.0.0.1:33418/callback";
pub(crate) const RESOURCE: &str = "https://mcp.example.com/mcp";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A reply, read whole.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A parameter of the URL that is redirected to.
    pub(crate) fn redirected(&self, name: &str) -> Option<String> {
        let url = Url::parse(self.header(header::LOCATION)).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The handle in a form's hidden field.
    pub(crate) fn handle(&self) -> String {
        self.text
            .split_once("name=\"request\" value=\"")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0
            .to_owned()
    }
}

/// A client of an HQ of its own.
pub(crate) struct TestClient {
    pub(crate) hq: Arc<Hq>,
    router: Router,
}

impl TestClient {
    pub(crate) fn new(flags: &[&str]) -> Self {
        let token = format!("--service-account-token={SERVICE_ACCOUNT}");
        let all = ["hq", token.as_str()].into_iter().chain(flags.iter().copied());
        let settings = Flags::try_parse_from(all).unwrap().check().unwrap();
        let issuer =
            settings.issuer.clone().unwrap_or(Issuer::parse("https://hq.example.com").unwrap());
        let hq = Hq::new(settings, issuer);
        Self { router: app::router(hq.clone()), hq }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response: Response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.call(Method::GET, path, token, None).await
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<Value>,
    ) -> Reply {
        let authorization =
            if token.contains(' ') { token.to_owned() } else { format!("Bearer {token}") };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.form_as(path, fields, None).await
    }

    pub(crate) async fn form_as(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        basic: Option<(&str, &str)>,
    ) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some((id, secret)) = basic {
            request = request.header(
                header::AUTHORIZATION,
                format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))),
            );
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Registers a client and returns its registration.
    pub(crate) async fn register(&self, auth_method: &str) -> Value {
        let metadata = json!({
            "redirect_uris": [CALLBACK],
            "client_name": "Test <client>",
            "token_endpoint_auth_method": auth_method,
            "grant_types": ["authorization_code", "refresh_token"],
        });
        let reply = self.call(Method::POST, "/oauth2/register", "", Some(metadata)).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
        reply.json()
    }

    /// Registers a public client and returns its id.
    pub(crate) async fn public_client(&self) -> String {
        self.register("none").await["client_id"].as_str().unwrap().to_owned()
    }

    /// Asks for authorization as a client does; `changes` replace or, when empty, remove
    /// parameters.
    pub(crate) async fn authorize(
        &self,
        client_id: &str,
        scope: &str,
        changes: &[(&str, &str)],
    ) -> Reply {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let ordinary = [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", CALLBACK),
            ("scope", scope),
            ("state", "st&te"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", RESOURCE),
        ];
        let kept =
            ordinary.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let all = kept.chain(changes.iter().filter(|(_, value)| !value.is_empty()));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        self.send(Request::get(format!("/oauth2/authorize?{query}")).body(Body::empty()).unwrap())
            .await
    }

    /// Fills in both forms and returns the code.
    pub(crate) async fn code(&self, client_id: &str, user: &str, scopes: &[&str]) -> String {
        let page = self.authorize(client_id, &scopes.join(" "), &[]).await;
        let fields = [
            ("request", page.handle()),
            ("username", user.to_owned()),
            ("password", user.to_owned()),
        ];
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = self.form("/oauth2/authorize/sign-in", &fields).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let handle = page.handle();
        let mut fields = vec![("request", handle.as_str()), ("decision", "approve")];
        fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
        let answer = self.form("/oauth2/authorize/consent", &fields).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        answer.redirected("code").unwrap()
    }

    pub(crate) async fn exchange(&self, client_id: &str, code: &str, verifier: &str) -> Reply {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", code),
            ("code_verifier", verifier),
            ("redirect_uri", CALLBACK),
        ];
        self.form("/oauth2/token", &fields).await
    }

    /// The whole flow for a user; returns the token reply.
    pub(crate) async fn tokens(&self, client_id: &str, user: &str, scopes: &[&str]) -> Value {
        let code = self.code(client_id, user, scopes).await;
        let reply = self.exchange(client_id, &code, VERIFIER).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.json()
    }

    pub(crate) async fn refresh(&self, client_id: &str, tokens: &Value) -> Reply {
        let refresh_token = tokens["refresh_token"].as_str().unwrap();
        self.form(
            "/oauth2/token",
            &[
                ("grant_type", "refresh_token"),
                ("client_id", client_id),
                ("refresh_token", refresh_token),
            ],
        )
        .await
    }

    pub(crate) async fn is_active(&self, tokens: &Value) -> bool {
        let reply = self
            .form("/oauth2/introspect", &[("token", tokens["access_token"].as_str().unwrap())])
            .await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
        reply.json()["active"].as_bool().unwrap()
    }
}
