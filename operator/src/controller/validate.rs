//! Step 2: the spec and what was read become a server that can be made, or every reason why not. Pure.
//!
//! The API server has already refused what the schema can tell. What is left is what only the operator sees: references, names
//! that are taken, and what a schema cannot say.

mod access;
mod addresses;
mod advertised;
mod body_limit;
mod destinations;
mod rejection;
mod sign_in;
mod tools;
mod trusted_proxies;
pub(super) mod wanted;

use std::collections::BTreeMap;

use k8s_openapi::{
    api::core::v1::{LocalObjectReference, PodTemplateSpec},
    apimachinery::pkg::{api::resource::Quantity, apis::meta::v1::OwnerReference},
};
use kube::{Resource, ResourceExt};
use lenses_mcp_crds::{
    Autoscaling, CaBundle, DerivedSetting, DisruptionBudget, HttpRoute, ImagePullPolicy, Ingress,
    LensesMcpServer, Limits, NetworkPolicy, Observability, Service, Tools,
};

use super::observed::{ContentVersion, Dereferenced, Observed, Ownership};
use crate::{
    apis::OptionalKind,
    context::Defaults,
    names::ROTATION,
    upgrades,
    watching::{
        deployment,
        references::{self, ReferenceKind},
    },
};
use access::Access;

pub(crate) use destinations::Destination;
pub(crate) use rejection::{Rejection, Rejections};
pub(crate) use sign_in::{Callers, SignIn};

/// A server that can be made. Builders take nothing else.
pub(crate) struct ValidServer {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) owner: OwnerReference,
    /// HQ as the pods reach it.
    pub(crate) lenses_url: String,
    /// The server's public URL, without `/mcp` and without a slash at its end.
    pub(crate) advertised_url: String,
    /// The names by which the Service is called inside the cluster.
    pub(crate) service_names: Vec<String>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) sign_in: SignIn,
    /// Whether the address that `advertised_url` is to have is yet to be assigned to the load balancer.
    pub(crate) awaits_address: bool,
    /// What stands for the content of each Secret that the pods read at their start, by the Secret's name.
    pub(crate) secrets: BTreeMap<String, ContentVersion>,
    /// The same of each `ConfigMap`.
    pub(crate) config_maps: BTreeMap<String, ContentVersion>,
    /// The authorities that HQ's certificate is checked with, besides the system's.
    pub(crate) lenses_ca: Option<CaBundle>,
    /// The Secret with what is shown to HQ.
    pub(crate) lenses_client_certificate: Option<String>,
    /// The Secret with what clients are shown; none means plain HTTP.
    pub(crate) tls: Option<String>,
    pub(crate) tools: Tools,
    pub(crate) call_limits: Limits,
    pub(crate) ingress: Option<Ingress>,
    pub(crate) http_route: Option<HttpRoute>,
    /// What cannot be made since the cluster lacks its kind. Everything else is made.
    pub(crate) missing_apis: Vec<Rejection>,
    /// The last wish for a new sealing key.
    pub(crate) rotation: Option<String>,
    /// What stands for the content of the Secret whose token verification shows, if it is there.
    pub(crate) verification_secret: Option<ContentVersion>,
    /// The uid of the Secret with the sealing key, once it has been made.
    pub(crate) sealing_key: Option<String>,
    pub(crate) service: Service,
    pub(crate) service_port: i32,
    /// The image that it is to run now.
    pub(crate) image: String,
    /// What it served with before the default image took that one's place.
    pub(crate) upgraded_from: Option<String>,
    /// The default image, while it waits for its turn to run it.
    pub(crate) waits_for: Option<String>,
    /// What it lets its callers do.
    pub(crate) access: Access,
    /// What that no longer lets them do, if the old pods have to go first for it.
    pub(crate) narrowed: Option<String>,
    pub(crate) progress_deadline_seconds: i32,
    pub(crate) image_pull_policy: ImagePullPolicy,
    pub(crate) image_pull_secrets: Vec<LocalObjectReference>,
    pub(crate) replicas: Replicas,
    pub(crate) observability: Observability,
    /// What is merged into the pods.
    pub(crate) pod_template: Option<Box<PodTemplateSpec>>,
    /// `None` where there is to be none.
    pub(crate) disruption_budget: Option<DisruptionBudget>,
    pub(crate) network_policy: NetworkPolicy,
    /// What the pods connect to.
    pub(crate) destinations: Vec<Destination>,
    /// Where the operator runs.
    pub(crate) operator_namespace: String,
    pub(crate) requests: BTreeMap<String, Quantity>,
    pub(crate) limits: BTreeMap<String, Quantity>,
    /// What the spec leaves open, with the rule that decided it.
    pub(crate) derived: Vec<DerivedSetting>,
}

/// How many pods there are to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Replicas {
    /// So many.
    Fixed(i32),
    /// As many as the autoscaler says.
    Autoscaled(Autoscaling),
}

/// Judges the spec together with what was read.
pub(crate) fn validate(
    server: &LensesMcpServer,
    found: &Dereferenced,
    defaults: &Defaults,
) -> Result<ValidServer, Rejections> {
    let mut rejections = Vec::new();
    let mut derived = Vec::new();
    let (name, namespace) = (server.name_any(), server.namespace().unwrap_or_default());

    let lenses_url = addresses::lenses_url(server, found, defaults, &mut derived, &mut rejections);
    let sign_in = sign_in::sign_in(server, lenses_url.as_deref(), &mut derived, &mut rejections);
    let service_names = addresses::service_names(&name, &namespace, &defaults.cluster_domain);
    let advertised =
        advertised::advertised(server, &service_names, found, &mut derived, &mut rejections);
    derived.push(DerivedSetting {
        setting: "MCP_ALLOWED_HOSTS".to_owned(),
        value: service_names.join(","),
        rule: "the DNS names of the Service".to_owned(),
    });
    if let Some(tracing) = &server.spec.observability.tracing {
        addresses::checked(
            "spec.observability.tracing.otlpEndpoint",
            &tracing.otlp_endpoint,
            &mut rejections,
        );
    }
    tools::check(&server.spec.tools, &mut rejections);
    body_limit::check(&server.spec, &mut rejections);
    trusted_proxies::check(&server.spec.limits.trusted_proxies, &mut rejections);
    let (secrets, config_maps) = contents(server, found, &mut rejections);
    names_taken(&name, &found.children, &mut rejections);
    let owner = server.controller_owner_ref(&());

    let spec = &server.spec;
    let runs = found.children.deployment.own().map(|deployment| &**deployment);
    let turn = upgrades::turn(spec.image.as_ref(), &defaults.image, runs, found.called);
    let access = Access::of(spec);
    let complete = runs.and_then(deployment::complete).is_some();
    let narrowed = access::narrowed(runs, complete, &access, spec.rollout.security_change);
    let mut rejections = rejections.into_iter();
    match (rejections.next(), lenses_url, sign_in, advertised, owner) {
        (None, Some(lenses_url), Some(sign_in), Some(advertised), Some(owner)) => Ok(ValidServer {
            owner,
            advertised_url: advertised.url,
            awaits_address: advertised.awaits_address,
            service_names,
            allowed_origins: spec.endpoint.allowed_origins.clone(),
            secrets,
            config_maps,
            lenses_ca: spec.lenses.ca_bundle.clone(),
            lenses_client_certificate: spec
                .lenses
                .client_certificate
                .as_ref()
                .map(|secret| secret.secret_name.clone()),
            tls: spec.endpoint.tls.as_ref().map(|secret| secret.secret_name.clone()),
            tools: spec.tools.clone(),
            call_limits: spec.limits.clone(),
            ingress: spec.endpoint.ingress.clone(),
            http_route: spec.endpoint.http_route.clone(),
            missing_apis: missing_apis(server, &found.children),
            rotation: server.annotations().get(ROTATION).cloned(),
            verification_secret: verification_secret(server, found),
            sealing_key: found.children.sealing_key.own().and_then(|secret| secret.uid()),
            service: spec.endpoint.service.clone(),
            service_port: addresses::service_port(server),
            image: turn.image,
            upgraded_from: turn.upgraded_from,
            waits_for: turn.waits.then(|| defaults.image.clone()),
            access,
            narrowed,
            progress_deadline_seconds: spec.rollout.progress_deadline_seconds,
            image_pull_policy: spec.image_pull_policy,
            image_pull_secrets: spec
                .image_pull_secrets
                .iter()
                .map(|secret| LocalObjectReference { name: secret.name.clone() })
                .collect(),
            replicas: spec
                .autoscaling
                .clone()
                .map_or(Replicas::Fixed(spec.replicas), Replicas::Autoscaled),
            observability: spec.observability.clone(),
            pod_template: spec.pod_template.clone(),
            disruption_budget: wanted::disruption_budget(spec)
                .then(|| spec.disruption_budget.clone()),
            network_policy: spec.network_policy.clone(),
            destinations: destinations::destinations(
                server,
                found,
                defaults,
                &lenses_url,
                &sign_in,
            ),
            operator_namespace: defaults.operator_namespace.clone(),
            requests: spec.resources.requests.clone(),
            limits: spec.resources.limits.clone(),
            lenses_url,
            sign_in,
            derived,
            name,
            namespace,
        }),
        (first, ..) => Err(Rejections::new(
            first.unwrap_or(Rejection::InvalidSpec {
                field: "metadata.uid",
                message: "the resource was not read from an API server".to_owned(),
            }),
            rejections.collect(),
        )),
    }
}

type Contents = BTreeMap<String, ContentVersion>;

/// What stands for the content of each Secret and of each `ConfigMap` that a change of rolls the pods.
fn contents(
    server: &LensesMcpServer,
    found: &Dereferenced,
    rejections: &mut Vec<Rejection>,
) -> (Contents, Contents) {
    let (mut secrets, mut config_maps) = (Contents::new(), Contents::new());
    let all = references::references(server).into_iter();
    for reference in all.filter(|reference| reference.field != references::VERIFICATION_CREDENTIAL)
    {
        let (found, contents) = match reference.kind {
            ReferenceKind::Secret => (&found.secrets, &mut secrets),
            ReferenceKind::ConfigMap => (&found.config_maps, &mut config_maps),
            ReferenceKind::Service => continue,
        };
        if let Some(Some(version)) = found.get(&reference.name) {
            if reference.rolls {
                contents.insert(reference.name, version.clone());
            }
        } else {
            rejections.push(Rejection::ReferenceNotFound {
                field: reference.field,
                kind: reference.kind.as_str(),
                namespace: reference.namespace,
                name: reference.name,
                hint: String::new(),
            });
        }
    }
    (secrets, config_maps)
}

fn missing_apis(server: &LensesMcpServer, children: &Observed) -> Vec<Rejection> {
    fn missing<K: OptionalKind>(
        server: &LensesMcpServer,
        standing: &Ownership<K>,
        field: &'static str,
        kind: &'static str,
        install: &'static str,
    ) -> Option<Rejection> {
        let missing = K::is_wanted(server) && matches!(standing, Ownership::NoApi);
        missing.then_some(Rejection::MissingApi { field, kind, install })
    }
    let route = missing(
        server,
        &children.http_route,
        "spec.endpoint.httpRoute",
        "HTTPRoute (gateway.networking.k8s.io/v1)",
        "the Gateway API's CRDs",
    );
    let monitor = missing(
        server,
        &children.service_monitor,
        "spec.observability.metrics.serviceMonitor",
        "ServiceMonitor (monitoring.coreos.com/v1)",
        "the Prometheus operator's CRDs",
    );
    route.into_iter().chain(monitor).collect()
}

fn verification_secret(server: &LensesMcpServer, found: &Dereferenced) -> Option<ContentVersion> {
    let credential = server.spec.verification.credential_secret_ref.as_ref()?;
    found.secrets.get(&credential.name).cloned().flatten()
}

fn names_taken(name: &str, children: &Observed, rejections: &mut Vec<Rejection>) {
    fn taken<K>(kind: &'static str, standing: &Ownership<K>) -> Option<&'static str> {
        matches!(standing, Ownership::Taken).then_some(kind)
    }
    let Observed {
        service_account,
        sealing_key,
        config_map,
        service,
        deployment,
        ingress,
        http_route,
        horizontal_pod_autoscaler,
        pod_disruption_budget,
        network_policy,
        service_monitor,
    } = children;
    let kinds = [
        taken("ServiceAccount", service_account),
        taken("Secret", sealing_key),
        taken("ConfigMap", config_map),
        taken("Service", service),
        taken("Deployment", deployment),
        taken("Ingress", ingress),
        taken("HTTPRoute", http_route),
        taken("HorizontalPodAutoscaler", horizontal_pod_autoscaler),
        taken("PodDisruptionBudget", pod_disruption_budget),
        taken("NetworkPolicy", network_policy),
        taken("ServiceMonitor", service_monitor),
    ];
    rejections.extend(
        kinds
            .into_iter()
            .flatten()
            .map(|kind| Rejection::NameTaken { kind, name: name.to_owned() }),
    );
}

#[cfg(test)]
mod tests {

    use lenses_mcp_crds::conditions::Reason;
    use serde_json::json;

    use super::*;
    use crate::controller::fixtures::{
        api_key_server, defaults, found, oauth_server, server, valid,
    };

    fn refused(server: &LensesMcpServer, found: &Dereferenced) -> (Reason, String) {
        let rejections = validate(server, found, &defaults()).err().unwrap();
        (rejections.reason(), rejections.message())
    }

    #[test]
    fn what_the_spec_leaves_open_is_derived_and_each_rule_is_said() {
        let server = server(
            &json!({ "lenses": { "url": "https://hq.example.com/" }, "auth": { "oauth": {} } }),
        );
        let valid = valid(&server);
        let derived: Vec<_> =
            valid.derived.iter().map(|d| (&d.setting[..], &d.value[..], &d.rule[..])).collect();
        assert_eq!(
            derived,
            [
                (
                    "LENSES_ADVERTISED_URL",
                    "https://hq.example.com/",
                    "spec.lenses.url, since spec.lenses.advertisedUrl is not set"
                ),
                (
                    "INTROSPECTION_URL",
                    "https://hq.example.com/oauth2/introspect",
                    "LENSES_URL and /oauth2/introspect"
                ),
                (
                    "MCP_ADVERTISED_URL",
                    "http://team-mcp.tools.svc.cluster.local",
                    "the DNS name of the Service, since spec.endpoint says nothing else"
                ),
                (
                    "MCP_ALLOWED_HOSTS",
                    "team-mcp,team-mcp.tools,team-mcp.tools.svc,team-mcp.tools.svc.cluster.local",
                    "the DNS names of the Service"
                ),
            ]
        );
        assert_eq!(valid.image, "registry.example/default:1");
    }

    #[test]
    fn lenses_is_found_through_its_service_by_port_name_or_number() {
        for (port, path, url) in [
            (json!("api"), "", "http://hq-service.lenses.svc:9991"),
            (json!(10000), "/lenses", "https://hq-service.lenses.svc:10000/lenses"),
        ] {
            let mut server = oauth_server();
            let reference = server.spec.lenses.service_ref.as_mut().unwrap();
            reference.port = serde_json::from_value(port).unwrap();
            path.clone_into(&mut reference.path);
            if !path.is_empty() {
                reference.scheme = lenses_mcp_crds::Scheme::Https;
            }
            assert_eq!(valid(&server).lenses_url, url);
        }
        assert_eq!(
            valid(&oauth_server()).derived[0].rule,
            "Service lenses/hq-service, port api (9991)"
        );
    }

    #[test]
    fn what_is_missing_is_named_with_the_field_that_names_it() {
        let mut nothing = found();
        nothing.secrets.values_mut().for_each(|version| *version = None);
        nothing.lenses_service = None;
        for (server, message) in [
            (
                oauth_server(),
                "spec.lenses.serviceRef: Service lenses/hq-service does not exist; \
                 spec.auth.oauth.introspection.clientCredentialsSecretRef: Secret tools/hq-client does not exist",
            ),
            (
                api_key_server(),
                "spec.auth.apiKey.secretKeyRef: Secret tools/hq-account does not exist; \
                 spec.auth.apiKey.callers.tokenSecretRef: Secret tools/our-callers does not exist",
            ),
        ] {
            assert_eq!(refused(&server, &nothing), (Reason::ReferenceNotFound, message.to_owned()));
        }
        let mut server = oauth_server();
        server.spec.lenses.service_ref.as_mut().unwrap().port =
            serde_json::from_value(json!("web")).unwrap();
        assert_eq!(
            refused(&server, &found()),
            (
                Reason::ReferenceNotFound,
                "spec.lenses.serviceRef: Service lenses/hq-service has no port web; it has api (9991), agents (10000)"
                    .to_owned()
            )
        );
    }

    #[test]
    fn the_token_of_verification_neither_rolls_the_pods_nor_holds_them_back() {
        let mut server = oauth_server();
        let credential = json!({ "credentialSecretRef": { "name": "probe", "key": "token" } });
        server.spec.verification = serde_json::from_value(credential).unwrap();
        let without = valid(&server);
        assert!(!without.secrets.contains_key("probe"), "{:?}", without.secrets.keys());
        assert_eq!(without.verification_secret, None);
        let mut found = found();
        let version = ContentVersion { uid: "probe-uid".into(), resource_version: "9".into() };
        found.secrets.insert("probe".into(), Some(version.clone()));
        let with = validate(&server, &found, &defaults()).ok().unwrap();
        assert_eq!((with.secrets, with.verification_secret), (without.secrets, Some(version)));
    }

    #[test]
    fn a_service_in_a_namespace_that_is_not_watched_is_said_to_be_out_of_sight() {
        let mut found = found();
        found.lenses_service = None;
        let defaults = Defaults { namespaces: vec!["tools".to_owned()], ..defaults() };
        let rejections = validate(&oauth_server(), &found, &defaults).err().unwrap();
        assert!(
            rejections.message().contains("it does not watch that namespace"),
            "{}",
            rejections.message()
        );
    }

    #[test]
    fn a_taken_name_is_named_by_kind() {
        let mut found = found();
        found.children.deployment = Ownership::Taken;
        found.children.service = Ownership::Taken;
        let (reason, message) = refused(&oauth_server(), &found);
        assert_eq!(reason, Reason::NameTaken);
        assert!(message.starts_with("Service team-mcp belongs to someone else"), "{message}");
        assert!(message.contains("Deployment team-mcp belongs to someone else"), "{message}");
    }

    #[test]
    fn a_spec_that_got_past_the_schema_is_refused_here() {
        for (spec, said) in [
            (json!({ "lenses": { "url": "https://hq" } }), "spec.auth: write exactly one"),
            (json!({ "lenses": {}, "auth": { "oauth": {} } }), "spec.lenses: write exactly one"),
            (
                json!({ "lenses": { "url": "http://hq:70000" }, "auth": { "oauth": {} } }),
                "spec.lenses.url: \"http://hq:70000\" is not a URL",
            ),
            (
                json!({ "lenses": { "url": "http://hq" }, "auth": { "oauth": {} }, "endpoint": { "url": "http://x:y" } }),
                "spec.endpoint.url: \"http://x:y\" is not a URL",
            ),
            (
                json!({ "lenses": { "url": "http://hq" }, "auth": { "apiKey": { "secretKeyRef": { "name": "hq-account", "key": "k" }, "callers": {} } } }),
                "spec.auth.apiKey.callers: write exactly one",
            ),
        ] {
            let (reason, message) = refused(&server(&spec), &found());
            assert_eq!(reason, Reason::InvalidSpec, "{spec}");
            assert!(message.contains(said), "{spec} gave {message}");
        }
    }

    #[test]
    fn a_service_without_ports_leaves_the_number_to_the_author() {
        let mut found = found();
        found.lenses_service =
            Some(serde_json::from_value(json!({ "spec": { "type": "ExternalName" } })).unwrap());
        let mut server = oauth_server();
        server.spec.lenses.service_ref.as_mut().unwrap().port =
            serde_json::from_value(json!(8443)).unwrap();
        let valid = validate(&server, &found, &defaults()).ok().unwrap();
        assert_eq!(valid.lenses_url, "http://hq-service.lenses.svc:8443");
    }
}
