//! Each setting of HQ's that can be wrong.

use http::StatusCode;
use serde_json::{Value, json};

use super::{check, report};
use crate::{
    client::Server,
    hq::{CLIENT, Hq, Introspection},
};

/// Something wrong, and how it shows.
struct Wrong {
    breaks: Box<dyn Fn(&Hq)>,
    settings: Vec<(&'static str, &'static str)>,
    check: &'static str,
    result: &'static str,
    reason: &'static str,
    remedy: &'static str,
}

fn wrong(
    check: &'static str,
    reason: &'static str,
    remedy: &'static str,
    breaks: impl Fn(&Hq) + 'static,
) -> Wrong {
    Wrong {
        breaks: Box::new(breaks),
        settings: Vec::new(),
        check,
        result: "failed",
        reason,
        remedy,
    }
}

fn introspection_says(status: StatusCode, body: &'static str) -> impl Fn(&Hq) {
    move |hq| hq.introspection(Introspection::Says(status, body.into()))
}

fn metadata_says(status: StatusCode, body: &'static str) -> impl Fn(&Hq) {
    move |hq| hq.answer_metadata(Some((status, body.into())))
}

fn publishes(members: Value) -> impl Fn(&Hq) {
    move |hq| hq.publish(members.clone())
}

fn all_that_can_be_wrong() -> Vec<Wrong> {
    let elsewhere = json!({
        "token_endpoint": "https://evil.example/t",
        "grant_types_supported": ["urn:ietf:params:oauth:grant-type:token-exchange"],
    });
    let open = "auth.oauth2.authorizationServer.unauthenticatedIntrospection: true";
    vec![
        wrong(
            "metadata",
            "MetadataMissing",
            "auth.oauth2.authorizationServer.enabled: true",
            |hq| {
                hq.answer_metadata(None);
            },
        ),
        wrong(
            "metadata",
            "MetadataUnreadable",
            "LENSES_URL",
            metadata_says(StatusCode::OK, "<html>log in</html>"),
        ),
        wrong("metadata", "ServerError", "HQ's log", metadata_says(StatusCode::BAD_GATEWAY, "")),
        wrong(
            "issuer",
            "IssuerMismatch",
            "issuerURL",
            publishes(json!({"issuer": "https://lenses.example.com/"})),
        ),
        wrong(
            "registration",
            "RegistrationClosed",
            "auth.oauth2.authorizationServer.dcr: true",
            publishes(json!({"registration_endpoint": null})),
        ),
        wrong(
            "pkce",
            "PkceMissing",
            "requirePKCE",
            publishes(json!({"code_challenge_methods_supported": ["plain"]})),
        ),
        wrong(
            "introspection",
            "IntrospectionRefused",
            open,
            introspection_says(StatusCode::UNAUTHORIZED, ""),
        ),
        Wrong {
            settings: CLIENT.to_vec(),
            ..wrong(
                "introspection",
                "IntrospectionRefused",
                "correct INTROSPECTION_CLIENT_ID",
                introspection_says(StatusCode::FORBIDDEN, ""),
            )
        },
        wrong(
            "introspection",
            "IntrospectionUnreadable",
            "INTROSPECTION_URL",
            introspection_says(StatusCode::NOT_FOUND, ""),
        ),
        wrong(
            "introspection",
            "IntrospectionUnreadable",
            "INTROSPECTION_URL",
            introspection_says(StatusCode::OK, "<html>"),
        ),
        wrong(
            "introspection",
            "IntrospectionUntrue",
            "INTROSPECTION_URL",
            introspection_says(StatusCode::OK, r#"{"active":true}"#),
        ),
        Wrong {
            result: "warning",
            ..wrong("token_exchange", "NotExchanged", "INTROSPECTION_CLIENT_ID", Hq::offer_exchange)
        },
        Wrong {
            settings: [&CLIENT[..], &[("MCP_TOKEN_EXCHANGE", "required")]].concat(),
            ..wrong("token_exchange", "NotOffered", "MCP_TOKEN_EXCHANGE=auto", |_| ())
        },
        Wrong {
            settings: CLIENT.to_vec(),
            ..wrong("token_exchange", "ForeignEndpoint", "issuerURL", publishes(elsewhere))
        },
    ]
}

#[tokio::test]
async fn each_wrong_hq_setting_is_found_and_named() {
    for Wrong { breaks, settings, check: name, result, reason, remedy } in all_that_can_be_wrong() {
        let hq = Hq::start().await;
        breaks(&hq);
        let report = report(&Server::with_oauth(&hq, &settings)).await;
        let found = check(&report, name);
        assert_eq!(
            (&found["result"], &found["reason"]),
            (&json!(result), &json!(reason)),
            "{report}"
        );
        assert!(found["remedy"].as_str().unwrap().contains(remedy), "{reason}: {found}");
        assert_eq!(report["healthy"], result != "failed", "{reason}");
        for other in
            report["checks"].as_array().unwrap().iter().filter(|check| check["check"] != name)
        {
            let expected: &[&str] = if name == "metadata" { &["ok", "skipped"] } else { &["ok"] };
            assert!(
                expected.contains(&other["result"].as_str().unwrap()),
                "{reason} also shows as {other}"
            );
            assert_eq!(other["remedy"], Value::Null);
        }
    }
}
