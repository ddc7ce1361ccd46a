//! Step 6: what the status is to say. Pure.

mod conditions;
mod missing_key;
pub(super) mod rollout;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use lenses_mcp_crds::{
    LensesMcpServer, LensesMcpServerStatus, ListedTools,
    conditions::{ConditionType, Reason},
};

use super::{
    apply::{Applied, ApplyError},
    observed::Dereferenced,
    validate::{Callers, Rejections, SignIn, ValidServer},
};
use crate::{names, probe::Known, watching::deployment};
use conditions::{
    Verdict, accepted, available, awaited, conditions, dated, verified, whole_seconds,
};
use rollout::Before;

/// The status after a reconcile: from the spec's verdict, from what was applied, from what is known
/// of HQ and of the endpoint, and from what was said before.
pub(super) fn status(
    server: &LensesMcpServer,
    valid: Result<&ValidServer, &Rejections>,
    applied: Result<&Applied, &ApplyError>,
    found: &Dereferenced,
    known: Known,
    now: Timestamp,
) -> LensesMcpServerStatus {
    let before = server.status.clone().unwrap_or_default();
    let deployment = applied
        .map_or_else(|_| found.children.deployment.own(), |applied| applied.deployment.as_ref())
        .map(|d| &**d);
    let paused = server.spec.paused;
    let accepted = accepted(valid);
    let was_ready = before.conditions.iter().any(|condition| {
        condition.type_ == ConditionType::Ready.as_str() && condition.status == "True"
    });
    let budget = &server.spec.disruption_budget;
    let last = Before { ready: before.ready_replicas, budget };
    let mut pods = found.pods.clone();
    if let (Some(warning), Some(deployment)) = (&mut pods.warning, deployment) {
        *warning = missing_key::named(warning, deployment, server);
    }
    let rollout = rollout::rollout(deployment, &pods, was_ready.then_some(&last));
    let available = available(&rollout, &accepted, paused);
    let serving = match valid {
        Ok(_) if paused => {
            "it serves; spec.paused is true, so changes of the spec are not applied".to_owned()
        }
        Ok(valid) => {
            let waits = applied.is_ok_and(|applied| applied.waits);
            let waits = if waits { ", and waits for its turn to be upgraded" } else { "" };
            format!("it serves at {}/mcp{waits}", valid.endpoint.advertised_url)
        }
        Err(_) => String::new(),
    };
    let Known { lenses, version, endpoint, tools, at } = known;
    let verified = verified(lenses, endpoint);
    let conditions =
        conditions(accepted, available, verified, applied.err(), awaited(valid).as_ref(), serving);
    let observed_generation = server.metadata.generation;
    let pods = deployment.and_then(|deployment| deployment.status.as_ref());
    let derived = match valid {
        Ok(valid) => LensesMcpServerStatus {
            url: Some(format!("{}/mcp", valid.endpoint.advertised_url)),
            lenses_url: Some(valid.lenses.url.clone()),
            authorization_server: match &valid.sign_in {
                SignIn::OAuth { issuer, .. } => Some(issuer.clone()),
                SignIn::ApiKey { .. } => None,
            },
            auth_mode: Some(auth_mode(&valid.sign_in).to_owned()),
            derived: valid.derived.clone(),
            ..LensesMcpServerStatus::default()
        },
        // What the last spec that was accepted led to still stands.
        Err(_) => before.clone(),
    };
    let selector = names::selector(server.metadata.name.as_deref().unwrap_or_default());
    let status = LensesMcpServerStatus {
        observed_generation,
        replicas: pods.and_then(|pods| pods.replicas).unwrap_or_default(),
        ready_replicas: pods.and_then(|pods| pods.ready_replicas).unwrap_or_default(),
        selector: Some(
            selector
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
                .join(","),
        ),
        image: deployment.and_then(deployment::image),
        image_digest: deployment
            .and_then(|deployment| rollout::image_digest(deployment, &found.pods)),
        tools: tools.and_then(|tools| {
            Some(ListedTools { count: i32::try_from(tools.count).ok()?, digest: tools.digest })
        }),
        lenses_version: version,
        last_verified: before.last_verified.clone(),
        conditions: dated(conditions, &before.conditions, observed_generation, now),
        ..derived
    };
    // The time alone is no reason to write.
    if status == before {
        return status;
    }
    LensesMcpServerStatus {
        last_verified: at.map(|at| Time(whole_seconds(at))).or(status.last_verified.clone()),
        ..status
    }
}

/// The status of a resource that this operator cannot read.
pub(super) fn unreadable(
    error: &str,
    before: &LensesMcpServerStatus,
    generation: Option<i64>,
    now: Timestamp,
) -> LensesMcpServerStatus {
    let message = format!(
        "this operator cannot read the resource, which another version may have stored: {error}"
    );
    let verdict = |holds| Verdict { holds, reason: Reason::InvalidSpec, message: message.clone() };
    let conditions = vec![
        (ConditionType::Ready, verdict(false)),
        (ConditionType::Accepted, verdict(false)),
        (ConditionType::Stalled, verdict(true)),
    ];
    LensesMcpServerStatus {
        observed_generation: generation,
        conditions: dated(conditions, &before.conditions, generation, now),
        ..before.clone()
    }
}

fn auth_mode(sign_in: &SignIn) -> &'static str {
    match sign_in {
        SignIn::OAuth { .. } => "OAuth",
        SignIn::ApiKey { callers: Callers::Token(_), .. } => "APIKey",
        SignIn::ApiKey { callers: Callers::Anyone, .. } => "APIKey (anyone)",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use k8s_openapi::api::apps::v1::Deployment;
    use serde_json::{Value, json};

    use super::*;
    use crate::controller::{
        fixtures::{api_key_server, defaults, found, oauth_server},
        validate::validate,
    };
    use crate::probe::{Finding, Tools};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn serving() -> Applied {
        let deployment: Deployment = serde_json::from_value(json!({
            "metadata": { "name": "team-mcp", "generation": 1 },
            "spec": {
                "replicas": 3, "selector": {},
                "template": {
                    "spec": { "containers": [{ "name": "lenses-mcp-server", "image": "i:1" }] }
                }
            },
            "status": {
                "observedGeneration": 1, "replicas": 3, "updatedReplicas": 3,
                "availableReplicas": 3, "readyReplicas": 3
            },
        }))
        .unwrap();
        Applied { deployment: Some(Arc::new(deployment)), waits: false }
    }

    fn well() -> Known {
        let finding =
            |reason: Reason| Some(Finding { holds: true, reason, message: reason.to_string() });
        Known {
            lenses: finding(Reason::LensesReachable),
            version: Some("6.3.0".to_owned()),
            endpoint: finding(Reason::Verified),
            tools: Some(Tools { count: 45, digest: "sha256:d".into() }),
            at: Some(at(-5)),
        }
    }

    fn of(server: &LensesMcpServer, applied: &Applied, now: Timestamp) -> LensesMcpServerStatus {
        let found = found();
        let valid = validate(server, &found, &defaults());
        status(server, valid.as_ref(), Ok(applied), &found, well(), now)
    }

    /// Type, status and reason of each condition.
    fn said(status: &LensesMcpServerStatus) -> Vec<(&str, &str, &str)> {
        status.conditions.iter().map(|c| (&c.type_[..], &c.status[..], &c.reason[..])).collect()
    }

    #[test]
    fn the_whole_status_of_a_server_that_serves() {
        let status = of(&oauth_server(), &serving(), at(0));
        let condition = |kind: &str, message: &str| {
            json!({
                "type": kind,
                "status": "True",
                "reason": kind,
                "message": message,
                "observedGeneration": 7,
                "lastTransitionTime": "2023-11-14T22:13:20Z",
            })
        };
        let mut status = serde_json::to_value(status).unwrap();
        assert_eq!(status["derived"].as_array().map(Vec::len), Some(3));
        status["derived"] = Value::Null;
        let wanted = json!({
            "observedGeneration": 7,
            "url": "https://mcp.example.com/mcp",
            "lensesUrl": "http://hq-service.lenses.svc:9991",
            "lensesVersion": "6.3.0",
            "authorizationServer": "https://hq.example.com",
            "derived": null,
            "authMode": "OAuth",
            "replicas": 3,
            "readyReplicas": 3,
            "selector":
                "app.kubernetes.io/instance=team-mcp,app.kubernetes.io/name=lenses-mcp-server",
            "image": "i:1",
            "tools": { "count": 45, "digest": "sha256:d" },
            "lastVerified": "2023-11-14T22:13:15Z",
            "conditions": [
                condition("Ready", "it serves at https://mcp.example.com/mcp"),
                condition("Accepted", "the spec is valid and what it refers to exists"),
                condition("Available", "all pods serve what the spec asks for"),
                condition("LensesReachable", "LensesReachable"),
                condition("Verified", "Verified"),
            ],
        });
        assert_eq!(status, wanted);
    }

    #[test]
    fn a_second_pass_says_the_same_to_the_letter() {
        let mut server = oauth_server();
        let first = of(&server, &serving(), at(0));
        server.status =
            Some(serde_json::from_value(serde_json::to_value(&first).unwrap()).unwrap());
        assert_eq!(of(&server, &serving(), at(99)), first);
    }

    #[test]
    fn an_unchanged_observation_changes_nothing_and_a_changed_one_is_dated() {
        let mut server = oauth_server();
        let first = of(&server, &serving(), at(0));
        server.status = Some(first.clone());
        let found = found();
        let valid = validate(&server, &found, &defaults());
        let later = |known| status(&server, valid.as_ref(), Ok(&serving()), &found, known, at(600));
        assert_eq!(later(Known { at: Some(at(590)), ..well() }), first);
        let tools = Some(Tools { count: 44, digest: "sha256:e".into() });
        let fewer = later(Known { at: Some(at(590)), tools, ..well() });
        assert_eq!(fewer.tools.map(|tools| tools.count), Some(44));
        assert_eq!(fewer.last_verified, Some(Time(at(590))));
        assert_eq!(fewer.conditions, first.conditions);
    }

    #[test]
    fn what_was_found_holds_ready_back_and_counts_as_under_way() {
        let found = found();
        let server = oauth_server();
        let valid = validate(&server, &found, &defaults());
        let of = |known| {
            let status = status(&server, valid.as_ref(), Ok(&serving()), &found, known, at(0));
            said(&status)
                .into_iter()
                .map(|(kind, status, reason)| format!("{kind} {status} {reason}"))
                .collect::<Vec<_>>()
        };
        let bad = |reason| Some(Finding { holds: false, reason, message: "m".into() });
        let other = ["Accepted True Accepted", "Available True Available"];
        for (known, ready, found) in [
            (
                Known {
                    lenses: bad(Reason::PkceMissing),
                    endpoint: bad(Reason::TooOpen),
                    ..well()
                },
                "False PkceMissing",
                vec!["LensesReachable False PkceMissing", "Verified False TooOpen"],
            ),
            (
                Known { endpoint: bad(Reason::TooOpen), ..well() },
                "False TooOpen",
                vec!["LensesReachable True LensesReachable", "Verified False TooOpen"],
            ),
            (
                Known { endpoint: bad(Reason::Verifying), ..well() },
                "Unknown Verifying",
                vec!["LensesReachable True LensesReachable", "Verified Unknown Verifying"],
            ),
        ] {
            let reason = ready.split(' ').next_back().unwrap();
            let mut wanted = vec![format!("Ready {ready}")];
            wanted.extend(other.iter().chain(&found).map(|line| (*line).to_owned()));
            wanted.push(format!("Reconciling True {reason}"));
            assert_eq!(of(known), wanted);
        }
        let stopped = of(Known { endpoint: None, ..well() });
        assert_eq!(stopped.len(), 4, "a condition that does not apply is there: {stopped:?}");
    }

    #[test]
    fn a_transition_is_dated_by_a_new_status_not_a_new_reason() {
        let mut server = oauth_server();
        server.status = Some(of(&server, &Applied { deployment: None, waits: false }, at(0)));
        let time = |status: &LensesMcpServerStatus, kind: &str| {
            status.conditions.iter().find(|c| c.type_ == kind).map(|c| c.last_transition_time.0)
        };
        server.spec.paused = true;
        let paused = of(&server, &Applied { deployment: None, waits: false }, at(10));
        assert_eq!(time(&paused, "Available"), Some(at(0)));
        let serving = of(&server, &serving(), at(20));
        assert_eq!(
            (time(&serving, "Available"), time(&serving, "Accepted")),
            (Some(at(20)), Some(at(0)))
        );
    }

    #[test]
    fn reconciling_and_stalled_are_there_only_while_true() {
        let absent = Applied { deployment: None, waits: false };
        assert_eq!(
            said(&of(&oauth_server(), &absent, at(0))),
            [
                ("Ready", "False", "RolloutInProgress"),
                ("Accepted", "True", "Accepted"),
                ("Available", "False", "RolloutInProgress"),
                ("LensesReachable", "True", "LensesReachable"),
                ("Verified", "True", "Verified"),
                ("Reconciling", "True", "RolloutInProgress"),
            ]
        );
        let mut found = found();
        found.secrets.insert("hq-client".into(), None);
        let server = oauth_server();
        let valid = validate(&server, &found, &defaults());
        assert_eq!(
            said(&status(&server, valid.as_ref(), Ok(&serving()), &found, well(), at(0))),
            [
                ("Ready", "False", "ReferenceNotFound"),
                ("Accepted", "False", "ReferenceNotFound"),
                ("Available", "True", "Available"),
                ("LensesReachable", "True", "LensesReachable"),
                ("Verified", "True", "Verified"),
                ("Reconciling", "True", "ReferenceNotFound"),
            ]
        );
        let error = ApplyError::Apply {
            kind: "Service".into(),
            name: "team-mcp".into(),
            source: kube::Error::TlsRequired,
        };
        let valid = validate(&server, &super::super::fixtures::found(), &defaults());
        assert_eq!(
            said(&status(&server, valid.as_ref(), Err(&error), &found, well(), at(0)))[0],
            ("Ready", "False", "ApplyFailed")
        );
    }

    #[test]
    fn a_refusal_of_the_api_server_stalls_and_a_temporary_error_not() {
        let server = oauth_server();
        let found = found();
        let valid = validate(&server, &found, &defaults());
        let refused =
            "Deployment.apps \"team-mcp\" is invalid: spec.template.spec.x: Invalid value";
        for (code, progress) in
            [(422, "Stalled"), (400, "Stalled"), (409, "Reconciling"), (500, "Reconciling")]
        {
            let answer = kube::core::Status::failure(refused, "").with_code(code).boxed();
            let error = ApplyError::Apply {
                kind: "Deployment".into(),
                name: "team-mcp".into(),
                source: kube::Error::Api(answer),
            };
            let status = status(&server, valid.as_ref(), Err(&error), &found, well(), at(0));
            let ready = &status.conditions[0];
            assert_eq!(ready.message, format!("failed to apply Deployment team-mcp: {refused}"));
            let last = said(&status).pop().unwrap();
            assert_eq!(last, (progress, "True", "ApplyFailed"), "{code}");
        }
    }

    #[test]
    fn an_invalid_spec_is_stalled_and_keeps_the_last_good_specs_conditions() {
        let mut server = oauth_server();
        server.status = Some(of(&server, &serving(), at(0)));
        server.spec.auth = lenses_mcp_crds::Auth::default();
        let status = of(&server, &serving(), at(1));
        assert_eq!(said(&status)[0], ("Ready", "False", "InvalidSpec"));
        assert_eq!(said(&status).last(), Some(&("Stalled", "True", "InvalidSpec")));
        assert_eq!(status.url.as_deref(), Some("https://mcp.example.com/mcp"));
    }

    #[test]
    fn a_missing_api_is_told_while_all_else_is_made_and_judged() {
        let mut server = oauth_server();
        let route = json!({ "parentRefs": [{ "name": "gw" }], "hostnames": ["mcp.example.com"] });
        server.spec.endpoint.http_route = Some(serde_json::from_value(route).unwrap());
        let mut found = found();
        found.children.http_route = super::super::observed::Ownership::NoApi;
        let valid = validate(&server, &found, &defaults());
        let status = status(&server, valid.as_ref(), Ok(&serving()), &found, well(), at(0));
        assert_eq!(
            said(&status),
            [
                ("Ready", "False", "MissingApi"),
                ("Accepted", "False", "MissingApi"),
                ("Available", "True", "Available"),
                ("LensesReachable", "True", "LensesReachable"),
                ("Verified", "True", "Verified"),
                ("Reconciling", "True", "MissingApi"),
            ]
        );
        let message = &status.conditions[1].message;
        assert!(
            message.contains("spec.endpoint.httpRoute: this cluster has no HTTPRoute"),
            "{message}"
        );
        assert!(message.contains("install the Gateway API's CRDs"), "{message}");
        assert!(
            crate::controller::build::build(valid.as_ref().unwrap_or_else(|_| panic!("not valid")))
                .deployment
                .is_some()
        );
    }

    #[test]
    fn a_load_balancer_without_an_address_is_what_is_waited_for() {
        let mut server = oauth_server();
        server.spec.endpoint.url = None;
        server.spec.endpoint.tls =
            Some(serde_json::from_value(json!({ "secretName": "certificate" })).unwrap());
        server.spec.endpoint.service.type_ = lenses_mcp_crds::ServiceType::LoadBalancer;
        let status = of(&server, &serving(), at(0));
        assert_eq!(
            said(&status),
            [
                ("Ready", "False", "AddressPending"),
                ("Accepted", "True", "Accepted"),
                ("Available", "True", "Available"),
                ("LensesReachable", "True", "LensesReachable"),
                ("Verified", "True", "Verified"),
                ("Reconciling", "True", "AddressPending"),
            ]
        );
    }

    #[test]
    fn an_open_port_is_a_warning_in_the_mode_and_in_accepted() {
        let mut server = api_key_server();
        assert_eq!(of(&server, &serving(), at(0)).auth_mode.as_deref(), Some("APIKey"));
        server.spec.auth.api_key.as_mut().unwrap().callers =
            lenses_mcp_crds::Callers { token_secret_ref: None, anyone: true };
        let status = of(&server, &serving(), at(0));
        assert_eq!(status.auth_mode.as_deref(), Some("APIKey (anyone)"));
        assert_eq!(said(&status)[1], ("Accepted", "True", "AnyoneMayCall"));
        assert_eq!(status.authorization_server, None);
    }

    #[test]
    fn a_paused_resource_says_so() {
        let mut server = oauth_server();
        server.spec.paused = true;
        assert_eq!(
            said(&of(&server, &Applied { deployment: None, waits: false }, at(0)))[0],
            ("Ready", "False", "Paused")
        );
        let status = of(&server, &serving(), at(0));
        assert_eq!(said(&status)[0], ("Ready", "True", "Ready"));
        assert!(status.conditions[0].message.contains("spec.paused"));
    }

    #[test]
    fn a_resource_that_cannot_be_read_is_said_to_be_so() {
        let status =
            unreadable("missing field `lenses`", &LensesMcpServerStatus::default(), Some(3), at(0));
        assert_eq!(
            said(&status),
            [
                ("Ready", "False", "InvalidSpec"),
                ("Accepted", "False", "InvalidSpec"),
                ("Stalled", "True", "InvalidSpec")
            ]
        );
        assert!(status.conditions[0].message.contains("missing field `lenses`"));
        assert_eq!(unreadable("missing field `lenses`", &status, Some(3), at(9)), status);
    }
}
