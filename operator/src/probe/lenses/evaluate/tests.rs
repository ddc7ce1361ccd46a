use std::time::Duration;

use serde_json::{Value, json};

use super::*;

fn server() -> AuthorizationServer {
    AuthorizationServer {
        issuer: "https://hq.example.com".into(),
        introspection_url: "http://hq:9991/oauth2/introspect".parse().unwrap(),
        client_registration: ClientRegistration::Dynamic,
    }
}

fn good() -> Value {
    json!({
        "issuer": "https://hq.example.com",
        "registration_endpoint": "https://hq.example.com/oauth2/register",
        "code_challenge_methods_supported": ["S256"],
    })
}

fn metadata(reply: Result<Reply<Metadata>, NoAnswer>) -> Asked<Metadata> {
    Asked { url: "http://hq:9991/.well-known/oauth-authorization-server".parse().unwrap(), reply }
}

fn with(name: &str, value: Value) -> Asked<Metadata> {
    let mut all = good();
    all[name] = value;
    metadata(Ok(Reply::Is(serde_json::from_value(all).unwrap())))
}

fn introspection(reply: Result<Reply<Introspected>, NoAnswer>) -> Asked<Introspected> {
    Asked { url: server().introspection_url, reply }
}

fn allowed() -> Asked<Introspected> {
    introspection(Ok(Reply::Is(Introspected { active: false })))
}

fn right() -> Asked<Metadata> {
    with("issuer", json!("https://hq.example.com"))
}

fn refused() -> NoAnswer {
    NoAnswer::Unreachable { cause: "Connection refused".into() }
}

fn untrusted() -> NoAnswer {
    NoAnswer::Untrusted { cause: "invalid peer certificate: UnknownIssuer".into() }
}

#[test]
fn an_hq_that_is_set_up_right_is_reachable() {
    let finding = authorization_server(&server(), &right(), Some(&allowed()), false);
    assert!(finding.holds && finding.reason == Reason::LensesReachable, "{finding:?}");
    assert!(finding.message.contains("https://hq.example.com"));
}

#[test]
fn each_fault_of_hq_has_its_own_reason_and_its_remedy() {
    let status = |code: u16| StatusCode::from_u16(code).unwrap();
    let timed_out = NoAnswer::TimedOut { after: Duration::from_secs(5) };
    for (found, introspected, reason, said) in [
        (
            metadata(Err(refused())),
            allowed(),
            Reason::Unreachable,
            "Connection refused: check spec.lenses",
        ),
        (
            metadata(Err(timed_out.clone())),
            allowed(),
            Reason::Unreachable,
            "does not answer within 5 s",
        ),
        (
            metadata(Err(untrusted())),
            allowed(),
            Reason::CertificateUntrusted,
            "spec.lenses.caBundle",
        ),
        (
            metadata(Ok(Reply::Status(status(503)))),
            allowed(),
            Reason::Unreachable,
            "answered with 503",
        ),
        (
            metadata(Ok(Reply::Status(status(404)))),
            allowed(),
            Reason::LensesMetadataMissing,
            "enabled: true in HQ",
        ),
        (
            metadata(Ok(Reply::Status(status(302)))),
            allowed(),
            Reason::LensesMetadataUnreadable,
            "302 Found",
        ),
        (
            metadata(Ok(Reply::Unreadable)),
            allowed(),
            Reason::LensesMetadataUnreadable,
            "not to a login page",
        ),
        (
            with("issuer", json!("https://hq.example.com/")),
            allowed(),
            Reason::IssuerMismatch,
            "byte for byte",
        ),
        (
            with("issuer", json!("https://HQ.example.com")),
            allowed(),
            Reason::IssuerMismatch,
            "issuerURL",
        ),
        (
            with("registration_endpoint", json!(null)),
            allowed(),
            Reason::RegistrationClosed,
            "dcr: true",
        ),
        (
            with("code_challenge_methods_supported", json!([])),
            allowed(),
            Reason::PkceMissing,
            "requirePKCE",
        ),
        (
            with("code_challenge_methods_supported", json!(["plain"])),
            allowed(),
            Reason::PkceMissing,
            "S256",
        ),
        (
            right(),
            introspection(Ok(Reply::Status(status(401)))),
            Reason::IntrospectionRefused,
            "unauthenticatedIntrospection: true in HQ, or \
             spec.auth.oauth.introspection.clientCredentialsSecretRef",
        ),
        (
            right(),
            introspection(Ok(Reply::Status(status(403)))),
            Reason::IntrospectionRefused,
            "403 Forbidden",
        ),
        (
            right(),
            introspection(Ok(Reply::Status(status(404)))),
            Reason::IntrospectionUntrue,
            "introspection.url",
        ),
        (
            right(),
            introspection(Ok(Reply::Status(status(500)))),
            Reason::Unreachable,
            "see the log of HQ",
        ),
        (
            right(),
            introspection(Ok(Reply::Unreadable)),
            Reason::IntrospectionUntrue,
            "no RFC 7662 reply",
        ),
        (
            right(),
            introspection(Ok(Reply::Is(Introspected { active: true }))),
            Reason::IntrospectionUntrue,
            "anybody could sign in",
        ),
        (
            right(),
            introspection(Err(refused())),
            Reason::Unreachable,
            "oauth2/introspect can't be reached",
        ),
        (right(), introspection(Err(timed_out)), Reason::Unreachable, "does not answer"),
        (right(), introspection(Err(untrusted())), Reason::CertificateUntrusted, "UnknownIssuer"),
    ] {
        let finding = authorization_server(&server(), &found, Some(&introspected), false);
        assert_eq!((finding.holds, finding.reason), (false, reason), "{finding:?}");
        assert!(finding.message.contains(said), "{said:?} is not in {:?}", finding.message);
    }
}

#[test]
fn a_refused_address_is_reported_with_who_can_allow_it() {
    let forbidden = NoAnswer::Forbidden { cause: "127.0.0.1 is a loopback address".into() };
    let finding = authorization_server(&server(), &metadata(Err(forbidden)), None, false);
    assert_eq!((finding.holds, finding.reason), (false, Reason::AddressForbidden));
    for said in ["127.0.0.1 is a loopback address", "allowedCIDRs of the operator's chart"] {
        assert!(finding.message.contains(said), "{}", finding.message);
    }
}

#[test]
fn a_closed_registration_is_no_fault_where_clients_are_known_otherwise() {
    let registered = |members: Value, client_registration| {
        let mut all = good();
        all["registration_endpoint"] = Value::Null;
        for (name, value) in members.as_object().unwrap() {
            all[name] = value.clone();
        }
        let found = metadata(Ok(Reply::Is(serde_json::from_value(all).unwrap())));
        let server = AuthorizationServer { client_registration, ..server() };
        authorization_server(&server, &found, Some(&allowed()), false)
    };
    let documents = json!({ "client_id_metadata_document_supported": true });
    let none = json!({ "client_id_metadata_document_supported": false });
    for (members, registration, reason) in [
        (&documents, ClientRegistration::Dynamic, Reason::LensesReachable),
        (&documents, ClientRegistration::Manual, Reason::LensesReachable),
        (&none, ClientRegistration::Manual, Reason::LensesReachable),
        (&json!({}), ClientRegistration::Manual, Reason::LensesReachable),
        (&none, ClientRegistration::Dynamic, Reason::RegistrationClosed),
        (&json!({}), ClientRegistration::Dynamic, Reason::RegistrationClosed),
    ] {
        let finding = registered(members.clone(), registration);
        assert_eq!(finding.reason, reason, "{members} {registration:?}: {finding:?}");
        assert_eq!(finding.holds, reason == Reason::LensesReachable);
    }
    let closed = registered(none, ClientRegistration::Dynamic);
    assert!(closed.message.contains("clientRegistration: manual"), "{}", closed.message);
}

#[test]
fn a_client_refused_by_hq_is_reported_with_its_secrets_field() {
    let finding = authorization_server(
        &server(),
        &right(),
        Some(&introspection(Ok(Reply::Status(StatusCode::UNAUTHORIZED)))),
        true,
    );
    assert_eq!(finding.reason, Reason::IntrospectionRefused);
    assert!(finding.message.contains("correct the Secret"), "{}", finding.message);
}

#[test]
fn all_faults_are_reported_together_and_a_common_cause_once() {
    let found = with("issuer", json!("https://other"));
    let Ok(Reply::Is(mut several)) = found.reply else { panic!() };
    several.registration_endpoint = None;
    let refusing = introspection(Ok(Reply::Status(StatusCode::UNAUTHORIZED)));
    let finding =
        authorization_server(&server(), &metadata(Ok(Reply::Is(several))), Some(&refusing), false);
    assert_eq!(finding.reason, Reason::IssuerMismatch);
    for said in ["issuerURL", "dcr: true", "unauthenticatedIntrospection: true"] {
        assert!(finding.message.contains(said), "{}", finding.message);
    }
    let down = authorization_server(
        &server(),
        &metadata(Err(refused())),
        Some(&introspection(Err(refused()))),
        false,
    );
    assert_eq!(down.message.matches("Connection refused").count(), 1, "{}", down.message);
}

#[test]
fn with_an_api_key_hq_need_only_answer() {
    let url = "http://hq:9991/".parse().unwrap();
    for (reply, reason) in [
        (Ok(StatusCode::OK), Reason::LensesReachable),
        (Ok(StatusCode::FOUND), Reason::LensesReachable),
        (Ok(StatusCode::UNAUTHORIZED), Reason::LensesReachable),
        (Ok(StatusCode::BAD_GATEWAY), Reason::Unreachable),
        (Err(refused()), Reason::Unreachable),
        (Err(untrusted()), Reason::CertificateUntrusted),
    ] {
        let finding = reachable(&url, &reply);
        assert_eq!(
            (finding.holds, finding.reason),
            (reason == Reason::LensesReachable, reason),
            "{reply:?}"
        );
    }
}
