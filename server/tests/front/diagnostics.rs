//! What `/diagnostics` finds, and what it tells to change.

mod wrong;

use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Server},
    hq::{CLIENT, Hq, Introspection},
};

async fn report(server: &Server) -> Value {
    let answer = server.admin("/diagnostics").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["check"] == name)
        .unwrap_or(&Value::Null)
}

#[tokio::test]
async fn an_hq_that_fits_passes_every_check() {
    let hq = Hq::start().await;
    let mut report = report(&Server::with_oauth(&hq, &[])).await;
    let checked_at = report.as_object_mut().unwrap().remove("checked_at").unwrap();
    assert!(humantime::parse_rfc3339(checked_at.as_str().unwrap()).is_ok(), "{checked_at}");
    let lenses = format!("{}/ is answered (200 OK)", hq.url);
    assert_eq!(
        report,
        json!({
            "healthy": true,
            "lenses_version": { "version": "6.3.0", "build_id": "b1" },
            "checks": [
                {"check": "lenses", "result": "ok", "reason": "Reachable", "message": lenses},
                {"check": "metadata", "result": "ok", "reason": "Found",
                    "message": "HQ publishes its authorization server metadata"},
                {"check": "issuer", "result": "ok", "reason": "IssuerMatches",
                    "message":
                        "HQ's issuer is \"https://lenses.example.com\", as clients are told"},
                {"check": "registration", "result": "ok", "reason": "RegistrationOpen",
                    "message": "clients can register themselves"},
                {
                    "check": "pkce", "result": "ok", "reason": "PkceOffered",
                    "message": "HQ takes PKCE with S256"
                },
                {"check": "introspection", "result": "ok", "reason": "IntrospectionAllowed",
                    "message": "HQ answers this server about tokens"},
                {"check": "token_exchange", "result": "ok", "reason": "PassedOn",
                    "message": "callers' tokens are passed on to HQ, which issued them"},
            ],
        })
    );
    // The token that was asked about is nobody's.
    let (form, _) = hq.last_introspection();
    assert!(form["token"].starts_with("diagnostics-"), "{form:?}");
}

#[tokio::test]
async fn a_closed_registration_is_no_fault_where_clients_are_known_otherwise() {
    let closed = json!({"registration_endpoint": null});
    let documents =
        json!({"registration_endpoint": null, "client_id_metadata_document_supported": true});
    let refused =
        json!({"registration_endpoint": null, "client_id_metadata_document_supported": false});
    for (members, setting, result, reason) in [
        (&documents, "dynamic", "ok", "RegistrationOpen"),
        (&documents, "manual", "ok", "RegistrationOpen"),
        (&closed, "manual", "ok", "RegistrationManual"),
        (&refused, "manual", "ok", "RegistrationManual"),
        (&closed, "dynamic", "failed", "RegistrationClosed"),
        (&refused, "dynamic", "failed", "RegistrationClosed"),
    ] {
        let hq = Hq::start().await;
        hq.publish(members.clone());
        let server = Server::with_oauth(&hq, &[("MCP_CLIENT_REGISTRATION", setting)]);
        let report = report(&server).await;
        let found = check(&report, "registration");
        assert_eq!((&found["result"], &found["reason"]), (&json!(result), &json!(reason)));
        assert_eq!(report["healthy"], result == "ok", "{report}");
    }
}

#[tokio::test]
async fn an_unreachable_hq_is_reported_and_dependent_checks_are_skipped() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::new(&[
        ("OAUTH_ENABLED", "true"),
        ("LENSES_URL", &format!("http://{free}")),
        ("MCP_ADVERTISED_URL", "https://mcp.example.com"),
    ]);
    let report = report(&server).await;
    let results: Vec<_> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| {
            (check["check"].as_str().unwrap(), check["result"].as_str().unwrap(), &check["reason"])
        })
        .collect();
    let unreachable = &json!("Unreachable");
    assert_eq!(
        results[..2],
        [("lenses", "failed", unreachable), ("metadata", "failed", unreachable)]
    );
    assert!(results[2..5].iter().all(|(_, result, _)| *result == "skipped"), "{results:?}");
    assert_eq!(results[5], ("introspection", "failed", unreachable));
    assert_eq!(report["healthy"], false);
    let message = check(&report, "lenses")["message"].as_str().unwrap().to_owned();
    assert!(message.contains("refused"), "{message}");
}

#[tokio::test]
async fn with_a_client_token_exchange_is_reported_as_it_is_done() {
    let hq = Hq::start().await;
    hq.offer_exchange();
    for (setting, reason) in [("auto", "Exchanged"), ("required", "Exchanged"), ("off", "PassedOn")]
    {
        let server =
            Server::with_oauth(&hq, &[CLIENT[0], CLIENT[1], ("MCP_TOKEN_EXCHANGE", setting)]);
        let report = report(&server).await;
        assert_eq!(check(&report, "token_exchange")["reason"], reason, "{setting}");
    }
}

#[tokio::test]
async fn many_who_ask_make_one_run() {
    let hq = Hq::start().await;
    let server = Server::with_oauth(&hq, &[]);
    hq.hold_introspection(true);
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { server.admin("/diagnostics").await })
        })
        .collect();
    while hq.introspections() == 0 {
        tokio::task::yield_now().await;
    }
    hq.hold_introspection(false);
    let mut answers = Vec::new();
    for answer in asking {
        answers.push(answer.await.unwrap().body);
    }
    answers.push(server.admin("/diagnostics").await.body);
    answers.dedup();
    assert_eq!((answers.len(), hq.introspections(), hq.metadata_paths().len()), (1, 1, 1));
}

fn api_key_server(hq: &Hq) -> Server {
    Server::new(&[
        ("LENSES_URL", &hq.url),
        ("LENSES_API_KEY", "hunter7-api-key"),
        ("TRANSPORT", "http"),
        ("MCP_CALLER_TOKEN", "hunter8-caller-token"),
    ])
}

#[tokio::test]
async fn with_an_api_key_it_is_tried() {
    let hq = Hq::start().await;
    let good = report(&api_key_server(&hq)).await;
    assert_eq!(check(&good, "api_key")["reason"], "KeyAccepted");
    assert_eq!((&good["healthy"], good["checks"].as_array().unwrap().len()), (&json!(true), 2));
    assert_eq!(hq.called_with(), ["Bearer hunter7-api-key"]);
    hq.refuse_api_calls(true);
    let refused = report(&api_key_server(&hq)).await;
    let found = check(&refused, "api_key");
    assert_eq!((&found["result"], &found["reason"]), (&json!("failed"), &json!("KeyRefused")));
    assert!(found["remedy"].as_str().unwrap().contains("LENSES_API_KEY"), "{found}");
}

#[tokio::test]
async fn a_report_holds_no_secret_and_no_credential_is_needed_for_it() {
    let hq = Hq::start().await;
    let mut answers: Vec<Answer> = Vec::new();
    for refuse in [false, true] {
        hq.refuse_api_calls(refuse);
        answers.push(api_key_server(&hq).admin("/diagnostics").await);
        if refuse {
            hq.introspection(Introspection::Says(StatusCode::UNAUTHORIZED, "hunter9".into()));
            hq.answer_metadata(Some((StatusCode::OK, "hunter10".into())));
        }
        answers.push(Server::with_oauth(&hq, &CLIENT).admin("/diagnostics").await);
    }
    for answer in answers {
        assert!(
            !answer.body.contains("hunter") && !answer.body.contains("diagnostics-"),
            "{answer:?}"
        );
    }
}
