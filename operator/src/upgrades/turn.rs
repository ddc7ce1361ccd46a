//! Whether the pods of a server get the rendering of this operator now, and how far that is. Pure.
//!
//! What its author changes is applied at once, and with it all else: this operator cannot render as
//! another one did. The same holds for a Secret that the pods read, or HQ's address.

use k8s_openapi::api::apps::v1::Deployment;
use lenses_mcp_crds::{LensesMcpServer, conditions::ConditionType};

use super::Claim;
use crate::{
    names::{SECRETS_DIGEST, TURN_ENDS},
    watching::deployment::{complete, template_annotation, template_digest},
};

/// What the pods get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// What this operator renders. The condition that ends the turn, if it is one: that in whose
    /// respect the server was well before.
    Now { ends_with: Option<ConditionType> },
    /// What they have.
    Waits,
}

/// Where a server is on the way to another rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its pods have another one.
    Waiting,
    /// It got it in its turn, and is not as well as before yet.
    UnderWay,
    /// Its turn has ended.
    Ended,
    /// It has it, and needed no turn.
    Current,
}

/// What this operator renders.
pub(crate) struct Wanted<'a> {
    pub(crate) deployment: &'a Deployment,
    /// The MCP URL that clients are given.
    pub(crate) url: &'a str,
    /// HQ, as the pods reach it.
    pub(crate) lenses_url: &'a str,
}

/// Decides what the pods get. `runs` is the Deployment; `asked`, what was last asked for in it.
pub(crate) fn turn(
    wanted: &Wanted<'_>,
    server: &LensesMcpServer,
    runs: Option<&Deployment>,
    asked: Option<&Deployment>,
    claim: Claim,
) -> Turn {
    let Some(runs) = runs else { return Turn::Now { ends_with: None } };
    let asked = asked.unwrap_or(runs);
    if template_digest(asked) == template_digest(wanted.deployment) {
        return Turn::Now { ends_with: ends_with(runs) };
    }
    match claim {
        Claim::Early => Turn::Now { ends_with: None },
        _ if is_changed(wanted, server, asked) => Turn::Now { ends_with: None },
        Claim::Admitted => Turn::Now { ends_with: was_well(server) },
        Claim::None => Turn::Waits,
    }
}

/// Where the server is; `now` is the Deployment after it was applied.
pub(crate) fn phase(
    wanted: &Deployment,
    now: &Deployment,
    asked: Option<&Deployment>,
    is_verified: bool,
) -> Phase {
    if template_digest(asked.unwrap_or(now)) != template_digest(wanted) {
        return Phase::Waiting;
    }
    match ends_with(now) {
        None => Phase::Current,
        Some(condition)
            if complete(now).is_some() && (condition != ConditionType::Verified || is_verified) =>
        {
            Phase::Ended
        }
        Some(_) => Phase::UnderWay,
    }
}

/// Whether the author has changed the spec since the last status.
pub(crate) fn has_new_spec(server: &LensesMcpServer) -> bool {
    let reported = server.status.as_ref().and_then(|status| status.observed_generation);
    reported != server.metadata.generation
}

/// Whether something besides the rendering is another: the content of what the spec names, or an
/// address that follows from other objects.
fn is_changed(wanted: &Wanted<'_>, server: &LensesMcpServer, asked: &Deployment) -> bool {
    let status = server.status.as_ref();
    let is_other =
        |reported: Option<&String>, now| reported.is_some_and(|reported| reported != now);
    is_other(status.and_then(|status| status.url.as_ref()), wanted.url)
        || is_other(status.and_then(|status| status.lenses_url.as_ref()), wanted.lenses_url)
        || template_annotation(asked, SECRETS_DIGEST)
            != template_annotation(wanted.deployment, SECRETS_DIGEST)
}

/// The most that can be asked of the server after its turn. One that was broken before says nothing
/// about the new rendering.
fn was_well(server: &LensesMcpServer) -> Option<ConditionType> {
    let conditions = server.status.as_ref().map(|status| status.conditions.as_slice());
    let holds = |condition: &ConditionType| {
        let said = conditions.unwrap_or_default().iter();
        said.filter(|said| said.type_ == condition.as_str()).any(|said| said.status == "True")
    };
    [ConditionType::Verified, ConditionType::Available].into_iter().find(holds)
}

fn ends_with(deployment: &Deployment) -> Option<ConditionType> {
    let noted = deployment.metadata.annotations.as_ref()?.get(TURN_ENDS)?;
    let known = [ConditionType::Verified, ConditionType::Available];
    known.into_iter().find(|condition| condition.as_str() == noted)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        controller::fixtures::oauth_server,
        names::{LAST_APPLIED, TEMPLATE},
        watching::deployment::last_applied,
    };

    const URL: &str = "https://mcp.example.com/mcp";
    const LENSES_URL: &str = "http://hq:9991";
    const NONE: Turn = Turn::Now { ends_with: None };

    /// A Deployment that was asked for with this template, and in which this image is stored.
    fn deployment(template: &str, secrets: &str, image: &str) -> Deployment {
        let of = |image: &str| {
            let annotations = json!({ TEMPLATE: template, SECRETS_DIGEST: secrets });
            json!({
                "metadata": { "generation": 1 },
                "spec": { "replicas": 1, "selector": {}, "template": {
                    "metadata": { "annotations": annotations },
                    "spec": { "containers": [{ "name": "lenses-mcp-server", "image": image }] },
                } },
                "status": {
                    "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1,
                    "availableReplicas": 1,
                },
            })
        };
        let mut stored = of(image);
        stored["metadata"]["annotations"] = json!({ LAST_APPLIED: of("asked:1").to_string() });
        serde_json::from_value(stored).unwrap()
    }

    fn in_turn(mut deployment: Deployment, ends_with: &str) -> Deployment {
        let annotations = deployment.metadata.annotations.get_or_insert_default();
        annotations.insert(TURN_ENDS.to_owned(), ends_with.to_owned());
        deployment
    }

    /// A server whose last status said this.
    fn server(
        generation: i64,
        url: &str,
        lenses_url: &str,
        conditions: &[&str],
    ) -> LensesMcpServer {
        let mut server = oauth_server();
        let condition = |kind: &&str| {
            json!({
                "type": kind, "status": "True", "reason": "R", "message": "",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            })
        };
        let conditions: Vec<Value> = conditions.iter().map(condition).collect();
        server.status = Some(
            serde_json::from_value(json!({
                "observedGeneration": generation,
                "url": url,
                "lensesUrl": lenses_url,
                "conditions": conditions,
            }))
            .unwrap(),
        );
        server
    }

    fn decided(server: &LensesMcpServer, runs: Option<&Deployment>, claim: Claim) -> Turn {
        let deployment = deployment("new", "s", "asked:2");
        let wanted = Wanted { deployment: &deployment, url: URL, lenses_url: LENSES_URL };
        let asked = runs.and_then(last_applied);
        turn(&wanted, server, runs, asked.as_ref(), claim)
    }

    #[test]
    fn another_rendering_waits_for_its_turn_and_the_same_one_does_not() {
        let server = server(7, URL, LENSES_URL, &["Available", "Verified"]);
        let (old, new) = (deployment("old", "s", "asked:1"), deployment("new", "s", "asked:2"));
        assert_eq!(decided(&server, None, Claim::None), NONE);
        assert_eq!(decided(&server, Some(&old), Claim::None), Turn::Waits);
        assert_eq!(decided(&server, Some(&new), Claim::None), NONE);
        assert_eq!(
            decided(&server, Some(&old), Claim::Admitted),
            Turn::Now { ends_with: Some(ConditionType::Verified) }
        );
    }

    #[test]
    fn what_admission_stores_is_neither_asked_for_nor_compared() {
        let server = server(7, URL, LENSES_URL, &[]);
        let rewritten = deployment("new", "s", "mirror.example/asked:2");
        assert_eq!(decided(&server, Some(&rewritten), Claim::None), NONE);
        let asked = last_applied(&rewritten).unwrap();
        assert_eq!(crate::watching::deployment::image(&asked).as_deref(), Some("asked:1"));
        // As it is asked for again, with the note of what was asked for.
        assert_eq!(
            asked.metadata.annotations.unwrap()[LAST_APPLIED],
            rewritten.metadata.annotations.unwrap()[LAST_APPLIED]
        );
    }

    #[test]
    fn what_others_than_the_operator_change_does_not_wait() {
        let old = deployment("old", "s", "asked:1");
        let of = |server: &LensesMcpServer| decided(server, Some(&old), Claim::None);
        assert_eq!(of(&server(7, URL, LENSES_URL, &[])), Turn::Waits);
        assert_eq!(of(&server(7, "https://other/mcp", LENSES_URL, &[])), NONE);
        assert_eq!(of(&server(7, URL, "http://hq:1", &[])), NONE);
        let unchanged = server(7, URL, LENSES_URL, &[]);
        let rotated = deployment("old", "other", "asked:1");
        assert_eq!(decided(&unchanged, Some(&rotated), Claim::None), NONE);
        assert_eq!(decided(&unchanged, Some(&old), Claim::Early), NONE);
    }

    #[test]
    fn a_spec_is_new_until_a_status_reports_its_generation() {
        for (reported, is_new) in [(6, true), (7, false)] {
            assert_eq!(has_new_spec(&server(reported, URL, LENSES_URL, &[])), is_new);
        }
        assert!(has_new_spec(&oauth_server()), "there was no status yet");
    }

    #[test]
    fn a_turn_asks_for_no_more_than_held_before() {
        let old = deployment("old", "s", "asked:1");
        for (held, ends_with) in [
            (&["Available", "Verified"][..], Some(ConditionType::Verified)),
            (&["Available"], Some(ConditionType::Available)),
            (&[], None),
        ] {
            let server = server(7, URL, LENSES_URL, held);
            let turn = decided(&server, Some(&old), Claim::Admitted);
            assert_eq!(turn, Turn::Now { ends_with }, "{held:?}");
        }
    }

    #[test]
    fn a_turn_ends_when_the_server_serves_and_verifies() {
        let wanted = deployment("new", "s", "asked:2");
        let of = |now: &Deployment, is_verified| {
            phase(&wanted, now, last_applied(now).as_ref(), is_verified)
        };
        let new = deployment("new", "s", "mirror/asked:2");
        let mut starts = in_turn(new.clone(), "Verified");
        starts.status.as_mut().unwrap().available_replicas = Some(0);
        assert_eq!(of(&deployment("old", "s", "asked:1"), true), Phase::Waiting);
        assert_eq!(of(&starts, true), Phase::UnderWay);
        assert_eq!(of(&in_turn(new.clone(), "Verified"), false), Phase::UnderWay);
        assert_eq!(of(&in_turn(new.clone(), "Verified"), true), Phase::Ended);
        assert_eq!(of(&in_turn(new.clone(), "Available"), false), Phase::Ended);
        assert_eq!(of(&new, false), Phase::Current);
    }

    #[test]
    fn a_deployment_without_a_note_is_compared_as_it_is_stored() {
        let server = server(7, URL, LENSES_URL, &[]);
        let mut stored = deployment("old", "s", "asked:1");
        stored.metadata.annotations = None;
        assert_eq!(decided(&server, Some(&stored), Claim::None), Turn::Waits);
    }
}
