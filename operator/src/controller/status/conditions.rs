//! The conditions: what each says, and since when.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::{RoundMode, Timestamp, TimestampRound, Unit},
};
use lenses_mcp_crds::conditions::{ConditionType, Reason};

use super::rollout::{self, Rollout};
use crate::{
    controller::{
        apply::ApplyError,
        validate::{Callers, Rejections, SignIn, ValidServer},
    },
    probe::Finding,
};

/// What a condition is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) holds: bool,
    pub(super) reason: Reason,
    pub(super) message: String,
}

/// What `Available` says, and whether the deadline for it to come true has passed.
pub(super) struct Availability {
    pub(super) verdict: Verdict,
    pub(super) stalled: bool,
    /// What is under way while enough pods serve.
    pub(super) moving: Option<String>,
}

pub(super) fn accepted(valid: Result<&ValidServer, &Rejections>) -> Verdict {
    match valid {
        Ok(ValidServer { missing_apis, .. }) if !missing_apis.is_empty() => Verdict {
            holds: false,
            reason: Reason::MissingApi,
            message: missing_apis.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        },
        Ok(ValidServer { sign_in: SignIn::ApiKey { callers: Callers::Anyone, .. }, .. }) => {
            Verdict {
                holds: true,
                reason: Reason::AnyoneMayCall,
                message:
                    "warning: anyone who can reach the port acts as the Lenses service account; \
                     set spec.auth.apiKey.callers.tokenSecretRef to ask callers for a token"
                        .to_owned(),
            }
        }
        Ok(_) => Verdict {
            holds: true,
            reason: Reason::Accepted,
            message: "the spec is valid and what it refers to exists".to_owned(),
        },
        Err(rejections) => {
            Verdict { holds: false, reason: rejections.reason(), message: rejections.message() }
        }
    }
}

pub(super) fn available(rollout: &Rollout, accepted: &Verdict, paused: bool) -> Availability {
    let verdict =
        |holds, reason, message: &str| Verdict { holds, reason, message: message.to_owned() };
    let stalled = matches!(rollout, Rollout::Failing { stalled: true, .. });
    let verdict = match rollout {
        Rollout::Absent if paused => verdict(
            false,
            Reason::Paused,
            "spec.paused is true, so nothing is made: set it to false",
        ),
        Rollout::Absent if !accepted.holds && accepted.reason != Reason::MissingApi => {
            verdict(false, accepted.reason, "there is no Deployment before the spec is accepted")
        }
        Rollout::Absent => verdict(false, Reason::RolloutInProgress, rollout::WAITING),
        Rollout::InProgress(message) => verdict(false, Reason::RolloutInProgress, message),
        Rollout::Failing { reason, message, .. } => verdict(false, *reason, message),
        Rollout::Enough(_) => verdict(
            true,
            Reason::Available,
            "enough pods serve what the spec asks for; see Reconciling",
        ),
        Rollout::Complete { pods: 0 } => {
            verdict(true, Reason::Available, "spec.replicas is 0: nothing serves, as asked")
        }
        Rollout::Complete { .. } => {
            verdict(true, Reason::Available, "all pods serve what the spec asks for")
        }
    };
    let moving = match rollout {
        Rollout::Enough(message) => Some(message.clone()),
        _ => None,
    };
    Availability { verdict, stalled, moving }
}

/// What is yet to come from outside before the server is where the spec wants it.
pub(super) fn awaited(valid: Result<&ValidServer, &Rejections>) -> Option<Verdict> {
    let server = valid.ok().filter(|server| server.endpoint.awaits_address)?;
    Some(Verdict {
        holds: false,
        reason: Reason::AddressPending,
        message: format!(
            "waiting for the address of the load balancer of Service {}; until then it serves at \
             {}/mcp, inside the cluster",
            server.name, server.endpoint.advertised_url
        ),
    })
}

/// `LensesReachable` and `Verified`, as far as they apply.
pub(super) fn verified(
    lenses: Option<Finding>,
    endpoint: Option<Finding>,
) -> Vec<(ConditionType, Verdict)> {
    let verdict = |Finding { holds, reason, message }| Verdict { holds, reason, message };
    let lenses = lenses.map(|finding| (ConditionType::LensesReachable, verdict(finding)));
    let endpoint = endpoint.map(|finding| (ConditionType::Verified, verdict(finding)));
    lenses.into_iter().chain(endpoint).collect()
}

/// `Ready` says the first thing that holds the server back. `Reconciling` and `Stalled` are for
/// tools that know kstatus: something that heals by itself is under way, not stalled, so that a
/// Secret that arrives a moment later does not fail a deployment.
pub(super) fn conditions(
    accepted: Verdict,
    available: Availability,
    verified: Vec<(ConditionType, Verdict)>,
    failed: Option<&ApplyError>,
    awaited: Option<&Verdict>,
    serving: String,
) -> Vec<(ConditionType, Verdict)> {
    let Availability { verdict: available, stalled, moving } = available;
    let is_refused = failed.is_some_and(ApplyError::is_refusal);
    let failed = failed.map(|error| Verdict {
        holds: false,
        reason: Reason::ApplyFailed,
        message: error.to_string(),
    });
    let made = [Some(&accepted), failed.as_ref(), Some(&available), awaited].into_iter().flatten();
    let held_back =
        made.chain(verified.iter().map(|(_, verdict)| verdict)).find(|v| !v.holds).cloned();
    let ready =
        held_back.unwrap_or(Verdict { holds: true, reason: Reason::Ready, message: serving });
    let progress = match ready.reason {
        Reason::ReferenceNotFound
        | Reason::MissingApi
        | Reason::AddressPending
        | Reason::RolloutInProgress => Some(ConditionType::Reconciling),
        // Only the author can mend what the API server refuses.
        Reason::ApplyFailed => {
            Some(if is_refused { ConditionType::Stalled } else { ConditionType::Reconciling })
        }
        Reason::InvalidSpec | Reason::NameTaken => Some(ConditionType::Stalled),
        Reason::RolloutStalled
        | Reason::ImagePullFailed
        | Reason::CrashLooping
        | Reason::Unschedulable
        | Reason::ProbeFailing => {
            Some(if stalled { ConditionType::Stalled } else { ConditionType::Reconciling })
        }
        // HQ, the network and certificates are others' affair: they are looked at until they are
        // well.
        reason
            if verified.iter().any(|(_, verdict)| verdict.reason == reason && !verdict.holds) =>
        {
            Some(ConditionType::Reconciling)
        }
        _ => None,
    };
    let progress = progress.map(|condition| (condition, Verdict { holds: true, ..ready.clone() }));
    let moving = moving.filter(|_| ready.holds).map(|message| {
        let reason = Reason::RolloutInProgress;
        (ConditionType::Reconciling, Verdict { holds: true, reason, message })
    });
    let progress = progress.or(moving);
    [
        (ConditionType::Ready, ready),
        (ConditionType::Accepted, accepted),
        (ConditionType::Available, available),
    ]
    .into_iter()
    .chain(verified)
    .chain(progress)
    .collect()
}

/// As everywhere in Kubernetes.
pub(super) fn whole_seconds(time: Timestamp) -> Timestamp {
    let whole = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Trunc);
    time.round(whole).unwrap_or(time)
}

/// A condition keeps the time of its last transition for as long as its status stays the same.
pub(super) fn dated(
    verdicts: Vec<(ConditionType, Verdict)>,
    before: &[Condition],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    let now = whole_seconds(now);
    verdicts
        .into_iter()
        .map(|(condition, Verdict { holds, reason, message })| {
            let status = match holds {
                true => "True",
                false if reason.is_undecided() => "Unknown",
                false => "False",
            };
            let same = before
                .iter()
                .find(|before| before.type_ == condition.as_str() && before.status == status);
            let told = same.filter(|before| {
                before.reason == reason.as_str()
                    && before.observed_generation == generation
                    && reason.is_told_by_others()
                    && masked(&before.message) == masked(&message)
            });
            let message = told.map_or(message, |before| before.message.clone());
            Condition {
                type_: condition.as_str().to_owned(),
                status: status.to_owned(),
                reason: reason.as_str().to_owned(),
                message,
                observed_generation: generation,
                last_transition_time: same
                    .map_or(Time(now), |before| before.last_transition_time.clone()),
            }
        })
        .collect()
}

/// A message without the numbers in what others said, which is what follows the first colon: ports,
/// times and counts differ from one try to the next and say nothing new.
fn masked(message: &str) -> String {
    let (own, others) = message.split_once(": ").unwrap_or((message, ""));
    let mut masked = own.to_owned();
    for c in others.chars() {
        match c {
            '0'..='9' if masked.ends_with('#') => {}
            '0'..='9' => masked.push('#'),
            c => masked.push(c),
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn messages_of_others_that_differ_only_in_numbers_keep_the_first() {
        let said = |reason, message: &str, before: &[Condition], generation| {
            let verdict = Verdict { holds: false, reason, message: message.to_owned() };
            dated(vec![(ConditionType::Available, verdict)], before, Some(generation), at(0))
        };
        let first = said(
            Reason::CrashLooping,
            "it ends with exit status 1: port 43210 at 10:11:12",
            &[],
            1,
        );
        for (reason, message, generation, kept) in [
            (Reason::CrashLooping, "it ends with exit status 1: port 51 at 10:11:59", 1, true),
            (Reason::CrashLooping, "it ends with exit status 2: port 43210 at 10:11:12", 1, false),
            (Reason::CrashLooping, "it ends with exit status 1: host 43210 at 10:11:12", 1, false),
            (Reason::CrashLooping, "it ends with exit status 1: port 51 at 10:11:59", 2, false),
        ] {
            let next = said(reason, message, &first, generation);
            assert_eq!(next[0].message == first[0].message, kept, "{message}");
        }
        let own = said(Reason::Accepted, "at: 1", &[], 1);
        assert_eq!(said(Reason::Accepted, "at: 2", &own, 1)[0].message, "at: 2");
    }
}
