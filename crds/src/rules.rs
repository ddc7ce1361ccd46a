//! The rules that a manifest must meet, in the CEL of Kubernetes, each with a message that says
//! what to write.
//!
//! They run in the API server, so that `kubectl apply` itself refuses a bad manifest and no webhook
//! is needed. Patterns are used in place of CEL's `url()`, which can show neither user info nor a
//! fragment. Every string that a rule reads has a `maxLength`: the API server estimates a rule's
//! cost from it and refuses a CRD that costs too much.

mod endpoint;
mod lenses;
mod pod_template;
mod scaling;

use kube::core::Rule;

pub(crate) use self::{endpoint::*, lenses::*, pod_template::*, scaling::*};

/// The longest URL that the API takes.
pub(crate) const URL_MAX_LENGTH: u64 = 1024;

/// `http` or `https`, a host, and at most a path.
const ABSOLUTE_URL: &str = concat!(
    r"^https?://([a-zA-Z0-9._-]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?",
    r"(/[a-zA-Z0-9._~!$&()*+,;=:%/-]*)?$",
);

/// `https`, or `http` to a host that only this machine or this cluster can reach: a loopback
/// address, a name without dots, or a Service's DNS name.
const PRIVATE_OR_TLS: &str = concat!(
    r"^(https://.*|http://(localhost|127(\\.[0-9]{1,3}){3}|\\[::1\\]|[a-zA-Z0-9_-]+|",
    r"[a-zA-Z0-9.-]+\\.(localhost|svc)|[a-zA-Z0-9.-]+\\.svc\\.[a-zA-Z0-9.-]+)(:[0-9]{1,5})?(/.*)?)$"
);

/// An absolute URL that can stand alone: the credentials, query and fragment that some write into
/// it have no place there.
pub(crate) fn absolute_url() -> Rule {
    Rule::new(format!("self.matches('{ABSOLUTE_URL}')")).message(
        "write an absolute http or https URL without user info, query and fragment, such as \
         https://lenses.example.com",
    )
}

/// What a browser is sent to must not be readable on the way: a token travels there.
pub(crate) fn encrypted_outside_the_cluster() -> Rule {
    Rule::new(format!("self.matches('{PRIVATE_OR_TLS}')")).message(
        "plain http is accepted for loopback addresses and cluster names (hq, hq.lenses.svc) only: \
         write https://",
    )
}

/// The two URLs that name a server, not an endpoint: `/mcp` is added where it belongs.
pub(crate) fn without_mcp_path() -> Rule {
    Rule::new("!self.matches('/mcp/?$')")
        .message("leave /mcp out: write the base URL, the operator adds /mcp where it belongs")
}

/// As the server has it: a time that is neither none nor for ever.
pub(crate) fn from_a_second_to_an_hour() -> Rule {
    Rule::new("duration(self) >= duration('1s') && duration(self) <= duration('1h')")
        .message("write a duration from 1s to 1h, such as 30s")
}

/// A query whose request is over has nobody to answer.
pub(crate) fn sql_ends_before_its_request() -> Rule {
    Rule::new("duration(self.sqlTimeout) < duration(self.requestTimeout)").message(
        "limits.sqlTimeout must be less than limits.requestTimeout (60s unless set), which would \
         cut the query's answer off: lower the one or raise the other",
    )
}

/// A client chooses its own address if it is believed about it.
pub(crate) fn proxies_are_not_everyone() -> Rule {
    Rule::new("!self.exists(proxy, proxy.endsWith('/0'))").message(
        "a range of all addresses trusts every client: write the addresses of your proxies, such \
         as 10.244.0.0/16",
    )
}

/// Calls are recorded in one place.
pub(crate) fn exactly_one_audit() -> Rule {
    Rule::new("[has(self.stdout), has(self.file), has(self.disabled)].filter(one, one).size() == 1")
        .message(
            "say where calls are recorded: write exactly one of audit.stdout ({}), audit.file and \
             audit.disabled ({})",
        )
}

/// The root file system of the server's container is read-only.
pub(crate) fn audit_file_is_on_a_volume() -> Rule {
    Rule::new(
        "!has(self.observability) || !has(self.observability.audit) || \
         !has(self.observability.audit.file) || \
         (has(self.podTemplate) && has(self.podTemplate.spec) && \
         has(self.podTemplate.spec.containers) && \
         self.podTemplate.spec.containers.exists(c, c.name == 'lenses-mcp-server' && \
         has(c.volumeMounts) && \
         c.volumeMounts.exists(m, self.observability.audit.file.path.startsWith(m.mountPath + \
         '/'))))",
    )
    .message(
        "observability.audit.file.path is on no volume: mount one into the container \
         lenses-mcp-server in podTemplate",
    )
    .field_path(".observability.audit.file.path")
}

/// A rule without an effect is a mistake.
pub(crate) fn environment_rule_says_something() -> Rule {
    Rule::new("has(self.scopes) || has(self.confirm) || has(self.allow) || has(self.deny)")
        .message("a rule says nothing: write scopes ([] for none), confirm, allow or deny")
}

/// What follows a rule for every environment is never used.
pub(crate) fn rule_for_all_is_last() -> Rule {
    const IS_FOR_ALL: &str = "environments.exists(e, e.matches('^[*]+$'))";
    Rule::new(format!(
        "self.filter(r, r.{IS_FOR_ALL}).size() == 0 || \
         (self.filter(r, r.{IS_FOR_ALL}).size() == 1 && \
         self[self.size() - 1].{IS_FOR_ALL})"
    ))
    .message(
        "a rule for every environment (*) decides, and those after it are never used: write it last"
    )
}

/// A token that HQ has revoked must not live on here for long.
pub(crate) fn at_most_an_hour() -> Rule {
    Rule::new("duration(self) >= duration('0s') && duration(self) <= duration('1h')")
        .message("write a duration from 0s to 1h, such as 30s")
}

/// Often enough to be worth something, seldom enough to be no load.
pub(crate) fn from_ten_seconds_to_a_day() -> Rule {
    Rule::new("duration(self) >= duration('10s') && duration(self) <= duration('24h')")
        .message("write a duration from 10s to 24h, such as 5m")
}

/// Tools are listed to who may call, so there is nothing to compare without a token.
pub(crate) fn expected_tools_need_a_credential() -> Rule {
    Rule::new(
        "!has(self.verification) || !has(self.verification.expectedToolsDigest) || \
         has(self.verification.credentialSecretRef) || \
         (has(self.auth.apiKey) && self.auth.apiKey.callers.anyone)",
    )
    .message(
        "tools are listed to those who have signed in: add verification.credentialSecretRef, or \
         leave expectedToolsDigest out",
    )
    .field_path(".verification.expectedToolsDigest")
}

/// Children carry the resource's name, and a Service's name is the strictest: RFC 1035.
pub(crate) fn name_fits_a_service() -> Rule {
    Rule::new(
        "self.metadata.name.size() <= 63 && \
         self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",
    )
    .message(
        "metadata.name becomes a Service's name: write at most 63 lower-case letters, digits and \
         '-', a letter first",
    )
}
