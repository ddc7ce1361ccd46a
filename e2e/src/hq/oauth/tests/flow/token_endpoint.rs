//! Codes and tokens, from the exchange to the revocation.

use super::{Refused, error};
use crate::hq::test_client::{CALLBACK, RESOURCE, TestClient, VERIFIER};
use http::StatusCode;

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

#[test]
fn tokens_and_grants_end_with_their_time() {
    use crate::hq::oauth::store::{Entitlement, Store};
    use crate::hq::scope::Scopes;
    use jiff::{Timestamp, ToSpan as _};
    use std::time::Duration;

    let client = TestClient::new(&["--client=desk,http://127.0.0.1/callback"]);
    let mut store = Store::with_clients(&client.hq.settings.clients);
    let request = crate::hq::oauth::authorization_request::AuthorizationRequest::for_tests(
        "desk",
        CALLBACK,
        Scopes::all(),
    );
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
