//! What a status that is there already says was found. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use lenses_mcp_crds::{
    LensesMcpServerStatus,
    conditions::{ConditionType, Reason},
};

use super::{Finding, Known, Tools};

/// The reasons that a finding can have.
const REASONS: [Reason; 21] = [
    Reason::LensesReachable,
    Reason::Unreachable,
    Reason::CertificateUntrusted,
    Reason::LensesMetadataMissing,
    Reason::LensesMetadataUnreadable,
    Reason::IssuerMismatch,
    Reason::RegistrationClosed,
    Reason::PkceMissing,
    Reason::IntrospectionRefused,
    Reason::IntrospectionUntrue,
    Reason::MaterialUnusable,
    Reason::SecretNotLabelled,
    Reason::AddressForbidden,
    Reason::Verified,
    Reason::EndpointUnreachable,
    Reason::ChallengeMissing,
    Reason::MetadataMismatch,
    Reason::TooOpen,
    Reason::CredentialRefused,
    Reason::ToolsNotListed,
    Reason::ToolsChanged,
];

pub(crate) fn recorded(status: Option<&LensesMcpServerStatus>) -> Known {
    let Some(status) = status else { return Known::default() };
    let find = |kind: ConditionType| {
        status
            .conditions
            .iter()
            .find(|condition| condition.type_ == kind.as_str())
            .and_then(finding)
    };
    Known {
        lenses: find(ConditionType::LensesReachable),
        version: status.lenses_version.clone(),
        endpoint: find(ConditionType::Verified),
        tools: status.tools.as_ref().and_then(|tools| {
            Some(Tools { count: usize::try_from(tools.count).ok()?, digest: tools.digest.clone() })
        }),
        at: status.last_verified.as_ref().map(|time| time.0),
    }
}

/// `None` for what is not known yet, or what another version said.
fn finding(condition: &Condition) -> Option<Finding> {
    let reason = *REASONS.iter().find(|reason| reason.as_str() == condition.reason)?;
    let holds = condition.status == "True";
    (holds || condition.status == "False").then(|| Finding {
        holds,
        reason,
        message: condition.message.clone(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn known_results_are_read_back_and_unknown_ones_are_not() {
        let condition = |kind: &str, status: &str, reason: &str| {
            json!({
                "type": kind, "status": status, "reason": reason, "message": "m",
                "lastTransitionTime": "2026-01-01T00:00:00Z"
            })
        };
        let of = |lenses, endpoint| {
            recorded(Some(
                &serde_json::from_value(json!({ "conditions": [lenses, endpoint] })).unwrap(),
            ))
        };
        let known = of(
            condition("LensesReachable", "False", "PkceMissing"),
            condition("Verified", "True", "Verified"),
        );
        let finding = |holds, reason| Some(Finding { holds, reason, message: "m".into() });
        assert_eq!(
            (known.lenses, known.endpoint),
            (finding(false, Reason::PkceMissing), finding(true, Reason::Verified))
        );
        let unknown = of(
            condition("LensesReachable", "Unknown", "Verifying"),
            condition("Verified", "False", "OfAnotherVersion"),
        );
        assert_eq!(unknown, Known::default());
        assert_eq!(recorded(None), Known::default());
    }
}
