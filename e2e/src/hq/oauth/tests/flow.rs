//! The flow as a client goes it, and every way in which it is refused.

mod consent;
mod token_endpoint;

use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::hq::test_client::{CALLBACK, RESOURCE, TestClient, VERIFIER};

/// Fields of a form.
type Fields<'test> = &'test [(&'test str, &'test str)];
/// Form, Basic credentials, status and error.
type Refused<'test> = (Fields<'test>, Option<(&'test str, &'test str)>, u16, &'test str);

fn error(reply: &crate::hq::test_client::Reply) -> (StatusCode, String) {
    (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn metadata_names_the_issuer_byte_for_byte_and_every_endpoint_on_it() {
    let client = TestClient::new(&["--issuer-url=https://HQ.example.com/lenses/"]);
    let whole = json!({
        "issuer": "https://HQ.example.com/lenses/",
        "authorization_endpoint": "https://HQ.example.com/lenses/oauth2/authorize",
        "token_endpoint": "https://HQ.example.com/lenses/oauth2/token",
        "introspection_endpoint": "https://HQ.example.com/lenses/oauth2/introspect",
        "revocation_endpoint": "https://HQ.example.com/lenses/oauth2/revoke",
        "registration_endpoint": "https://HQ.example.com/lenses/oauth2/register",
        "scopes_supported": ["read", "write", "delete"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            "none", "client_secret_basic", "client_secret_post"
        ],
        "introspection_endpoint_auth_methods_supported": [
            "none", "client_secret_basic", "client_secret_post"
        ],
        "revocation_endpoint_auth_methods_supported": [
            "none", "client_secret_basic", "client_secret_post"
        ],
        "authorization_response_iss_parameter_supported": true,
    });
    let places =
        ["", "/lenses"].map(|path| format!("/.well-known/oauth-authorization-server{path}"));
    for place in
        places.iter().map(String::as_str).chain(["/lenses/.well-known/oauth-authorization-server"])
    {
        assert_eq!(client.get(place, "").await.json(), whole, "{place}");
    }
    assert_eq!(
        client.form("/lenses/oauth2/introspect", &[("token", "x")]).await.json(),
        json!({"active": false})
    );
}

#[tokio::test]
async fn a_user_signs_in_and_consents_and_hq_knows_the_clients_tokens() {
    let client = TestClient::new(&[]);
    let id = client.public_client().await;
    let page = client.authorize(&id, "read write", &[]).await;
    assert!(
        page.text.contains("Test &lt;client&gt;") && !page.text.contains("<client>"),
        "{}",
        page.text
    );
    assert_eq!(page.header(header::X_FRAME_OPTIONS), "DENY");
    let tokens = client.tokens(&id, "alice", &["read", "write"]).await;
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"], &tokens["scope"]),
        (&json!("Bearer"), &json!(3600), &json!("read write"))
    );

    let reply = client
        .form("/oauth2/introspect", &[("token", tokens["access_token"].as_str().unwrap())])
        .await;
    assert_eq!(reply.header(header::CACHE_CONTROL), "no-store");
    let mut introspected = reply.json();
    let (iat, exp) = (
        introspected["iat"].take().as_i64().unwrap(),
        introspected["exp"].take().as_i64().unwrap(),
    );
    assert_eq!(exp - iat, 3600);
    let expected = json!({
        "active": true, "iss": "https://hq.example.com", "sub": "alice", "username": "alice",
        "client_id": id,
        "scope": "read write", "token_type": "Bearer", "aud": RESOURCE, "iat": null, "exp": null,
    });
    assert_eq!(introspected, expected);
    assert_eq!(
        client.get("/api/v1/environments", tokens["access_token"].as_str().unwrap()).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_response_has_state_and_issuer_and_goes_to_registered_uris_only() {
    let client = TestClient::new(&["--approve-as=alice"]);
    let id = client.public_client().await;
    let answer =
        client.authorize(&id, "read", &[("redirect_uri", "http://127.0.0.1:9/callback")]).await;
    assert_eq!(answer.status, StatusCode::FOUND);
    assert!(answer.header(header::LOCATION).starts_with("http://127.0.0.1:9/callback?code=ac_"));
    assert_eq!(answer.redirected("state").as_deref(), Some("st&te"));
    assert_eq!(answer.redirected("iss").as_deref(), Some("https://hq.example.com"));
    for changes in [
        [("redirect_uri", "http://127.0.0.1:33418/elsewhere")],
        [("redirect_uri", "https://evil.example.com/callback")],
        [("client_id", "nobody")],
        [("client_id", "")],
    ] {
        let answer = client.authorize(&id, "read", &changes).await;
        assert_eq!(
            (answer.status, answer.header(header::LOCATION)),
            (StatusCode::BAD_REQUEST, ""),
            "{changes:?}"
        );
    }
}

#[tokio::test]
async fn a_request_that_cannot_be_granted_is_answered_with_its_error() {
    let client = TestClient::new(&["--approve-as=alice"]);
    let id = client.public_client().await;
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("scope", "admin offline_access", "invalid_scope"),
        ("resource", "not a uri", "invalid_target"),
        ("resource", "https://mcp.example.com/mcp#x", "invalid_target"),
    ] {
        let answer = client.authorize(&id, "read", &[(name, value)]).await;
        assert_eq!(answer.redirected("error").as_deref(), Some(error), "{name}={value}");
        assert_eq!(answer.redirected("state").as_deref(), Some("st&te"), "{name}={value}");
        assert!(answer.redirected("iss").is_some() && answer.redirected("code").is_none());
    }
    let no_challenge = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(
        client.authorize(&id, "read", &no_challenge).await.redirected("error").as_deref(),
        Some("invalid_request")
    );
    let repeated = client.authorize(&id, "read", &[("state", "a"), ("state", "b")]).await;
    assert_eq!(repeated.redirected("error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn without_require_pkce_a_challenge_is_optional_but_cannot_be_forged_later() {
    let client = TestClient::new(&["--require-pkce=false", "--approve-as=alice"]);
    let id = client.public_client().await;
    let no_challenge = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = client.authorize(&id, "read", &no_challenge).await.redirected("code").unwrap();
    assert_eq!(
        error(&client.exchange(&id, &code, VERIFIER).await),
        (StatusCode::BAD_REQUEST, "invalid_grant".to_owned())
    );
    let code = client.authorize(&id, "read", &no_challenge).await.redirected("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", &id),
        ("code", &code),
        ("redirect_uri", CALLBACK),
    ];
    assert_eq!(client.form("/oauth2/token", &fields).await.status, StatusCode::OK);
}

#[tokio::test]
async fn registration_accepts_what_hq_can_serve_and_explains_each_refusal() {
    let client = TestClient::new(&[]);
    let good = || json!({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"});
    let with = |name: &str, value: Value| {
        let mut metadata = good();
        metadata[name] = value;
        metadata
    };
    let reply = client
        .call(
            Method::POST,
            "/oauth2/register",
            "",
            Some(with("scope", json!("read offline_access"))),
        )
        .await
        .json();
    assert_eq!((&reply["scope"], &reply["client_secret"]), (&json!("read"), &Value::Null));
    for (metadata, code) in [
        (json!({}), "invalid_redirect_uri"),
        (with("redirect_uris", json!([])), "invalid_redirect_uri"),
        (with("redirect_uris", json!(["http://evil.example.com/"])), "invalid_redirect_uri"),
        (with("redirect_uris", json!([CALLBACK, "javascript:alert(1)"])), "invalid_redirect_uri"),
        (with("redirect_uris", json!("x")), "invalid_client_metadata"),
        (with("client_name", json!("  ")), "invalid_client_metadata"),
        (with("client_name", json!("a\nb")), "invalid_client_metadata"),
        (with("token_endpoint_auth_method", json!("private_key_jwt")), "invalid_client_metadata"),
        (with("grant_types", json!(["client_credentials"])), "invalid_client_metadata"),
        (with("response_types", json!(["token"])), "invalid_client_metadata"),
        (json!([]), "invalid_client_metadata"),
    ] {
        let reply = client.call(Method::POST, "/oauth2/register", "", Some(metadata.clone())).await;
        assert_eq!(error(&reply), (StatusCode::BAD_REQUEST, code.to_owned()), "{metadata}");
    }
    let closed = TestClient::new(&["--dcr=false"]);
    assert_eq!(
        closed.call(Method::POST, "/oauth2/register", "", Some(good())).await.status,
        StatusCode::NOT_FOUND
    );
    let metadata = closed.get("/.well-known/oauth-authorization-server", "").await.json();
    assert!(metadata.get("registration_endpoint").is_none());
}

#[tokio::test]
async fn introspection_is_open_or_needs_a_confidential_client() {
    let closed = TestClient::new(&["--unauthenticated-introspection=false", "--client=mcp:s3cret"]);
    let id = closed.public_client().await;
    let tokens = closed.tokens(&id, "alice", &["read"]).await;
    let token = tokens["access_token"].as_str().unwrap();
    let refused = (StatusCode::UNAUTHORIZED, "invalid_client".to_owned());
    let reply = closed.form("/oauth2/introspect", &[("token", token)]).await;
    assert_eq!(error(&reply), refused);
    assert!(reply.header(header::WWW_AUTHENTICATE).starts_with("Basic"));
    assert_eq!(
        error(&closed.form("/oauth2/introspect", &[("token", token), ("client_id", &id)]).await),
        refused
    );
    assert_eq!(
        error(
            &closed
                .form_as("/oauth2/introspect", &[("token", token)], Some(("mcp", "wrong")))
                .await
        ),
        refused
    );
    let answered =
        closed.form_as("/oauth2/introspect", &[("token", token)], Some(("mcp", "s3cret"))).await;
    assert_eq!(answered.json()["active"], true);

    let open = TestClient::new(&["--introspection-aud=false"]);
    let id = open.public_client().await;
    let tokens = open.tokens(&id, "bob", &["read"]).await;
    let reply = open
        .form("/oauth2/introspect", &[("token", tokens["access_token"].as_str().unwrap())])
        .await
        .json();
    assert_eq!((&reply["active"], reply.get("aud")), (&json!(true), None));
    let refresh_token = tokens["refresh_token"].as_str().unwrap();
    for unknown in ["", "x", refresh_token] {
        let reply = open.form("/oauth2/introspect", &[("token", unknown)]).await;
        let expected = if unknown.is_empty() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        assert_eq!(reply.status, expected, "{unknown}");
        assert_ne!(reply.json()["active"], true, "{unknown}");
    }
}
