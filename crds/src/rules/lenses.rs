//! How HQ is reached, and how callers sign in.

use kube::core::Rule;

use super::PRIVATE_OR_TLS;

/// Under OAuth `lenses.url` is also what browsers are sent to, unless `advertisedUrl` says
/// otherwise.
pub(crate) fn lenses_url_fit_for_browsers() -> Rule {
    Rule::new(format!(
        "!has(self.auth.oauth) || has(self.lenses.advertisedUrl) || !has(self.lenses.url) || \
         self.lenses.url.matches('{PRIVATE_OR_TLS}')"
    ))
    .message(
        "lenses.url is plain http, and without lenses.advertisedUrl OAuth sends browsers there: \
         add lenses.advertisedUrl, the https URL of Lenses HQ",
    )
    .field_path(".lenses.url")
}

/// Sign-in cannot be missing by omission.
pub(crate) fn exactly_one_sign_in() -> Rule {
    Rule::new("has(self.auth.oauth) != has(self.auth.apiKey)")
        .message(
            "say how callers sign in: write exactly one of auth.oauth ({} is enough) and \
             auth.apiKey",
        )
        .field_path(".auth")
}

/// HQ is found by address or by Service.
pub(crate) fn exactly_one_lenses() -> Rule {
    Rule::new("has(self.url) != has(self.serviceRef)")
        .message("say where Lenses HQ is: write exactly one of lenses.url and lenses.serviceRef")
}

/// Nobody outside the cluster can dial its DNS names.
pub(crate) fn service_ref_needs_advertised_url() -> Rule {
    Rule::new(
        "!has(self.auth.oauth) || !has(self.lenses.serviceRef) || has(self.lenses.advertisedUrl)",
    )
    .message(
        "lenses.serviceRef with auth.oauth needs lenses.advertisedUrl, the URL at which browsers \
         reach Lenses HQ (its issuerURL)",
    )
    .field_path(".lenses")
}

/// An open port is said out loud, and never beside a token that would then mean nothing.
pub(crate) fn exactly_one_caller() -> Rule {
    Rule::new("has(self.tokenSecretRef) != (has(self.anyone) && self.anyone)").message(
        "say who may call: write exactly one of callers.tokenSecretRef and callers.anyone: true \
         (anyone who reaches the port)",
    )
}

/// A bundle is in a `ConfigMap` or in a Secret.
pub(crate) fn exactly_one_bundle() -> Rule {
    Rule::new("has(self.configMapKeyRef) != has(self.secretKeyRef)").message(
        "say where the certificates are: write exactly one of caBundle.configMapKeyRef and \
         caBundle.secretKeyRef",
    )
}

/// A proxy is written down or taken from the operator.
pub(crate) fn exactly_one_proxy() -> Rule {
    Rule::new("has(self.url) != (has(self.fromEnvironment) && self.fromEnvironment)").message(
        "say which proxy: write exactly one of proxy.url and proxy.fromEnvironment: true (the \
         operator's own)",
    )
}

/// The operator's proxy comes with its own exceptions and credentials.
pub(crate) fn environment_has_the_whole_proxy() -> Rule {
    Rule::new("has(self.url) || (!has(self.noProxy) && !has(self.credentialsSecretRef))").message(
        "leave noProxy and credentialsSecretRef out with proxy.fromEnvironment: the operator's own \
         settings hold",
    )
}

/// Credentials are in a Secret, and TLS to the proxy itself is not supported.
pub(crate) fn proxy_url() -> Rule {
    const HTTP_URL: &str = r"^http://([A-Za-z0-9._-]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?/?$";
    Rule::new(format!("self.matches('{HTTP_URL}')")).message(
        "write the proxy as http://host:port; credentials belong into proxy.credentialsSecretRef",
    )
}
