//! What each observation means, and what to change. Pure.

use std::sync::Arc;

use http::StatusCode;
use url::Url;

use crate::{
    auth::{
        ExchangeError, IntrospectionError, NoReply,
        server_metadata::{MetadataError, ServerMetadata},
    },
    report::{Check, CheckResult},
    settings::ClientRegistration,
};

/// What was found of HQ's metadata.
type Metadata<'a> = Result<&'a ServerMetadata, &'a Arc<MetadataError>>;

const SEE_METADATA: &str = "HQ's metadata could not be read; see the check \"metadata\"";

/// Whether HQ answers at all, at `LENSES_URL`.
pub(super) fn lenses(url: &Url, reached: Result<StatusCode, NoReply>) -> Check {
    let check = Draft("lenses");
    match reached {
        Ok(status) if status.is_server_error() => check.failed(
            "ServerError",
            format!("{url} is answered with {status}"),
            "see HQ's log, or that of the proxy in front of it",
        ),
        Ok(status) => check.ok("Reachable", format!("{url} is answered ({status})")),
        Err(no_reply) => unreachable(check, url, no_reply),
    }
}

/// Whether HQ is an authorization server (RFC 8414).
pub(super) fn metadata(found: Metadata<'_>) -> Check {
    let check = Draft("metadata");
    let Err(error) = found else {
        return check.ok("Found", "HQ publishes its authorization server metadata".to_owned());
    };
    let message = error.to_string();
    match &**error {
        MetadataError::Absent { .. } => check.failed(
            "MetadataMissing",
            message,
            "set auth.oauth2.authorizationServer.enabled: true in HQ",
        ),
        MetadataError::Unreadable { .. } => check.failed(
            "MetadataUnreadable",
            message,
            "make LENSES_URL lead to HQ itself, not to a login page or proxy",
        ),
        MetadataError::Failed { .. } => check.failed("ServerError", message, "see HQ's log"),
        MetadataError::TimedOut { .. } | MetadataError::Unreachable { .. } => check.failed(
            "Unreachable",
            message,
            "check LENSES_URL, and that HQ runs and the network lets this server through",
        ),
    }
}

/// Whether HQ calls itself as clients are told (RFC 8414 §3.3): they compare byte for byte and
/// refuse any other.
pub(super) fn issuer(found: Metadata<'_>, expected: &str) -> Check {
    let check = Draft("issuer");
    match found {
        Err(_) => check.skipped(),
        Ok(metadata) if metadata.issuer == expected => {
            check.ok("IssuerMatches", format!("HQ's issuer is {expected:?}, as clients are told"))
        }
        Ok(metadata) => check.failed(
            "IssuerMismatch",
            format!("HQ's issuer is {:?}, and clients are told {expected:?}", metadata.issuer),
            "make LENSES_ADVERTISED_URL here and auth.oauth2.authorizationServer.issuerURL in HQ \
             equal byte for byte",
        ),
    }
}

/// Whether clients can become known to HQ: they register themselves (RFC 7591), are named by a
/// Client ID Metadata Document, or are registered by hand, if that is `asked`.
pub(super) fn registration(found: Metadata<'_>, asked: ClientRegistration) -> Check {
    let check = Draft("registration");
    match found {
        Err(_) => check.skipped(),
        Ok(ServerMetadata { registration_endpoint: Some(_), .. }) => {
            check.ok("RegistrationOpen", "clients can register themselves".to_owned())
        }
        Ok(ServerMetadata { client_id_metadata_document_supported: Some(true), .. }) => check.ok(
            "RegistrationOpen",
            "clients are named by Client ID Metadata Documents and need not register".to_owned(),
        ),
        Ok(_) if asked == ClientRegistration::Manual => check.ok(
            "RegistrationManual",
            "clients are registered at HQ by hand (MCP_CLIENT_REGISTRATION=manual)".to_owned(),
        ),
        Ok(_) => check.failed(
            "RegistrationClosed",
            "HQ lets no client register itself, which AI tools do at their first sign-in"
                .to_owned(),
            "set auth.oauth2.authorizationServer.dcr: true in HQ, or register clients there by \
             hand and set MCP_CLIENT_REGISTRATION=manual",
        ),
    }
}

/// Whether HQ takes PKCE with S256 and says so: clients refuse to go on otherwise.
pub(super) fn pkce(found: Metadata<'_>) -> Check {
    let check = Draft("pkce");
    match found {
        Err(_) => check.skipped(),
        Ok(metadata)
            if metadata.code_challenge_methods_supported.iter().any(|method| method == "S256") =>
        {
            check.ok("PkceOffered", "HQ takes PKCE with S256".to_owned())
        }
        Ok(_) => check.failed(
            "PkceMissing",
            "HQ's metadata does not offer PKCE with S256, without which clients refuse to sign in"
                .to_owned(),
            "set auth.oauth2.authorizationServer.requirePKCE: true in HQ, or use an HQ that offers \
             it",
        ),
    }
}

/// Whether HQ lets this server introspect; `probed` says whether it calls a token active that
/// nobody issued.
pub(super) fn introspection(probed: Result<bool, IntrospectionError>) -> Check {
    let check = Draft("introspection");
    let error = match probed {
        Ok(false) => {
            return check
                .ok("IntrospectionAllowed", "HQ answers this server about tokens".to_owned());
        }
        Ok(true) => {
            return check.failed(
                "IntrospectionUntrue",
                "the introspection endpoint calls a token active that nobody issued".to_owned(),
                "make INTROSPECTION_URL lead to HQ itself; until then nobody should reach this \
                 server",
            );
        }
        Err(error) => error,
    };
    let message = error.to_string();
    match error {
        IntrospectionError::Unauthenticated { .. } => check.failed(
            "IntrospectionRefused",
            message,
            "set auth.oauth2.authorizationServer.unauthenticatedIntrospection: true in HQ, or \
             INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET here",
        ),
        IntrospectionError::ClientRefused { .. } => check.failed(
            "IntrospectionRefused",
            message,
            "correct INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET, or let HQ answer \
             without them (auth.oauth2.authorizationServer.unauthenticatedIntrospection: true)",
        ),
        IntrospectionError::Status { .. } | IntrospectionError::Unreadable { .. } => check.failed(
            "IntrospectionUnreadable",
            message,
            "make INTROSPECTION_URL (or LENSES_URL) lead to HQ itself",
        ),
        IntrospectionError::TimedOut { .. } | IntrospectionError::Unreachable { .. } => check
            .failed(
                "Unreachable",
                message,
                "check INTROSPECTION_URL (or LENSES_URL), and that HQ runs and the network lets \
                 this server through",
            ),
    }
}

/// What HQ is shown: a token of this server's, or the caller's. `exchange` is what would be done
/// with a token now, `None` where tokens are never exchanged, `has_client` whether there is a
/// client to exchange them as.
pub(super) fn token_exchange(
    found: Metadata<'_>,
    exchange: Option<Result<bool, ExchangeError>>,
    has_client: bool,
) -> Check {
    let check = Draft("token_exchange");
    let offered = found.is_ok_and(|metadata| metadata.offers_token_exchange().is_some());
    match exchange {
        Some(Ok(true)) => {
            check.ok("Exchanged", "callers' tokens are exchanged, none is passed on".to_owned())
        }
        Some(Err(ExchangeError::Metadata(_))) => check.skipped(),
        Some(Err(error @ ExchangeError::NotOffered)) => check.failed(
            "NotOffered",
            error.to_string(),
            "set MCP_TOKEN_EXCHANGE=auto, or use an HQ that offers it",
        ),
        Some(Err(error)) => check.failed(
            "ForeignEndpoint",
            error.to_string(),
            "correct HQ's issuerURL, or set MCP_TOKEN_EXCHANGE=off",
        ),
        None if offered && !has_client => check.warning(
            "NotExchanged",
            "HQ offers token exchange, and callers' tokens are passed on".to_owned(),
            "set INTROSPECTION_CLIENT_ID and INTROSPECTION_CLIENT_SECRET to a client that HQ lets \
             exchange tokens",
        ),
        Some(Ok(false)) | None => check
            .ok("PassedOn", "callers' tokens are passed on to HQ, which issued them".to_owned()),
    }
}

/// Whether HQ takes `LENSES_API_KEY`.
pub(super) fn api_key(url: &Url, answered: Result<StatusCode, NoReply>) -> Check {
    let check = Draft("api_key");
    match answered {
        Ok(StatusCode::UNAUTHORIZED) => check.failed(
            "KeyRefused",
            "HQ does not take LENSES_API_KEY".to_owned(),
            "set LENSES_API_KEY to the token of a service account that exists in HQ",
        ),
        Ok(StatusCode::FORBIDDEN) => check.failed(
            "KeyForbidden",
            "HQ knows the service account of LENSES_API_KEY but lets it see no environments"
                .to_owned(),
            "give the service account the IAM permission to list environments in HQ",
        ),
        Ok(status) if status.is_success() => {
            check.ok("KeyAccepted", "HQ takes LENSES_API_KEY".to_owned())
        }
        Ok(status) => check.failed(
            "KeyUnknown",
            format!("{url} is answered with {status}"),
            "make LENSES_URL lead to HQ itself, and see HQ's log",
        ),
        Err(no_reply) => unreachable(check, url, no_reply),
    }
}

fn unreachable(check: Draft, url: &Url, no_reply: NoReply) -> Check {
    match no_reply {
        NoReply::Untrusted { cause } => check.failed(
            "CertificateUntrusted",
            format!("the certificate of {url} is not trusted here: {cause}"),
            "give this server the CA that signed HQ's certificate, and dial HQ by a name that is \
             in it",
        ),
        NoReply::Unreachable { cause } => check.failed(
            "Unreachable",
            format!("{url} can't be reached: {cause}"),
            "check LENSES_URL, and that HQ runs and the network lets this server through",
        ),
        NoReply::TimedOut => check.failed(
            "Unreachable",
            format!("{url} does not answer in time"),
            "check LENSES_URL, and that HQ runs and the network lets this server through",
        ),
    }
}

/// A check that has a name and no result yet.
struct Draft(&'static str);

impl Draft {
    fn ok(self, reason: &'static str, message: String) -> Check {
        self.ended(CheckResult::Ok, reason, message, None)
    }

    fn warning(self, reason: &'static str, message: String, remedy: &'static str) -> Check {
        self.ended(CheckResult::Warning, reason, message, Some(remedy))
    }

    fn failed(self, reason: &'static str, message: String, remedy: &'static str) -> Check {
        self.ended(CheckResult::Failed, reason, message, Some(remedy))
    }

    fn skipped(self) -> Check {
        self.ended(CheckResult::Skipped, "MetadataMissing", SEE_METADATA.to_owned(), None)
    }

    fn ended(
        self,
        result: CheckResult,
        reason: &'static str,
        message: String,
        remedy: Option<&'static str>,
    ) -> Check {
        Check { check: self.0, result, reason, message, remedy }
    }
}
