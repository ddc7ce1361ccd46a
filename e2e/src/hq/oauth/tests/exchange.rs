//! Token exchange: what is offered, what is given, what ends it, and what is refused.

use http::StatusCode;
use serde_json::{Value, json};

use crate::hq::oauth::exchange::{ACCESS_TOKEN, GRANT_TYPE};
use crate::hq::test_client::{RESOURCE, Reply, SERVICE_ACCOUNT, TestClient};

const ISSUER: &str = "https://hq.example.com";
const SERVER: Option<(&str, &str)> = Some(("mcp", "s3cret"));
const EXCHANGING: [&str; 3] =
    ["--token-exchange=true", "--api-audience-check=true", "--client=mcp:s3cret"];

/// Exchanges `subject` as the resource server; `changes` replace or, when empty, remove fields.
async fn exchange(client: &TestClient, subject: &str, changes: &[(&str, &str)]) -> Reply {
    let ordinary = [
        ("grant_type", GRANT_TYPE),
        ("subject_token", subject),
        ("subject_token_type", ACCESS_TOKEN),
        ("audience", ISSUER),
    ];
    let kept =
        ordinary.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let fields: Vec<_> =
        kept.chain(changes.iter().filter(|(_, value)| !value.is_empty())).copied().collect();
    client.form_as("/oauth2/token", &fields, SERVER).await
}

fn token(reply: &Value) -> String {
    reply["access_token"].as_str().unwrap().to_owned()
}

async fn environments(client: &TestClient, token: &str) -> StatusCode {
    client.get("/api/v1/environments", token).await.status
}

#[tokio::test]
async fn an_exchanged_token_is_for_hq_the_same_user_and_scopes() {
    let client = TestClient::new(&EXCHANGING);
    let id = client.public_client().await;
    let original = token(&client.tokens(&id, "bob", &["read", "write"]).await);
    assert_eq!(
        environments(&client, &original).await,
        StatusCode::UNAUTHORIZED,
        "it is for {RESOURCE}"
    );

    let reply = exchange(&client, &original, &[]).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let mut given = reply.json();
    let exchanged = token(&given);
    given["access_token"].take();
    let lifetime = given["expires_in"].take().as_i64().unwrap();
    assert!((3590..=3600).contains(&lifetime), "{lifetime}");
    let expected = json!({
        "access_token": null, "token_type": "Bearer", "expires_in": null, "scope": "read write",
        "issued_token_type": ACCESS_TOKEN,
    });
    assert_eq!(given, expected);
    let introspected = client.form("/oauth2/introspect", &[("token", &exchanged)]).await.json();
    for (field, value) in
        [("sub", "bob"), ("client_id", "mcp"), ("scope", "read write"), ("aud", ISSUER)]
    {
        assert_eq!(introspected[field], value, "{field}");
    }
    assert_eq!(environments(&client, &exchanged).await, StatusCode::OK);

    let narrowed =
        exchange(&client, &original, &[("scope", "read"), ("audience", ""), ("resource", ISSUER)])
            .await;
    assert_eq!(narrowed.json()["scope"], "read");
}

#[tokio::test]
async fn an_exchanged_token_ends_with_the_one_that_was_given_for_it() {
    let client = TestClient::new(&EXCHANGING);
    let id = client.public_client().await;
    let tokens = client.tokens(&id, "alice", &["read"]).await;
    let original = token(&tokens);
    let first = token(&exchange(&client, &original, &[]).await.json());
    let second = token(&exchange(&client, &first, &[]).await.json());
    assert_eq!(environments(&client, &second).await, StatusCode::OK);
    let revocation = [("client_id", id.as_str()), ("token", first.as_str())];
    assert_eq!(
        client.form("/oauth2/revoke", &revocation).await.json()["error"],
        "unauthorized_client",
        "it is the resource server's"
    );
    assert_eq!(
        client.form_as("/oauth2/revoke", &[("token", &first)], SERVER).await.status,
        StatusCode::OK
    );
    assert!(client.is_active(&tokens).await);
    assert_eq!(environments(&client, &second).await, StatusCode::UNAUTHORIZED);

    let third = token(&exchange(&client, &original, &[]).await.json());
    client.form("/oauth2/revoke", &[("client_id", &id), ("token", &original)]).await;
    assert_eq!(environments(&client, &third).await, StatusCode::UNAUTHORIZED);
    assert_eq!(exchange(&client, &original, &[]).await.json()["error"], "invalid_request");
}

#[tokio::test]
async fn an_exchange_that_hq_does_not_make_is_refused_with_its_error() {
    let client = TestClient::new(&EXCHANGING);
    let id = client.public_client().await;
    let original = token(&client.tokens(&id, "alice", &["read"]).await);
    for (name, value, error) in [
        ("subject_token", "", "invalid_request"),
        ("subject_token", "at_guessed", "invalid_request"),
        ("subject_token", SERVICE_ACCOUNT, "invalid_request"),
        ("subject_token_type", "", "invalid_request"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token", "invalid_request"),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:refresh_token",
            "invalid_request",
        ),
        ("actor_token", "x", "invalid_request"),
        ("audience", "https://other.example.com", "invalid_target"),
        ("resource", RESOURCE, "invalid_target"),
        ("scope", "read delete", "invalid_scope"),
        ("scope", "admin", "invalid_scope"),
    ] {
        let reply = exchange(&client, &original, &[(name, value)]).await;
        assert_eq!(
            (reply.status, reply.json()["error"].as_str()),
            (StatusCode::BAD_REQUEST, Some(error)),
            "{name}={value}"
        );
    }
    let fields = [
        ("grant_type", GRANT_TYPE),
        ("subject_token", &original),
        ("subject_token_type", ACCESS_TOKEN),
    ];
    let public = [fields.as_slice(), &[("client_id", &id)]].concat();
    assert_eq!(client.form("/oauth2/token", &public).await.json()["error"], "unauthorized_client");
    let unproved = client.form_as("/oauth2/token", &fields, Some(("mcp", "wrong"))).await;
    assert_eq!(
        (unproved.status, unproved.json()["error"].as_str()),
        (StatusCode::UNAUTHORIZED, Some("invalid_client"))
    );
}

#[tokio::test]
async fn exchange_and_the_audience_check_are_off_unless_asked_for() {
    let metadata = async |client: &TestClient| {
        client.get(
            "/.well-known/oauth-authorization-server", ""
        ).await.json()["grant_types_supported"].take()
    };
    let plain = TestClient::new(&["--client=mcp:s3cret"]);
    assert_eq!(metadata(&plain).await, json!(["authorization_code", "refresh_token"]));
    let id = plain.public_client().await;
    let original = token(&plain.tokens(&id, "alice", &["read"]).await);
    assert_eq!(environments(&plain, &original).await, StatusCode::OK);
    assert_eq!(exchange(&plain, &original, &[]).await.json()["error"], "unsupported_grant_type");

    let client = TestClient::new(&EXCHANGING);
    assert_eq!(metadata(&client).await, json!(["authorization_code", "refresh_token", GRANT_TYPE]));
    assert_eq!(environments(&client, SERVICE_ACCOUNT).await, StatusCode::OK);
}
