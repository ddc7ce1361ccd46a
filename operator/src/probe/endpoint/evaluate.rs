//! What the endpoint's answers mean, and what to change. Pure.

use lenses_mcp_crds::{VerificationMode, conditions::Reason};
use reqwest::{StatusCode, header::HeaderValue};
use serde::Deserialize;
use url::Url;

use super::Way;
use crate::probe::{
    Callers, Endpoint, Finding,
    answer::{Answer, NoAnswer, quoted, rpc},
    challenge,
    tools::{Page, Tools},
};

/// The field of the spec that names the token.
pub(super) const CREDENTIAL: &str = "spec.verification.credentialSecretRef";

/// What follows the call without a token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It was refused as a client expects: the metadata is here.
    ReadMetadata(Url),
    /// All that can be looked at before signing in is as it must be.
    ListTools,
}

/// The protected resource metadata (RFC 9728 §2), as far as clients compare it.
#[derive(Deserialize)]
struct ProtectedResource {
    resource: String,
    #[serde(default)]
    authorization_servers: Vec<String>,
}

pub(super) fn advertised(url: &str) -> Result<Url, Finding> {
    Url::parse(url).map_err(|error| {
        Finding::bad(Reason::EndpointUnreachable, format!("{} is not a URL: {error}", quoted(url)))
    })
}

/// A call without a token must be refused with a challenge that leads to the metadata; unless anyone may call.
pub(super) fn call_without_token(
    endpoint: &Endpoint,
    way: &Way,
    outcome: &Result<Answer, NoAnswer>,
) -> Result<Next, Finding> {
    let url = &endpoint.url;
    let answer =
        outcome.as_ref().map_err(|no_answer| unreachable(&tried(endpoint, way), no_answer))?;
    let answered =
        answer.status.is_success() && (answer.is_event_stream() || rpc(answer).is_some());
    match (&endpoint.callers, answer.status) {
        (Callers::Anyone, _) if answered => Ok(Next::ListTools),
        (_, _) if answered => Err(Finding::bad(
            Reason::TooOpen,
            format!(
                "{url} answers a call without a token ({}): something else than this server is behind the URL, or a proxy \
                 in front of it signs callers in; make the URL lead to Service {} and take sign-in off the proxy",
                answer.status,
                service_name(endpoint)
            ),
        )),
        (Callers::Anyone, StatusCode::UNAUTHORIZED) => Err(Finding::bad(
            Reason::EndpointUnreachable,
            format!(
                "{url} asks for a sign-in, though spec.auth.apiKey.callers.anyone is true: something in front of this \
                 server does, or something else is behind the URL"
            ),
        )),
        (_, StatusCode::UNAUTHORIZED) => challenged(endpoint, way, answer),
        (_, status) if status.is_success() => Err(Finding::bad(
            Reason::ChallengeMissing,
            format!(
                "{url} answers a call without a token with {status} and something that is not MCP: make the URL lead to \
                 Service {}, not to a login page or a default backend",
                service_name(endpoint)
            ),
        )),
        (_, status) if status.is_redirection() => Err(Finding::bad(
            Reason::EndpointUnreachable,
            format!(
                "{url} is answered with {status} to {}, where clients do not follow with a call: advertise the URL that \
                 answers itself",
                answer.location().unwrap_or_else(|| "nowhere".to_owned())
            ),
        )),
        (_, status) => Err(Finding::bad(
            Reason::EndpointUnreachable,
            format!(
                "{} is answered with {status}, which is not this server's answer to a first call",
                tried(endpoint, way)
            ),
        )),
    }
}

/// What was dialled, and for what.
fn tried(endpoint: &Endpoint, way: &Way) -> String {
    if way.dialled == way.advertised {
        return endpoint.url.clone();
    }
    let why = match endpoint.mode {
        VerificationMode::Service => "verification.mode is service",
        VerificationMode::Endpoint | VerificationMode::Off => "which is the user's own machine",
    };
    format!("{} (in place of {}, {why})", way.dialled, endpoint.url)
}

fn challenged(endpoint: &Endpoint, way: &Way, answer: &Answer) -> Result<Next, Finding> {
    let url = &endpoint.url;
    let missing = |what: &str| {
        Finding::bad(
            Reason::ChallengeMissing,
            format!(
                "{url} refuses a call without a token, but {what}, so a client is not told where to sign in: let the proxy \
                 in front of this server pass WWW-Authenticate on, and take sign-in off it"
            ),
        )
    };
    let Some(bearer) = challenge::bearer(answer.challenges()) else {
        return Err(missing("its WWW-Authenticate header holds no Bearer challenge"));
    };
    if endpoint.callers == Callers::WithToken {
        return Ok(Next::ListTools);
    }
    let Some(metadata) = bearer.resource_metadata else {
        return Err(missing("its Bearer challenge has no resource_metadata"));
    };
    let dialled = Url::parse(&metadata).ok().and_then(|url| way.dial(&url));
    dialled.map(Next::ReadMetadata).ok_or_else(|| {
        Finding::bad(
            Reason::MetadataMismatch,
            format!(
                "{url} sends clients for its metadata to {}, another server, which is not asked here: the URL does not \
                 lead to this server, or the pods serve another URL",
                quoted(&metadata)
            ),
        )
    })
}

/// Clients refuse metadata whose `resource` is not the URL that they were given (RFC 9728 §3.3), and an authorization server
/// other than HQ could not sign them in.
pub(super) fn metadata(
    endpoint: &Endpoint,
    url: &Url,
    outcome: &Result<Answer, NoAnswer>,
) -> Result<(), Finding> {
    let answer = outcome.as_ref().map_err(|no_answer| unreachable(url.as_str(), no_answer))?;
    let mismatch = |message: String| Err(Finding::bad(Reason::MetadataMismatch, message));
    let metadata: Option<ProtectedResource> = answer
        .json()
        .filter(|_| answer.status == StatusCode::OK)
        .and_then(|json| serde_json::from_value(json).ok());
    let Some(ProtectedResource { resource, authorization_servers }) = metadata else {
        return mismatch(format!(
            "{url} is answered with {} and no protected resource metadata: let the route to this server take \
             /.well-known/oauth-protected-resource in",
            answer.status
        ));
    };
    if resource != endpoint.url {
        return mismatch(format!(
            "the metadata at {url} names the resource {}, and clients are given {}, which must be the same byte for byte: \
             set spec.endpoint.url to the URL that clients dial",
            quoted(&resource),
            quoted(&endpoint.url)
        ));
    }
    match &endpoint.callers {
        Callers::SignedIn { issuer } if authorization_servers != [issuer.as_str()] => {
            let named: Vec<_> =
                authorization_servers.iter().take(3).map(|server| quoted(server)).collect();
            mismatch(format!(
                "the metadata at {url} sends clients to sign in at [{}], and HQ's issuer is {}: the pods serve older \
                 settings, or the URL does not lead to this server",
                named.join(", "),
                quoted(issuer)
            ))
        }
        _ => Ok(()),
    }
}

/// Adds what the Service itself answers, to tell a server that is down from a URL that does not lead to it.
pub(super) fn with_the_service(
    mut finding: Finding,
    service: &Url,
    behind: &Result<Answer, NoAnswer>,
) -> Finding {
    let told = match behind {
        Ok(answer) if answer.status == StatusCode::UNAUTHORIZED || rpc(answer).is_some() => {
            format!(
                "the Service itself ({service}) answers, so look at what is between: DNS, the Ingress or HTTPRoute, its \
             certificate, and whether the operator's own network may dial the URL; if it may not, write \
             spec.verification.mode: service"
            )
        }
        Ok(answer) => format!(
            "the Service itself ({service}) answers with {}: see the pods' logs",
            answer.status
        ),
        Err(no_answer) => {
            format!("nor does the Service itself answer ({})", no_answer.told(service.as_str()))
        }
    };
    finding.message = format!("{}; {told}", finding.message);
    finding
}

/// A token as header, or why it can't be one.
pub(super) fn bearer(
    header: Option<HeaderValue>,
    token_from: &str,
) -> Result<HeaderValue, Finding> {
    header.ok_or_else(|| {
        let message = format!(
            "{token_from}: the token holds what no header can: write it on one line, in ASCII"
        );
        Finding::bad(Reason::MaterialUnusable, message)
    })
}

/// A page of the list of tools. `token_from` says where a token that was shown was written.
pub(super) fn page(
    url: &Url,
    outcome: &Result<Answer, NoAnswer>,
    token_from: Option<&str>,
) -> Result<Page, Finding> {
    let answer = outcome.as_ref().map_err(|no_answer| unreachable(url.as_str(), no_answer))?;
    let refused = |message| Err(Finding::bad(Reason::CredentialRefused, message));
    match (answer.status, token_from) {
        (StatusCode::UNAUTHORIZED, Some(source)) => {
            return refused(format!(
                "{url} does not take the token of {source}: write one that is good for this server"
            ));
        }
        (StatusCode::FORBIDDEN, Some(source)) => {
            return refused(format!(
                "{url} takes the token of {source} but lets it list no tools: \
                 give it the scope \"read\""
            ));
        }
        _ => {}
    }
    let response = rpc(answer);
    let listed = response.as_ref().filter(|_| answer.status.is_success());
    listed.and_then(|response| Page::read(&response["result"])).ok_or_else(|| {
        let code = response.as_ref().and_then(|response| response["error"]["code"].as_i64());
        let what = match (code, &answer.body) {
            (Some(code), _) => format!("error {code}"),
            (None, None) => "more than is read".to_owned(),
            (None, Some(_)) => "no list".to_owned(),
        };
        let message = format!(
            "{url} answers tools/list with {} and {what}: see the pods' logs",
            answer.status
        );
        Finding::bad(Reason::ToolsNotListed, message)
    })
}

pub(super) fn endless(url: &Url, pages: usize) -> Finding {
    Finding::bad(
        Reason::ToolsNotListed,
        format!("{url} answers tools/list with more than {pages} pages"),
    )
}

/// What is found when a client has found its way: that all is well, but for tools that are not those that are expected.
pub(super) fn verified(endpoint: &Endpoint, way: &Way, tools: Option<&Tools>) -> Finding {
    let url = tried(endpoint, way);
    if let (Some(expected), Some(Tools { count, digest })) = (&endpoint.expected_tools, tools)
        && expected != digest
    {
        return Finding::bad(
            Reason::ToolsChanged,
            format!(
                "{url} lists {count} tools with the digest {digest}, and spec.verification.expectedToolsDigest is {expected}: \
                 see what has changed, the image or what spec.tools and the token's scopes allow, and write the new digest if \
                 it is as wanted"
            ),
        );
    }
    let guarded = match &endpoint.callers {
        Callers::SignedIn { issuer } => {
            format!("{url} refuses calls without a token and sends clients to sign in at {issuer}")
        }
        Callers::WithToken => format!("{url} refuses calls without the callers' token"),
        Callers::Anyone => {
            format!("{url} answers, without a token, as spec.auth.apiKey.callers.anyone asks")
        }
    };
    let message = match tools {
        Some(tools) => format!("{guarded}; it lists {} tools", tools.count),
        None => guarded,
    };
    Finding::good(Reason::Verified, message)
}

fn unreachable(tried: &str, no_answer: &NoAnswer) -> Finding {
    let told = no_answer.told(tried);
    match no_answer {
        NoAnswer::Untrusted { .. } => Finding::bad(
            Reason::CertificateUntrusted,
            format!(
                "{told}: clients may refuse it too; serve a certificate for that name by a CA that clients trust, or name a \
                 private one in spec.lenses.caBundle"
            ),
        ),
        NoAnswer::Forbidden { .. } => Finding::bad(
            Reason::AddressForbidden,
            format!(
                "{told}; clients may reach it all the same: write spec.verification.mode: service, or \
                 allow the address in verification.allowedCIDRs of the operator's chart"
            ),
        ),
        NoAnswer::TimedOut { .. } | NoAnswer::Unreachable { .. } => Finding::bad(
            Reason::EndpointUnreachable,
            format!("{told} (tried from the operator's pod)"),
        ),
    }
}

fn service_name(endpoint: &Endpoint) -> &str {
    endpoint.service.host_str().and_then(|host| host.split('.').next()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
