//! What HQ's answers mean, and what to change. Pure. The words follow the server's own checks of
//! HQ.

#[cfg(test)]
mod tests;

use lenses_mcp_crds::{ClientRegistration, conditions::Reason};
use reqwest::StatusCode;
use url::Url;

use super::{Asked, Introspected, Metadata, Reply};
use crate::probe::{
    AuthorizationServer, Finding,
    answer::{NoAnswer, quoted},
};

/// How to mend that HQ can't be reached.
const CHECK_ADDRESS: &str =
    "check spec.lenses, that HQ runs, and that the network lets the operator and the pods through";

/// In API-key mode: whether anything answers.
pub(super) fn reachable(url: &Url, reply: &Result<StatusCode, NoAnswer>) -> Finding {
    match reply {
        Ok(status) if status.is_server_error() => failing(url, *status),
        Ok(_) => Finding::good(Reason::LensesReachable, format!("Lenses HQ answers at {url}")),
        Err(no_answer) => unreachable(url, no_answer),
    }
}

/// With OAuth: whether people can sign in, and their tokens be checked. All that is wrong is told
/// at once; what comes first on a client's way is the reason.
pub(super) fn authorization_server(
    server: &AuthorizationServer,
    metadata: &Asked<Metadata>,
    introspection: Option<&Asked<Introspected>>,
    as_client: bool,
) -> Finding {
    let mut findings = judge_metadata(server, metadata);
    let introspected = introspection.and_then(|asked| judge_introspection(asked, as_client));
    // What keeps both from being asked is said once.
    findings.extend(
        introspected.filter(|finding| findings.iter().all(|other| other.reason != finding.reason)),
    );
    let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
    match findings.first() {
        Some(first) => Finding::bad(first.reason, messages.join("; ")),
        None => Finding::good(
            Reason::LensesReachable,
            format!(
                "Lenses HQ answers as {}: clients {}, sign in with PKCE, and {}",
                server.issuer,
                match server.client_registration {
                    ClientRegistration::Dynamic => "can register themselves",
                    ClientRegistration::Manual => "are registered there by hand",
                },
                match introspection {
                    Some(_) => "their tokens can be checked".to_owned(),
                    None => format!(
                        "introspection at {}, another origin than spec.lenses, is not examined",
                        server.introspection_url
                    ),
                }
            ),
        ),
    }
}

fn judge_metadata(
    server: &AuthorizationServer,
    Asked { url, reply }: &Asked<Metadata>,
) -> Vec<Finding> {
    let metadata = match reply {
        Ok(Reply::Is(metadata)) => metadata,
        Ok(Reply::Status(status)) if status.is_server_error() => {
            return vec![failing(url, *status)];
        }
        Ok(Reply::Status(StatusCode::NOT_FOUND | StatusCode::GONE)) => {
            return vec![Finding::bad(
                Reason::LensesMetadataMissing,
                format!(
                    "Lenses HQ has no authorization server metadata at {url}: set \
                     auth.oauth2.authorizationServer.enabled: true in HQ, which must be 6.2 or \
                     later"
                ),
            )];
        }
        Ok(other) => {
            let status = match other {
                Reply::Status(status) => *status,
                Reply::Is(_) | Reply::Unreadable => StatusCode::OK,
            };
            return vec![Finding::bad(
                Reason::LensesMetadataUnreadable,
                format!(
                    "{url} is answered with {status} and no authorization server metadata: make \
                     spec.lenses lead to HQ itself, not to a login page or a proxy"
                ),
            )];
        }
        Err(no_answer) => return vec![unreachable(url, no_answer)],
    };
    let mut findings = Vec::new();
    if metadata.issuer != server.issuer {
        findings.push(Finding::bad(
            Reason::IssuerMismatch,
            format!(
                "HQ's issuer is {}, and clients are told {}: make spec.lenses.advertisedUrl here \
                 and auth.oauth2.authorizationServer.issuerURL in HQ equal byte for byte",
                quoted(&metadata.issuer),
                quoted(&server.issuer)
            ),
        ));
    }
    let is_open = metadata.registration_endpoint.is_some()
        || metadata.client_id_metadata_document_supported == Some(true);
    if !is_open && server.client_registration == ClientRegistration::Dynamic {
        findings.push(Finding::bad(
            Reason::RegistrationClosed,
            "HQ lets no client register itself, which AI tools do at their first sign-in: set \
             auth.oauth2.authorizationServer.dcr: true in HQ, or register clients there by hand \
             and write spec.auth.oauth.clientRegistration: manual",
        ));
    }
    if !metadata.code_challenge_methods_supported.iter().any(|method| method == "S256") {
        findings.push(Finding::bad(
            Reason::PkceMissing,
            "HQ's metadata does not offer PKCE with S256, without which clients refuse to sign in: \
             set auth.oauth2.authorizationServer.requirePKCE: true in HQ, or use an HQ that offers \
             it",
        ));
    }
    findings
}

fn judge_introspection(
    Asked { url, reply }: &Asked<Introspected>,
    as_client: bool,
) -> Option<Finding> {
    Some(match reply {
        Ok(Reply::Is(Introspected { active: false })) => return None,
        Ok(Reply::Is(Introspected { active: true })) => Finding::bad(
            Reason::IntrospectionUntrue,
            format!(
                "{url} calls a token active that nobody issued, so anybody could sign in: make \
                 spec.auth.oauth.introspection.url (or spec.lenses) lead to HQ itself"
            ),
        ),
        Ok(Reply::Status(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)))
            if as_client =>
        {
            Finding::bad(
                Reason::IntrospectionRefused,
                format!(
                    "HQ refuses introspection to the client of \
                     spec.auth.oauth.introspection.clientCredentialsSecretRef ({status} from \
                     {url}): correct the Secret, or leave it out and set \
                     auth.oauth2.authorizationServer.unauthenticatedIntrospection: true in HQ"
                ),
            )
        }
        Ok(Reply::Status(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))) => {
            Finding::bad(
                Reason::IntrospectionRefused,
                format!(
                    "HQ refuses introspection without client authentication ({status} from {url}): \
                     set auth.oauth2.authorizationServer.unauthenticatedIntrospection: true in HQ, \
                     or spec.auth.oauth.introspection.clientCredentialsSecretRef here"
                ),
            )
        }
        Ok(Reply::Status(status)) if status.is_server_error() => failing(url, *status),
        Ok(other) => {
            let status = match other {
                Reply::Status(status) => *status,
                Reply::Is(_) | Reply::Unreadable => StatusCode::OK,
            };
            Finding::bad(
                Reason::IntrospectionUntrue,
                format!(
                    "introspection at {url} is answered with {status} and no RFC 7662 reply: make \
                     spec.auth.oauth.introspection.url (or spec.lenses) lead to HQ itself"
                ),
            )
        }
        Err(no_answer) => unreachable(url, no_answer),
    })
}

fn failing(url: &Url, status: StatusCode) -> Finding {
    let message = format!(
        "{url} is answered with {status}: see the log of HQ, or of the proxy in front of it"
    );
    Finding::bad(Reason::Unreachable, message)
}

fn unreachable(url: &Url, no_answer: &NoAnswer) -> Finding {
    let told = no_answer.told(url.as_str());
    match no_answer {
        NoAnswer::Untrusted { .. } => Finding::bad(
            Reason::CertificateUntrusted,
            format!(
                "{told}: name the CA that signed HQ's certificate in spec.lenses.caBundle, and \
                 dial HQ by a name that is in it"
            ),
        ),
        NoAnswer::Forbidden { .. } => Finding::bad(
            Reason::AddressForbidden,
            format!(
                "{told}: write another address in spec.lenses, or allow this one in \
                 verification.allowedCIDRs of the operator's chart"
            ),
        ),
        NoAnswer::TimedOut { .. } | NoAnswer::Unreachable { .. } => {
            Finding::bad(Reason::Unreachable, format!("{told}: {CHECK_ADDRESS}"))
        }
    }
}
