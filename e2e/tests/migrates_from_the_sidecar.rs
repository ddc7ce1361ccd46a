//! The steps that `kubectl lmcp migrate` prints, taken as printed while clients call: no call
//! fails, and nobody signs in again.
//!
//! The sidecar's stand-in is the server's image, as a Deployment with the variables, Service and
//! Ingress of the lenses-hq chart.

#![cfg(target_os = "linux")]

use std::{fs, path::Path, time::Duration};

use lenses_mcp_crds::yaml;
use lenses_mcp_e2e::{
    bed::{Authority, Bed, Hq, Publishes, Traefik, Trouble, prove},
    client::{Application, Clients, Ticks},
};
use serde_json::{Value, json};

#[tokio::test]
async fn the_steps_of_migrate_replace_the_sidecar_without_a_failed_call() {
    prove(|bed| async move {
        let (hq, authority) = (bed.hq().await?, Authority::new()?);
        let traefik = bed.traefik(Publishes::Ingresses, &authority).await?;
        let url = format!("https://{}/mcp", traefik.host());
        let release = Release::install(&bed, &hq, &traefik, &authority).await?;
        traefik.until_it_leads_on(&url).await?;
        let claude = Application::new("Claude", &url, "alice")?.trusting(authority.pem());
        let alice = claude.sign_in(Ticks::AsAsked).await?;
        let mut clients = Clients::default();
        clients.start(&claude, &alice.access_token().await?, 2, Duration::ZERO).await?;
        clients.still_call("the start at the sidecar").await?;

        let printed = release.migrate(&[]).await?;
        for command in printed.commands("kubectl create configmap") {
            bed.shell(&command).await?;
        }
        let transition = release.migrate(&["--transition"]).await?;
        bed.apply_until_ready(&transition.resource).await?;
        for command in printed.commands("kubectl patch ingress") {
            bed.shell(&command).await?;
        }
        clients.still_call("the host leads to the new server").await?;

        // What `helm upgrade` with mcp.enabled=false takes away. It leaves an Ingress that says so.
        for command in printed.commands("kubectl annotate ingress") {
            bed.shell(&command).await?;
        }
        let sidecar = format!("{}-mcp", hq.name());
        bed.kubectl(&["delete", "deployment,service", &sidecar, "--wait"], None).await?;
        clients.still_call("the sidecar is gone").await?;

        bed.apply_until_ready(&printed.resource).await?;
        for command in printed.commands("kubectl delete ingress") {
            bed.shell(&command).await?;
        }
        clients.still_call("the resource has its own Ingress").await?;
        let result = alice.call("list_environments", json!({})).await?;
        assert_ne!(result.is_error, Some(true), "alice is not signed in any more: {result:?}");
        println!("{} calls, none failed", clients.end().await?);
        Ok(())
    })
    .await;
}

/// What `migrate` printed.
struct Printed {
    resource: Value,
    notes: String,
}

impl Printed {
    /// Its command lines that begin so: at least one.
    fn commands(&self, start: &str) -> Vec<String> {
        let lines = self.notes.lines().map(str::trim_start);
        let commands: Vec<_> =
            lines.filter(|line| line.starts_with(start)).map(str::to_owned).collect();
        assert!(!commands.is_empty(), "{start} is not in {}", self.notes);
        commands
    }
}

/// A release of the chart: its values, and the sidecar that they make.
struct Release<'a> {
    bed: &'a Bed,
    values: String,
}

impl<'a> Release<'a> {
    async fn install(
        bed: &'a Bed,
        hq: &Hq,
        traefik: &Traefik,
        authority: &Authority,
    ) -> Result<Self, Trouble> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(&bed.namespace);
        fs::create_dir_all(&directory)?;
        let authorities = directory.join("ca.pem");
        fs::write(&authorities, authority.pem())?;
        let (name, host) = (hq.name(), traefik.host());
        let url = format!("https://{host}");
        let more = json!([
            // Calls without a pause are more than a person makes.
            {"name": "MCP_CALLS_PER_MINUTE_PER_USER", "value": "0"},
            {"name": "SSL_CERT_FILE", "value": authorities},
        ]);
        let values = json!({
            "fullnameOverride": name,
            "servicePort": 9991,
            "lensesHq": {"auth": {"oauth2": {"authorizationServer": {
                "enabled": true, "issuerURL": hq.issuer(), "dcr": true,
                "unauthenticatedIntrospection": true,
            }}}},
            "mcp": {
                "enabled": true,
                "lensesAdvertisedUrl": hq.issuer(),
                "mcpAdvertisedUrl": url,
                "additionalEnv": more,
                "ingress": {
                    "enabled": true, "host": host, "ingressClassName": "traefik",
                    "tls": {"enabled": true, "secretName": "traefik"},
                },
            },
        });
        let file = directory.join("values.yaml");
        fs::write(&file, yaml::to_string(&values)?)?;
        let variables = json!([
            {"name": "TRANSPORT", "value": "http"},
            {"name": "OAUTH_ENABLED", "value": "true"},
            {"name": "LENSES_URL", "value": format!("http://{}:9991", bed.host(name))},
            {"name": "LENSES_ADVERTISED_URL", "value": hq.issuer()},
            {"name": "MCP_ADVERTISED_URL", "value": url},
            {"name": "MCP_CALLS_PER_MINUTE_PER_USER", "value": "0"},
        ]);
        let sidecar = format!("{name}-mcp");
        bed.apply(&deployment(&sidecar, &variables)).await?;
        bed.apply(&json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": sidecar},
            "spec": {
                "selector": {"app": sidecar},
                "ports": [{"name": "mcp", "port": 80, "targetPort": "mcp"}],
            },
        }))
        .await?;
        let service = json!({"name": sidecar, "port": {"number": 80}});
        bed.apply(&json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": sidecar},
            "spec": {
                "ingressClassName": "traefik",
                "rules": [{"host": host, "http": {"paths": [
                    {"path": "/", "pathType": "Prefix", "backend": {"service": service}},
                ]}}],
                "tls": [{"hosts": [host], "secretName": "traefik"}],
            },
        }))
        .await?;
        let rollout = format!("deployment/{sidecar}");
        bed.kubectl(&["rollout", "status", &rollout, "--timeout=90s"], None).await?;
        Ok(Self { bed, values: file.display().to_string() })
    }

    async fn migrate(&self, more: &[&str]) -> Result<Printed, Trouble> {
        let arguments = ["migrate", "-f", &self.values, "--namespace", &self.bed.namespace];
        let said = self.bed.lmcp(&[&arguments[..], more].concat(), "").await?;
        assert_eq!(said.status, 0, "{said:?}");
        let resource = yaml::from_documents(&said.out)?.pop().ok_or("no resource")?;
        Ok(Printed { resource, notes: said.err })
    }
}

fn deployment(name: &str, variables: &Value) -> Value {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "automountServiceAccountToken": false,
                "securityContext": {
                    "runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [{
                    "name": "mcp",
                    "image": concat!("lensesio/lenses-mcp-server:", env!("CARGO_PKG_VERSION")),
                    "env": variables,
                    "ports": [{"name": "mcp", "containerPort": 8000}],
                    "readinessProbe": {"tcpSocket": {"port": "mcp"}, "periodSeconds": 1},
                    "securityContext": {
                        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }],
            }},
        },
    })
}
