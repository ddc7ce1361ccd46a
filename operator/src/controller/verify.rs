//! Step 5: what is to be looked at, from a server that is valid, and what is known of it. The
//! looking goes on beside the reconciles ([`crate::probe`]).

use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;
use lenses_mcp_crds::{LensesMcpServer, VerificationMode};
use url::Url;

use super::{
    build,
    observed::Pods as DeploymentPods,
    status::rollout::{self, Rollout},
    validate::{Callers, SignIn, ValidServer},
};
use crate::{
    probe::{
        self, AuthorizationServer, Credentials, Endpoint, Known, Lenses, Verifications,
        plan::{Plan, Pods},
        recorded::recorded,
    },
    watching::servers::key,
};

/// What is known of a resource's HQ and endpoint as the spec has them now. Sees to it that they are
/// looked at: at once where something has changed, and again and again.
pub(super) fn verify(
    verifications: &Verifications,
    server: &LensesMcpServer,
    valid: Option<&ValidServer>,
    deployment: Option<&Deployment>,
) -> Known {
    let recorded = recorded(server.status.as_ref());
    let plan = valid.and_then(|valid| plan(server, valid, deployment));
    verifications.verify(&key(server), plan, recorded)
}

/// `None` for a URL that is none, which validation does not let through.
fn plan(
    server: &LensesMcpServer,
    valid: &ValidServer,
    deployment: Option<&Deployment>,
) -> Option<Plan> {
    let (authorization_server, callers) = match &valid.sign_in {
        SignIn::OAuth { issuer, introspection_url, client_registration, .. } => (
            Some(AuthorizationServer {
                issuer: issuer.clone(),
                introspection_url: Url::parse(introspection_url).ok()?,
                client_registration: *client_registration,
            }),
            probe::Callers::SignedIn { issuer: issuer.clone() },
        ),
        SignIn::ApiKey { callers: Callers::Token(_), .. } => (None, probe::Callers::WithToken),
        SignIn::ApiKey { callers: Callers::Anyone, .. } => (None, probe::Callers::Anyone),
    };
    // The Service by its full name.
    let scheme = if server.spec.endpoint.tls.is_some() { "https" } else { "http" };
    let service = format!(
        "{scheme}://{}:{}",
        valid.endpoint.service_names.last()?,
        valid.endpoint.service_port
    );
    Some(Plan {
        lenses: Arc::new(Lenses { url: Url::parse(&valid.lenses.url).ok()?, authorization_server }),
        endpoint: Arc::new(Endpoint {
            url: format!("{}/mcp", valid.endpoint.advertised_url),
            service: Url::parse(&service).ok()?,
            mode: valid.endpoint.verification_mode,
            callers,
            expected_tools: server.spec.verification.expected_tools_digest.clone(),
        }),
        pods: match valid.endpoint.verification_mode {
            VerificationMode::Off => Pods::NotAsked,
            VerificationMode::Endpoint | VerificationMode::Service => pods(deployment),
        },
        credentials: Credentials::of(server, valid.lenses.proxy.as_ref()),
        interval: server.spec.verification.interval.into(),
        revision: revision(valid, deployment),
    })
}

fn pods(deployment: Option<&Deployment>) -> Pods {
    let available = deployment
        .and_then(|deployment| deployment.status.as_ref()?.available_replicas)
        .unwrap_or(0);
    // Why pods are not up is another's question.
    match rollout::rollout(deployment, &DeploymentPods::default(), None) {
        Rollout::Complete { pods: 0 } => Pods::NotAsked,
        _ if available == 0 => Pods::None,
        Rollout::Complete { .. } => Pods::Settled,
        _ => Pods::Changing,
    }
}

fn revision(valid: &ValidServer, deployment: Option<&Deployment>) -> Vec<String> {
    let deployment = deployment.and_then(|deployment| build::digest_of(&deployment.metadata));
    let contents = valid
        .contents
        .secrets
        .values()
        .chain(valid.contents.config_maps.values())
        .chain(&valid.contents.verification);
    deployment.into_iter().chain(contents.map(|version| version.resource_version.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::controller::{
        fixtures::{api_key_server, defaults, found, oauth_server, valid},
        validate::validate,
    };

    fn of(server: &LensesMcpServer, deployment: Option<&Deployment>) -> Plan {
        plan(server, &valid(server), deployment).unwrap()
    }

    fn deployment(available: i32, wanted: i32, digest: &str) -> Deployment {
        serde_json::from_value(json!({
            "metadata": { "generation": 1, "annotations": { "mcp.lenses.io/digest": digest } },
            "spec": { "replicas": wanted, "selector": {}, "template": {} },
            "status": {
                "observedGeneration": 1, "replicas": wanted, "updatedReplicas": wanted,
                "availableReplicas": available,
            },
        }))
        .unwrap()
    }

    #[test]
    fn what_the_spec_says_is_what_is_looked_at() {
        let plan = of(&oauth_server(), None);
        assert_eq!(plan.lenses.url.as_str(), "http://hq-service.lenses.svc:9991/");
        let server = plan.lenses.authorization_server.as_ref().unwrap();
        assert_eq!(server.issuer, "https://hq.example.com");
        assert_eq!(
            server.introspection_url.as_str(),
            "http://hq-service.lenses.svc:9991/oauth2/introspect"
        );
        assert_eq!(plan.endpoint.url, "https://mcp.example.com/mcp");
        assert_eq!(plan.endpoint.service.as_str(), "http://team-mcp.tools.svc.cluster.local/");
        assert_eq!(plan.interval, Duration::from_mins(5));
        assert_eq!(plan.endpoint.expected_tools, None);

        let mut server = api_key_server();
        let verification = json!({ "interval": "30s", "expectedToolsDigest": "sha256:0" });
        server.spec.verification = serde_json::from_value(verification).unwrap();
        let plan = of(&server, None);
        assert_eq!(plan.interval, Duration::from_secs(30));
        assert_eq!(plan.endpoint.expected_tools.as_deref(), Some("sha256:0"));
        assert_eq!(
            (&plan.lenses.authorization_server, &plan.endpoint.callers),
            (&None, &probe::Callers::WithToken)
        );
        server.spec.auth.api_key.as_mut().unwrap().callers =
            lenses_mcp_crds::Callers { token_secret_ref: None, anyone: true };
        assert_eq!(of(&server, None).endpoint.callers, probe::Callers::Anyone);
    }

    #[test]
    fn the_mode_of_the_resource_counts_before_the_default() {
        use VerificationMode::{Endpoint, Off, Service};
        let serving = deployment(2, 2, "d");
        for (own, default, mode, pods) in [
            (None, Endpoint, Endpoint, Pods::Settled),
            (None, Off, Off, Pods::NotAsked),
            (Some(Service), Off, Service, Pods::Settled),
            (Some(Off), Endpoint, Off, Pods::NotAsked),
        ] {
            let mut server = oauth_server();
            server.spec.verification.mode = own;
            let mut defaults = defaults();
            defaults.verification.mode = default;
            let valid = validate(&server, &found(), &defaults).ok().unwrap();
            let plan = plan(&server, &valid, Some(&serving)).unwrap();
            assert_eq!((plan.endpoint.mode, plan.pods), (mode, pods), "{own:?} {default:?}");
        }
    }

    #[test]
    fn the_endpoint_is_there_while_a_pod_is_available() {
        for (available, wanted, pods) in [
            (0, 0, Pods::NotAsked),
            (0, 2, Pods::None),
            (1, 2, Pods::Changing),
            (2, 2, Pods::Settled),
        ] {
            assert_eq!(
                of(&oauth_server(), Some(&deployment(available, wanted, "d"))).pods,
                pods,
                "{available}/{wanted}"
            );
        }
        assert_eq!(of(&oauth_server(), None).pods, Pods::None);
    }

    #[test]
    fn other_pods_and_other_secrets_are_a_reason_to_look_at_once() {
        let server = oauth_server();
        let before = of(&server, Some(&deployment(2, 2, "one")));
        assert_eq!(before, of(&server, Some(&deployment(2, 2, "one"))));
        assert_ne!(before, of(&server, Some(&deployment(2, 2, "two"))));
        let mut changed = valid(&server);
        changed.contents.secrets.get_mut("hq-client").unwrap().resource_version = "other".into();
        assert_ne!(Some(before), plan(&server, &changed, Some(&deployment(2, 2, "one"))));
    }
}
