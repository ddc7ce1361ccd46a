//! The rules that a manifest must meet, in the CEL of Kubernetes, each with a message that says what to write.
//!
//! They run in the API server, so that `kubectl apply` itself refuses a bad manifest and no webhook is needed. Patterns
//! are used in place of CEL's `url()`, which can show neither user info nor a fragment. Every string that a rule reads has a
//! `maxLength`: the API server estimates a rule's cost from it and refuses a CRD that costs too much.

use kube::core::Rule;

/// The longest URL that the API takes.
pub(crate) const URL_MAX_LENGTH: u64 = 1024;

/// `http` or `https`, a host, and at most a path.
const ABSOLUTE_URL: &str =
    r"^https?://([a-zA-Z0-9._-]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?(/[a-zA-Z0-9._~!$&()*+,;=:%/-]*)?$";

/// `https`, or `http` to a host that only this machine or this cluster can reach: a loopback address, a name without dots,
/// or a Service's DNS name.
const PRIVATE_OR_TLS: &str = concat!(
    r"^(https://.*|http://(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\]|[a-zA-Z0-9_-]+|",
    r"[a-zA-Z0-9.-]+\\.(localhost|svc)|[a-zA-Z0-9.-]+\\.svc\\.[a-zA-Z0-9.-]+)(:[0-9]{1,5})?(/.*)?)$"
);

/// An absolute URL that can stand alone: the credentials, query and fragment that some write into it have no place there.
pub(crate) fn absolute_url() -> Rule {
    Rule::new(format!("self.matches('{ABSOLUTE_URL}')")).message(
        "write an absolute http or https URL without user info, query and fragment, such as https://lenses.example.com",
    )
}

/// What a browser is sent to must not be readable on the way: a token travels there.
pub(crate) fn encrypted_outside_the_cluster() -> Rule {
    Rule::new(format!("self.matches('{PRIVATE_OR_TLS}')")).message(
        "plain http is accepted for loopback addresses and cluster names (hq, hq.lenses.svc) only: write https://",
    )
}

/// The two URLs that name a server, not an endpoint: `/mcp` is added where it belongs.
pub(crate) fn without_mcp_path() -> Rule {
    Rule::new("!self.matches('/mcp/?$')")
        .message("leave /mcp out: write the base URL, the operator adds /mcp where it belongs")
}

/// Under OAuth `lenses.url` is also what browsers are sent to, unless `advertisedUrl` says otherwise.
pub(crate) fn lenses_url_fit_for_browsers() -> Rule {
    Rule::new(format!(
        "!has(self.auth.oauth) || has(self.lenses.advertisedUrl) || !has(self.lenses.url) || self.lenses.url.matches('{PRIVATE_OR_TLS}')"
    ))
    .message(
        "lenses.url is plain http, and without lenses.advertisedUrl OAuth sends browsers there: add lenses.advertisedUrl, the https URL of Lenses HQ",
    )
    .field_path(".lenses.url")
}

/// Sign-in cannot be missing by omission.
pub(crate) fn exactly_one_sign_in() -> Rule {
    Rule::new("has(self.auth.oauth) != has(self.auth.apiKey)")
        .message("say how callers sign in: write exactly one of auth.oauth ({} is enough) and auth.apiKey")
        .field_path(".auth")
}

/// HQ is found by address or by Service.
pub(crate) fn exactly_one_lenses() -> Rule {
    Rule::new("has(self.url) != has(self.serviceRef)")
        .message("say where Lenses HQ is: write exactly one of lenses.url and lenses.serviceRef")
}

/// Nobody outside the cluster can dial its DNS names.
pub(crate) fn service_ref_needs_advertised_url() -> Rule {
    Rule::new("!has(self.auth.oauth) || !has(self.lenses.serviceRef) || has(self.lenses.advertisedUrl)")
        .message(
            "lenses.serviceRef with auth.oauth needs lenses.advertisedUrl, the URL at which browsers reach Lenses HQ (its issuerURL)",
        )
        .field_path(".lenses")
}

/// An open port is said out loud, and never beside a token that would then mean nothing.
pub(crate) fn exactly_one_caller() -> Rule {
    Rule::new("has(self.tokenSecretRef) != (has(self.anyone) && self.anyone)").message(
        "say who may call: write exactly one of callers.tokenSecretRef and callers.anyone: true (anyone who reaches the port)",
    )
}

/// A token that HQ has revoked must not live on here for long.
pub(crate) fn at_most_an_hour() -> Rule {
    Rule::new("duration(self) >= duration('0s') && duration(self) <= duration('1h')")
        .message("write a duration from 0s to 1h, such as 30s")
}

/// Children carry the resource's name, and a Service's name is the strictest: RFC 1035.
pub(crate) fn name_fits_a_service() -> Rule {
    Rule::new("self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')").message(
        "metadata.name becomes a Service's name: write at most 63 lower-case letters, digits and '-', a letter first",
    )
}
