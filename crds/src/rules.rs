//! The rules that a manifest must meet, in the CEL of Kubernetes, each with a message that says
//! what to write.
//!
//! They run in the API server, so that `kubectl apply` itself refuses a bad manifest and no webhook
//! is needed. Patterns are used in place of CEL's `url()`, which can show neither user info nor a
//! fragment. Every string that a rule reads has a `maxLength`: the API server estimates a rule's
//! cost from it and refuses a CRD that costs too much.

use kube::core::Rule;

use crate::server_settings::{NAMES, PREFIXES, WITHOUT_FIELD};

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

/// Two routes to one server would be two public URLs, and clients are told one.
pub(crate) fn at_most_one_route() -> Rule {
    Rule::new("!has(self.ingress) || !has(self.httpRoute)")
        .message("write one of endpoint.ingress and endpoint.httpRoute: clients are told one URL")
}

/// Clients are told the URL, and it must lead through the route to the server.
pub(crate) fn ingress_fits_url() -> Rule {
    route_fits_url("ingress", "[self.ingress.host]").message(
        "endpoint.url does not lead through endpoint.ingress: write the host and the path of the \
         ingress into it, or leave it out",
    )
}

/// As [`ingress_fits_url`].
pub(crate) fn http_route_fits_url() -> Rule {
    route_fits_url("httpRoute", "self.httpRoute.hostnames").message(
        "endpoint.url does not lead through endpoint.httpRoute: write one of its hostnames and its \
         path into it, or leave it out",
    )
}

/// A slash at the end of a path means nothing, and ports are the business of whoever forwards them.
fn route_fits_url(route: &str, hosts: &str) -> Rule {
    Rule::new(format!(
        "!has(self.{route}) || !has(self.url) || \
         {hosts}.exists(host, self.url.matches('^https?://' + host + '(:[0-9]+)?' + \
         (self.{route}.path == '/' ? '' : self.{route}.path) + '/?$'))"
    ))
}

/// The address of a load balancer is told to clients, who must not send their tokens there in the
/// clear.
pub(crate) fn load_balancer_is_encrypted() -> Rule {
    Rule::new(
        "!has(self.service) || self.service.type != 'LoadBalancer' || has(self.url) || \
         has(self.tls) || has(self.ingress) || has(self.httpRoute)",
    )
    .message(
        "a load balancer is reached from outside, where plain http is not accepted: write \
         endpoint.tls, or, where TLS ends at the load balancer, endpoint.url",
    )
}

/// A load balancer's settings mean something to a load balancer only.
pub(crate) fn load_balancer_fields_fit_type() -> Rule {
    Rule::new(
        "self.type == 'LoadBalancer' || (!has(self.loadBalancerClass) && \
         !has(self.loadBalancerSourceRanges))",
    )
    .message(
        "loadBalancerClass and loadBalancerSourceRanges need type: LoadBalancer: write it, or \
         leave them out",
    )
}

/// Nothing comes from outside to a Service that is inside only.
pub(crate) fn external_traffic_policy_fits_type() -> Rule {
    Rule::new("self.type != 'ClusterIP' || !has(self.externalTrafficPolicy)").message(
        "externalTrafficPolicy needs type: LoadBalancer or NodePort: write it, or leave \
         externalTrafficPolicy out",
    )
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

/// A range has a lower and an upper end.
pub(crate) fn min_at_most_max() -> Rule {
    Rule::new("self.minReplicas <= self.maxReplicas")
        .message("write a maxReplicas that is at least minReplicas")
}

/// Utilization is in percent of what is asked for: without a request the autoscaler would never
/// act.
pub(crate) fn cpu_target_needs_a_request() -> Rule {
    Rule::new(
        "!has(self.autoscaling) || (has(self.autoscaling.metrics) && \
         !has(self.autoscaling.targetCPUUtilization)) || \
         (has(self.resources.requests) && 'cpu' in self.resources.requests)",
    )
    .message(
        "autoscaling goes by CPU in percent of resources.requests.cpu: write it, or \
         autoscaling.metrics alone",
    )
    .field_path(".resources")
}

/// Without a word about it, the default of one pod would take the place of however many there are.
pub(crate) fn replicas_after_autoscaling() -> Rule {
    Rule::new(
        "!has(oldSelf.autoscaling) || has(self.autoscaling) || self.replicas == 0 || \
         self.replicas >= oldSelf.autoscaling.minReplicas",
    )
    .message(
        "autoscaling is taken away: write replicas, how many pods are to run from now on, 0 or at \
         least the former minReplicas",
    )
    .field_path(".replicas")
}

/// Kubernetes takes one of the two.
pub(crate) fn at_most_one_budget() -> Rule {
    Rule::new("!has(self.minAvailable) || !has(self.maxUnavailable)")
        .message("write one of minAvailable and maxUnavailable, not both")
}

/// As Kubernetes refuses it in a Deployment: no pod could be replaced.
pub(crate) fn rollout_can_move() -> Rule {
    let none =
        |field| format!("(self.{field} == 0 || self.{field} == '0%' || self.{field} == '00%')");
    Rule::new(format!("!({} && {})", none("maxSurge"), none("maxUnavailable")))
        .message("maxSurge and maxUnavailable are both 0, so no pod can be replaced: raise one")
        .field_path(".maxUnavailable")
}

/// What selects the pods, and what the operator tells them by, must not change.
pub(crate) fn pod_labels_are_the_operators() -> Rule {
    Rule::new(
        "!has(self.metadata) || \
         ((!has(self.metadata.labels) || !self.metadata.labels.exists(key, key in \
         ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/managed-by', \
         'app.kubernetes.io/part-of'])) && \
         (!has(self.metadata.annotations) || \
         !self.metadata.annotations.exists(key, key.startsWith('mcp.lenses.io/'))))",
    )
    .message(
        "the labels app.kubernetes.io/name, instance, managed-by and part-of and annotations \
         mcp.lenses.io/... are the operator's: leave them out",
    )
}

/// The labels by which the operator and its watches find their objects.
pub(crate) fn labels_of_others() -> Rule {
    Rule::new("self.all(key, !key.startsWith('app.kubernetes.io/'))")
        .message("the labels app.kubernetes.io/... are the operator's: leave them out")
}

/// What would make the server's container another program.
pub(crate) fn server_container_stays_the_servers() -> Rule {
    Rule::new(
        "!has(self.spec) || !has(self.spec.containers) || \
         self.spec.containers.all(c, c.name != 'lenses-mcp-server' || \
         !(has(c.image) || has(c.command) || has(c.args) || has(c.envFrom) || has(c.ports)))",
    )
    .message(
        "image, command, args, envFrom and ports of the container lenses-mcp-server are the \
         operator's: leave them out (spec.image takes an image, env single variables)",
    )
}

/// The environment wins over the settings that the operator writes.
pub(crate) fn no_settings_in_the_environment() -> Rule {
    let free = WITHOUT_FIELD.join("', '");
    let settings = format!("^(({}).*|{})$", PREFIXES.join("|"), NAMES.join("|"));
    Rule::new(format!(
        "!has(self.spec) || !has(self.spec.containers) || \
         self.spec.containers.all(c, c.name != 'lenses-mcp-server' || \
         !has(c.env) || c.env.all(e, e.name in ['{free}'] || !e.name.matches('{settings}')))"
    ))
    .message(
        "a variable of the container lenses-mcp-server is one of the server's settings: write the \
         field of spec that it stands for",
    )
}

/// Where the server reads its settings and secrets.
pub(crate) fn volumes_of_the_operator() -> Rule {
    Rule::new(
        "!has(self.spec) || ((!has(self.spec.volumes) || \
         self.spec.volumes.all(v, !(v.name in ['settings', 'secrets']))) && \
         (!has(self.spec.containers) || \
         self.spec.containers.all(c, c.name != 'lenses-mcp-server' || !has(c.volumeMounts) || \
         c.volumeMounts.all(m, !m.mountPath.matches('^(/etc|/var/run)/lenses-mcp(/.*)?$')))))",
    )
    .message(
        "the volumes settings and secrets, and what lies under /etc/lenses-mcp and \
         /var/run/lenses-mcp, are the operator's: write other names and paths",
    )
}

/// Only the server's container gets its image from the operator.
pub(crate) fn sidecars_have_images() -> Rule {
    Rule::new(
        "!has(self.spec) || !has(self.spec.containers) || \
         self.spec.containers.all(c, c.name == 'lenses-mcp-server' || has(c.image))",
    )
    .message("a container besides lenses-mcp-server needs an image")
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
