//! The flow as a client goes it, and every way in which it is refused.

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
async fn a_wrong_password_is_asked_again_and_in_the_end_given_up() {
    let client = TestClient::new(&[]);
    let id = client.public_client().await;
    let mut handle = client.authorize(&id, "read", &[]).await.handle();
    for _ in 1..5 {
        let page = client
            .form(
                "/oauth2/authorize/sign-in",
                &[("request", &handle), ("username", "alice"), ("password", "no")],
            )
            .await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        handle = page.handle();
    }
    let page = client
        .form(
            "/oauth2/authorize/sign-in",
            &[("request", &handle), ("username", "alice"), ("password", "no")],
        )
        .await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let page = client
        .form(
            "/oauth2/authorize/sign-in",
            &[("request", &handle), ("username", "alice"), ("password", "alice")],
        )
        .await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn consent_is_given_once_by_the_user_for_requested_scopes_only() {
    let client = TestClient::new(&[]);
    let id = client.public_client().await;
    let handle = client.authorize(&id, "read write", &[]).await.handle();
    let unsigned = client
        .form(
            "/oauth2/authorize/consent",
            &[("request", &handle), ("scope", "read"), ("decision", "approve")],
        )
        .await;
    assert_eq!(unsigned.status, StatusCode::BAD_REQUEST);

    let handle = client.authorize(&id, "read write", &[]).await.handle();
    let page = client
        .form(
            "/oauth2/authorize/sign-in",
            &[("request", &handle), ("username", "bob"), ("password", "bob")],
        )
        .await;
    let nothing_ticked = client
        .form("/oauth2/authorize/consent", &[("request", &page.handle()), ("decision", "approve")])
        .await;
    assert_eq!(nothing_ticked.status, StatusCode::UNPROCESSABLE_ENTITY);
    let handle = nothing_ticked.handle();
    let fields = [
        ("request", handle.as_str()),
        ("scope", "write"),
        ("scope", "delete"),
        ("decision", "approve"),
    ];
    let code = client.form("/oauth2/authorize/consent", &fields).await.redirected("code").unwrap();
    assert_eq!(client.exchange(&id, &code, VERIFIER).await.json()["scope"], "write");
    assert_eq!(
        client.form("/oauth2/authorize/consent", &fields).await.status,
        StatusCode::BAD_REQUEST
    );

    let handle = client.authorize(&id, "read", &[]).await.handle();
    let page = client
        .form(
            "/oauth2/authorize/sign-in",
            &[("request", &handle), ("username", "bob"), ("password", "bob")],
        )
        .await;
    let denied = client
        .form(
            "/oauth2/authorize/consent",
            &[("request", &page.handle()), ("scope", "read"), ("decision", "deny")],
        )
        .await;
    assert_eq!(denied.redirected("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn headless_clients_are_answered_at_once_as_the_setting_says() {
    let client = TestClient::new(&["--approve-as=alice:read"]);
    let id = client.public_client().await;
    let code = client.authorize(&id, "read write", &[]).await.redirected("code").unwrap();
    assert_eq!(client.exchange(&id, &code, VERIFIER).await.json()["scope"], "read");
    assert_eq!(
        client.authorize(&id, "write", &[]).await.redirected("error").as_deref(),
        Some("access_denied")
    );

    let client = TestClient::new(&["--approve-as=any"]);
    let id = client.public_client().await;
    let code = client
        .authorize(&id, "read write", &[("login_hint", "bob")])
        .await
        .redirected("code")
        .unwrap();
    let token = client.exchange(&id, &code, VERIFIER).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        client.form("/oauth2/introspect", &[("token", &token)]).await.json()["username"],
        "bob"
    );
    assert_eq!(
        client.authorize(&id, "read", &[("login_hint", "mallory")]).await.status,
        StatusCode::OK
    );
    assert_eq!(client.authorize(&id, "read", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_is_refused_to_a_wrong_verifier_client_or_place() {
    let client = TestClient::new(&[]);
    let (id, other) = (client.public_client().await, client.public_client().await);
    let refused = (StatusCode::BAD_REQUEST, "invalid_grant".to_owned());
    let code = client.code(&id, "alice", &["read"]).await;
    assert_eq!(error(&client.exchange(&other, &code, VERIFIER).await), refused);
    assert_eq!(error(&client.exchange(&id, &code, &VERIFIER.replace('d', "e")).await), refused);
    let code = client.code(&id, "alice", &["read"]).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", &id),
        ("code", &code),
        ("redirect_uri", CALLBACK),
    ];
    assert_eq!(error(&client.form("/oauth2/token", &fields).await), refused, "no verifier");
    let code = client.code(&id, "alice", &["read"]).await;
    let elsewhere = "http://127.0.0.1:1/callback";
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", &id),
        ("code", &code),
        ("redirect_uri", elsewhere),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(error(&client.form("/oauth2/token", &fields).await), refused, "other redirect URI");
    assert_eq!(error(&client.exchange(&id, "ac_guessed", VERIFIER).await), refused);
}

#[tokio::test]
async fn a_code_used_twice_revokes_what_it_gave() {
    let client = TestClient::new(&[]);
    let id = client.public_client().await;
    let code = client.code(&id, "alice", &["read"]).await;
    let tokens = client.exchange(&id, &code, VERIFIER).await.json();
    assert!(client.is_active(&tokens).await);
    assert_eq!(client.exchange(&id, &code, VERIFIER).await.status, StatusCode::BAD_REQUEST);
    assert!(!client.is_active(&tokens).await);
    assert_eq!(client.refresh(&id, &tokens).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_refresh_token_is_rotated_and_its_reuse_revokes_the_grant() {
    let client = TestClient::new(&[]);
    let (id, other) = (client.public_client().await, client.public_client().await);
    let first = client.tokens(&id, "alice", &["read", "write"]).await;
    assert_eq!(client.refresh(&other, &first).await.status, StatusCode::BAD_REQUEST);
    let refresh_token = first["refresh_token"].as_str().unwrap();
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", id.as_str()),
        ("refresh_token", refresh_token),
    ];
    let more = [fields.as_slice(), &[("scope", "read delete")]].concat();
    assert_eq!(
        error(&client.form("/oauth2/token", &more).await),
        (StatusCode::BAD_REQUEST, "invalid_scope".to_owned())
    );
    let elsewhere = [fields.as_slice(), &[("resource", "https://other.example.com")]].concat();
    assert_eq!(
        error(&client.form("/oauth2/token", &elsewhere).await),
        (StatusCode::BAD_REQUEST, "invalid_target".to_owned())
    );
    let fewer = [fields.as_slice(), &[("scope", "read"), ("resource", RESOURCE)]].concat();
    let second = client.form("/oauth2/token", &fewer).await.json();
    assert_eq!(second["scope"], "read");
    let third = client.refresh(&id, &second).await.json();
    assert_eq!(third["scope"], "read write", "narrowing one access token leaves the grant whole");
    assert!(client.is_active(&third).await);
    assert_eq!(
        error(&client.refresh(&id, &first).await),
        (StatusCode::BAD_REQUEST, "invalid_grant".to_owned())
    );
    assert!(!client.is_active(&third).await);
    assert_eq!(client.refresh(&id, &third).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_token_endpoint_refuses_what_is_not_a_request() {
    let client = TestClient::new(&[]);
    let id = client.public_client().await;
    let confidential = client.register("client_secret_basic").await;
    let (cid, secret) = (
        confidential["client_id"].as_str().unwrap(),
        confidential["client_secret"].as_str().unwrap(),
    );
    let bad: [Refused; 9] = [
        (&[("client_id", &id)], None, 400, "invalid_request"),
        (&[("client_id", &id), ("grant_type", "password")], None, 400, "unsupported_grant_type"),
        (&[("client_id", &id), ("grant_type", "authorization_code")], None, 400, "invalid_request"),
        (&[("grant_type", "authorization_code"), ("code", "x")], None, 401, "invalid_client"),
        (&[("client_id", "nobody"), ("grant_type", "refresh_token")], None, 401, "invalid_client"),
        (
            &[("client_id", &id), ("client_secret", "x"), ("grant_type", "refresh_token")],
            None,
            401,
            "invalid_client",
        ),
        (&[("client_id", cid), ("grant_type", "refresh_token")], None, 401, "invalid_client"),
        (&[("grant_type", "refresh_token")], Some((cid, "wrong")), 401, "invalid_client"),
        (
            &[("client_secret", secret), ("grant_type", "refresh_token")],
            Some((cid, secret)),
            400,
            "invalid_request",
        ),
    ];
    for (fields, basic, status, code) in bad {
        let reply = client.form_as("/oauth2/token", fields, basic).await;
        assert_eq!((reply.status.as_u16(), error(&reply).1.as_str()), (status, code), "{fields:?}");
    }
    let repeated = client.form("/oauth2/token", &[("client_id", &id), ("client_id", &id)]).await;
    assert_eq!(error(&repeated), (StatusCode::BAD_REQUEST, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_confidential_client_proves_itself_by_its_secret() {
    let client = TestClient::new(&["--approve-as=alice"]);
    let confidential = client.register("client_secret_basic").await;
    let (id, secret) = (
        confidential["client_id"].as_str().unwrap(),
        confidential["client_secret"].as_str().unwrap(),
    );
    assert_eq!(confidential["client_secret_expires_at"], 0);
    for basic in [true, false] {
        let code = client.authorize(id, "read", &[]).await.redirected("code").unwrap();
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ];
        if !basic {
            fields.extend([("client_id", id), ("client_secret", secret)]);
        }
        let reply = client.form_as("/oauth2/token", &fields, basic.then_some((id, secret))).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    }
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

#[tokio::test]
async fn revocation_takes_only_the_clients_own_tokens() {
    let client = TestClient::new(&[]);
    let (id, other) = (client.public_client().await, client.public_client().await);
    let tokens = client.tokens(&id, "alice", &["read"]).await;
    let (access, refresh) =
        (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let foreign = client.form("/oauth2/revoke", &[("client_id", &other), ("token", access)]).await;
    assert_eq!(error(&foreign), (StatusCode::BAD_REQUEST, "unauthorized_client".to_owned()));
    assert!(client.is_active(&tokens).await);
    assert_eq!(
        client.form("/oauth2/revoke", &[("client_id", &id), ("token", access)]).await.status,
        StatusCode::OK
    );
    assert!(!client.is_active(&tokens).await);
    let tokens = client.refresh(&id, &tokens).await.json();
    assert!(client.is_active(&tokens).await, "an access token goes alone");
    assert_eq!(
        client.form("/oauth2/revoke", &[("client_id", &id), ("token", refresh)]).await.status,
        StatusCode::OK
    );
    assert!(!client.is_active(&tokens).await, "a refresh token takes its grant with it");
    assert_eq!(
        client.form("/oauth2/revoke", &[("client_id", &id), ("token", "unknown")]).await.status,
        StatusCode::OK
    );
    assert_eq!(
        client.form("/oauth2/revoke", &[("token", "x")]).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_connected_application_is_listed_once_steps_up_and_can_be_revoked() {
    let client = TestClient::new(&[]);
    let id = client.public_client().await;
    let read = client.tokens(&id, "bob", &["read"]).await;
    let both = client.tokens(&id, "bob", &["read", "write"]).await;
    assert!(client.is_active(&read).await && client.is_active(&both).await);
    let path = "/api/v0/users/me/oauth2/authorizations";
    let bob = "Basic Ym9iOmJvYg==";
    let listed = client.get(path, bob).await.json();
    let [item] = listed["items"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!(
        (&item["application_name"], &item["client_id"]),
        (&json!("Test <client>"), &json!(id))
    );
    assert_eq!(
        (&item["scopes"], &item["registration_method"]),
        (&json!(["read", "write"]), &json!("dynamic"))
    );
    let own = format!("{path}/{}", item["id"].as_str().unwrap());
    assert_eq!(
        client.call(Method::DELETE, &own, "Basic YWxpY2U6YWxpY2U=", None).await.status,
        StatusCode::NOT_FOUND,
        "not alice's"
    );
    assert_eq!(client.get(path, "Basic Ym9iOndyb25n").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        client
            .call(Method::DELETE, &own, both["access_token"].as_str().unwrap(), None)
            .await
            .status,
        StatusCode::NO_CONTENT
    );
    assert!(!client.is_active(&read).await && !client.is_active(&both).await);
    assert_eq!(client.refresh(&id, &both).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        client.get("/api/v1/environments", both["access_token"].as_str().unwrap()).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(client.get(path, bob).await.json(), json!({"items": []}));
}

#[test]
fn tokens_and_grants_end_with_their_time() {
    use super::scope::Scopes;
    use super::store::{Entitlement, Store};
    use jiff::{Timestamp, ToSpan as _};
    use std::time::Duration;

    let client = TestClient::new(&["--client=desk,http://127.0.0.1/callback"]);
    let mut store = Store::with_clients(&client.hq.settings.clients);
    let request =
        super::authorize::AuthorizationRequest::for_tests("desk", CALLBACK, Scopes::all());
    let begin = Timestamp::UNIX_EPOCH;
    let at = |seconds: i64| begin + seconds.seconds();
    let hour = Duration::from_hours(1);
    let late = store.grant("alice", &request, Scopes::all(), 2 * hour, begin).unwrap();
    assert!(store.take_code(&late, "desk", at(60)).is_err(), "a code is good for a minute");
    let code = store.grant("alice", &request, Scopes::all(), 2 * hour, begin).unwrap();
    let entitlement: Entitlement = store.take_code(&code, "desk", at(59)).unwrap().entitlement;
    let issued = store.issue(entitlement.clone(), Some(entitlement.clone()), hour, at(59)).unwrap();
    assert!(
        store.access(&issued.access_token, at(3658)).is_some()
            && store.access(&issued.access_token, at(3659)).is_none()
    );
    let last = store.issue(entitlement.clone(), None, hour, at(7000)).unwrap();
    assert_eq!(last.expires_in, 200, "a token does not outlive its grant");
    assert!(
        store.issue(entitlement, None, hour, at(7200)).is_err(),
        "a grant ends however often it was refreshed"
    );
    let kept = |granted: &Entitlement| Ok(granted.clone());
    assert!(
        store
            .take_refresh_token(issued.refresh_token.as_deref().unwrap(), "desk", at(7200), kept)
            .is_err()
    );
}
