//! Step 2: the spec and what was read become a server that can be made, or every reason why not.
//! Pure.
//!
//! The API server has already refused what the schema can tell. What is left is what only the
//! operator sees: references, names that are taken, and what a schema cannot say.

mod access;
mod addresses;
mod advertised;
mod body_limit;
mod destinations;
mod host_access;
mod proxy;
mod rejection;
mod server;
mod sign_in;
mod tools;
mod trusted_proxies;
pub(super) mod wanted;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::LocalObjectReference;
use kube::{Resource, ResourceExt};
use lenses_mcp_crds::{LensesMcpServer, LensesMcpServerSpec, TlsSecret};

use super::observed::{ContentVersion, Dereferenced, Observed, Ownership};
use crate::{
    apis::OptionalKind,
    context::Defaults,
    names::ROTATION,
    watching::{
        deployment,
        references::{self, ReferenceKind},
    },
};
use access::Access;
use server::{Contents, Endpoint, Image, LensesHq, Network, Pods};

pub(crate) use destinations::Destination;
pub(crate) use rejection::{Rejection, Rejections};
pub(crate) use server::{Replicas, ValidServer};
pub(crate) use sign_in::{Callers, SignIn};

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
    let allowed_hosts =
        addresses::allowed_hosts(&service_names, &server.spec.endpoint, &mut derived);
    if let Some(tracing) = &server.spec.observability.tracing {
        addresses::checked(
            "spec.observability.tracing.otlpEndpoint",
            &tracing.otlp_endpoint,
            &mut rejections,
        );
    }
    let proxy = proxy::proxy(server, defaults, &mut derived, &mut rejections);
    tools::check(&server.spec.tools, &mut rejections);
    body_limit::check(&server.spec, &mut rejections);
    if !defaults.allow_host_access
        && let Some(template) = &server.spec.pod_template
    {
        // Every key of a template is text, so there is nothing in it that JSON cannot hold.
        let template = serde_json::to_value(template).unwrap_or_default();
        host_access::check(&template, &name, &mut rejections);
    }
    trusted_proxies::check(&server.spec.limits.trusted_proxies, &mut rejections);
    let contents = contents(server, found, &mut rejections);
    rejections.extend(
        found.children.taken().map(|kind| Rejection::NameTaken { kind, name: name.clone() }),
    );
    let owner = server.controller_owner_ref(&());

    let spec = &server.spec;
    let runs = found.children.deployment.own().map(|deployment| &**deployment);
    let access = Access::of(spec);
    let complete = runs.and_then(deployment::complete).is_some();
    let narrowed = access::narrowed(runs, complete, &access, spec.rollout.security_change);
    let mut rejections = rejections.into_iter();
    match (rejections.next(), lenses_url, sign_in, advertised, owner) {
        (None, Some(lenses_url), Some(sign_in), Some(advertised), Some(owner)) => Ok(ValidServer {
            owner,
            network: Network {
                policy: spec.network_policy.clone(),
                destinations: destinations::destinations(
                    server,
                    found,
                    defaults,
                    &lenses_url,
                    &sign_in,
                    proxy.as_ref(),
                ),
                operator_namespace: defaults.operator_namespace.clone(),
            },
            lenses: LensesHq {
                url: lenses_url,
                ca: spec.lenses.ca_bundle.clone(),
                client_certificate: secret_name(spec.lenses.client_certificate.as_ref()),
                proxy,
            },
            sign_in,
            endpoint: Endpoint {
                advertised_url: advertised.url,
                awaits_address: advertised.awaits_address,
                service_names,
                allowed_hosts,
                allowed_origins: spec.endpoint.allowed_origins.clone(),
                tls: secret_name(spec.endpoint.tls.as_ref()),
                service: spec.endpoint.service.clone(),
                service_port: addresses::service_port(server),
                ingress: spec.endpoint.ingress.clone(),
                http_route: spec.endpoint.http_route.clone(),
                verification_mode: spec.verification.mode.unwrap_or(defaults.verification.mode),
            },
            contents,
            image: Image {
                name: spec.image.clone().unwrap_or_else(|| defaults.image.clone()),
                pull_policy: spec.image_pull_policy,
                pull_secrets: pull_secrets(spec, defaults),
            },
            pods: pods(spec),
            tools: spec.tools.clone(),
            call_limits: spec.limits.clone(),
            access,
            narrowed,
            observability: spec.observability.clone(),
            missing_apis: missing_apis(server, &found.children),
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

/// Those of the spec, or the operator's defaults.
fn pull_secrets(spec: &LensesMcpServerSpec, defaults: &Defaults) -> Vec<LocalObjectReference> {
    let own: Vec<_> = spec.image_pull_secrets.iter().map(|secret| &secret.name).collect();
    let names = if own.is_empty() { defaults.image_pull_secrets.iter().collect() } else { own };
    names.into_iter().map(|name| LocalObjectReference { name: name.clone() }).collect()
}

fn secret_name(secret: Option<&TlsSecret>) -> Option<String> {
    secret.map(|secret| secret.secret_name.clone())
}

fn pods(spec: &LensesMcpServerSpec) -> Pods {
    Pods {
        replicas: spec
            .autoscaling
            .clone()
            .map_or(Replicas::Fixed(spec.replicas), Replicas::Autoscaled),
        progress_deadline_seconds: spec.rollout.progress_deadline_seconds,
        max_surge: spec.rollout.max_surge.clone(),
        max_unavailable: spec.rollout.max_unavailable.clone(),
        requests: spec.resources.requests.clone(),
        limits: spec.resources.limits.clone(),
        template: spec.pod_template.clone(),
        disruption_budget: wanted::disruption_budget(spec).then(|| spec.disruption_budget.clone()),
    }
}

/// What stands for the content of what the spec names. What is not there is rejected.
fn contents(
    server: &LensesMcpServer,
    found: &Dereferenced,
    rejections: &mut Vec<Rejection>,
) -> Contents {
    let mut contents = Contents {
        secrets: BTreeMap::new(),
        config_maps: BTreeMap::new(),
        verification: verification_secret(server, found),
        sealing_key: found.children.sealing_key.own().and_then(|secret| secret.uid()),
        rotation: server.annotations().get(ROTATION).cloned(),
    };
    let all = references::references(server).into_iter();
    for reference in all.filter(|reference| reference.field != references::VERIFICATION_CREDENTIAL)
    {
        let (found, known) = match reference.kind {
            ReferenceKind::Secret => (&found.secrets, &mut contents.secrets),
            ReferenceKind::ConfigMap => (&found.config_maps, &mut contents.config_maps),
            ReferenceKind::Service => continue,
        };
        if let Some(Some(version)) = found.get(&reference.name) {
            if reference.rolls {
                known.insert(reference.name, version.clone());
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
    contents
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
    fn pull_secrets_are_the_specs_or_the_operators() {
        let defaults = Defaults { image_pull_secrets: vec!["mirror".to_owned()], ..defaults() };
        let mut server = oauth_server();
        for (own, used) in [(json!([]), "mirror"), (json!([{ "name": "own" }]), "own")] {
            server.spec.image_pull_secrets = serde_json::from_value(own).unwrap();
            let valid = validate(&server, &found(), &defaults).ok().unwrap();
            let names: Vec<_> = valid.image.pull_secrets.iter().map(|s| &s.name[..]).collect();
            assert_eq!(names, [used]);
        }
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
        assert_eq!(valid.image.name, "registry.example/default:1");
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
            assert_eq!(valid(&server).lenses.url, url);
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
                 spec.auth.oauth.introspection.clientCredentialsSecretRef: Secret tools/hq-client \
                 does not exist",
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
                "spec.lenses.serviceRef: Service lenses/hq-service has no port web".to_owned()
            )
        );
    }

    #[test]
    fn ports_are_told_of_services_of_the_own_namespace_only() {
        let mut server = oauth_server();
        let mut port = |namespace: &str, port: serde_json::Value| {
            let reference = json!({ "name": "hq-service", "namespace": namespace, "port": port });
            server.spec.lenses.service_ref = Some(serde_json::from_value(reference).unwrap());
            match validate(&server, &found(), &defaults()) {
                Ok(valid) => serde_json::to_string(&valid.derived).unwrap(),
                Err(rejections) => rejections.message(),
            }
        };
        let own = port("tools", json!("web"));
        assert!(own.ends_with("no port web; it has api (9991), agents (10000)"), "{own}");
        for tried in [json!("web"), json!(1), json!(9991)] {
            let said = port("lenses", tried.clone());
            assert!(!said.contains("api") && !said.contains("agents"), "{tried}: {said}");
        }
    }

    #[test]
    fn a_pod_template_gets_no_host_access_unless_the_settings_allow_it() {
        let mut server = oauth_server();
        let template = json!({ "spec": { "hostNetwork": true, "serviceAccountName": "admin" } });
        server.spec.pod_template = Some(serde_json::from_value(template).unwrap());
        let (reason, message) = refused(&server, &found());
        assert_eq!(reason, Reason::InvalidSpec);
        for field in ["spec.hostNetwork gives", "spec.serviceAccountName gives"] {
            assert!(message.contains(field), "{message}");
        }
        let allowing = Defaults { allow_host_access: true, ..defaults() };
        assert!(validate(&server, &found(), &allowing).is_ok());
    }

    #[test]
    fn every_host_of_the_route_is_answered() {
        let mut server = oauth_server();
        let route = json!({ "httpRoute": {
            "parentRefs": [{ "name": "gw" }],
            "hostnames": ["a.example.com", "b.example.com"],
        } });
        server.spec.endpoint = serde_json::from_value(route).unwrap();
        let endpoint = valid(&server).endpoint;
        assert!(
            endpoint.allowed_hosts.ends_with(&["a.example.com".into(), "b.example.com".into()])
        );
        assert!(endpoint.allowed_hosts.starts_with(&endpoint.service_names));
    }

    #[test]
    fn the_token_of_verification_neither_rolls_the_pods_nor_holds_them_back() {
        let mut server = oauth_server();
        let credential = json!({ "credentialSecretRef": { "name": "probe", "key": "token" } });
        server.spec.verification = serde_json::from_value(credential).unwrap();
        let without = valid(&server);
        assert!(
            !without.contents.secrets.contains_key("probe"),
            "{:?}",
            without.contents.secrets.keys()
        );
        assert_eq!(without.contents.verification, None);
        let mut found = found();
        let version = ContentVersion { uid: "probe-uid".into(), resource_version: "9".into() };
        found.secrets.insert("probe".into(), Some(version.clone()));
        let with = validate(&server, &found, &defaults()).ok().unwrap();
        assert_eq!(
            (with.contents.secrets, with.contents.verification),
            (without.contents.secrets, Some(version))
        );
    }

    #[test]
    fn a_service_in_an_unwatched_namespace_is_reported_as_not_visible() {
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
                json!({
                    "lenses": { "url": "http://hq" }, "auth": { "oauth": {} },
                    "endpoint": { "url": "http://x:y" }
                }),
                "spec.endpoint.url: \"http://x:y\" is not a URL",
            ),
            (
                json!({
                    "lenses": { "url": "http://hq" },
                    "auth": {
                        "apiKey": {
                            "secretKeyRef": { "name": "hq-account", "key": "k" }, "callers": {}
                        }
                    }
                }),
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
        assert_eq!(valid.lenses.url, "http://hq-service.lenses.svc:8443");
    }
}
