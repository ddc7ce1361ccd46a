//! Sign-in and consent.

use http::{Method, StatusCode};
use serde_json::json;

use crate::hq::test_client::{TestClient, VERIFIER};

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
