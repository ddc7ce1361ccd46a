//! `doctor`, run in the cluster as `examples/doctor.yaml` runs it, with that example's rights and
//! no more: each link of a server that is broken is named, with what to change.

#![cfg(target_os = "linux")]

use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Pod, Service},
    rbac::v1::Role,
};
use kube::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams},
};
use lenses_mcp_crds::{LensesMcpServer, yaml};
use lenses_mcp_e2e::{
    bed::{Authority, Bed, OptionalApi, Publishes, Trouble, condition, prove, until},
    client::{Application, Ticks},
};
use serde_json::{Value, json};

const EXAMPLE: &str = include_str!("../../examples/doctor.yaml");
const PAGE: &str = include_str!("../../docs/commands.md");
/// The resource that the example examines.
const NAME: &str = "lenses-mcp";

#[tokio::test]
async fn each_link_that_is_broken_is_named_with_what_to_change() {
    prove(|bed| async move {
        OptionalApi::Gateway.remove().await?;
        let proved = links_break(&bed).await;
        OptionalApi::Gateway.remove().await?;
        proved
    })
    .await;
}

async fn links_break(bed: &Bed) -> Result<(), Trouble> {
    let (hq, authority) = (bed.hq().await?, Authority::new()?);
    bed.apply(&authority.config_map("authorities")).await?;
    let traefik = bed.traefik(Publishes::Ingresses, &authority).await?;
    let mut whole = bed.oauth_server(NAME, &hq);
    whole["spec"]["lenses"]["caBundle"] =
        json!({"configMapKeyRef": {"name": "authorities", "key": "ca.crt"}});
    whole["spec"]["endpoint"]["ingress"] =
        json!({"host": traefik.host(), "className": "traefik", "tls": {"secretName": "traefik"}});
    let url = format!("https://{}/mcp", traefik.host());
    bed.apply_until_ready(&whole).await?;
    traefik.until_it_leads_on(&url).await?;
    let alice = Application::new("Claude", &url, "alice")?
        .trusting(authority.pem())
        .sign_in(Ticks::AsAsked)
        .await?;
    bed.secret("token", json!({"good": alice.access_token().await?, "bad": "no-token-of-anybody"}))
        .await?;
    let doctor = Doctor::install(bed).await?;

    // Nothing is broken.
    let table = doctor.run(&[]).await?;
    assert_eq!(table.status, 0, "{}", table.said);
    let shown = PAGE
        .split("$ lenses-mcp-operator doctor lenses-mcp\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let shown = shown
        .unwrap_or_default()
        .replace("https://mcp.example.com", &format!("https://{}", traefik.host()));
    let shown = shown.replace("https://lenses.example.com", &hq.issuer());
    assert_eq!(table.said, shown, "docs/commands.md shows otherwise");
    doctor.finds(&["--token-file", "/token/good"], None, "").await?;

    doctor.finds(&["--token-file", "/token/bad"], Some("token"), "token").await?;

    hq.set_faults(&json!({"down": true})).await?;
    doctor.finds(&[], Some("hq"), "Unreachable").await?;
    hq.set_faults(&json!({})).await?;

    bed.apply(&with(&whole, "replicas", json!(0))).await?;
    bed.kubectl(
        &[
            "wait",
            "--for=delete",
            "pod",
            "-l",
            "app.kubernetes.io/instance=lenses-mcp",
            "--timeout=60s",
        ],
        None,
    )
    .await?;
    doctor.finds(&[], Some("endpoints"), "leads to no pod").await?;
    bed.apply_until_ready(&whole).await?;

    bed.apply(&with(&whole, "paused", json!(true))).await?;
    taken_up(bed).await?;
    bed.api::<Service>().delete(NAME, &DeleteParams::default()).await?;
    doctor.finds(&[], Some("service"), "there is no Service lenses-mcp").await?;
    bed.apply_until_ready(&whole).await?;

    let elsewhere = |url: &str| {
        let mut manifest = whole.clone();
        manifest["spec"]["endpoint"] = json!({"url": url});
        manifest
    };
    bed.apply(&elsewhere("https://mcp.example.invalid")).await?;
    taken_up(bed).await?;
    doctor.finds(&[], Some("dns"), "mcp.example.invalid: ").await?;
    bed.apply(&elsewhere(&hq.issuer())).await?;
    taken_up(bed).await?;
    doctor.finds(&[], Some("sign-in"), &hq.issuer()).await?;

    let mut missing = whole.clone();
    missing["spec"]["lenses"]["caBundle"]["configMapKeyRef"]["name"] = json!("nowhere");
    bed.apply(&missing).await?;
    taken_up(bed).await?;
    doctor
        .finds(&[], Some("resource"), "Accepted: ReferenceNotFound: spec.lenses.caBundle")
        .await?;

    OptionalApi::Gateway.install().await?;
    let mut routed = whole.clone();
    routed["spec"]["endpoint"] =
        json!({"httpRoute": {"parentRefs": [{"name": "nobody"}], "hostnames": [traefik.host()]}});
    bed.apply(&routed).await?;
    taken_up(bed).await?;
    until(&bed.api::<LensesMcpServer>(), NAME, "the API to be taken up", |server| {
        server
            .and_then(|server| condition(server, "Accepted"))
            .is_some_and(|accepted| accepted.status == "True")
    })
    .await?;
    doctor.finds(&[], Some("route"), "no Gateway has taken HTTPRoute lenses-mcp up").await
}

#[tokio::test]
async fn unreadable_objects_are_reported_and_an_unreadable_resource_exits_differently() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server(NAME, &hq)).await?;
        bed.secret("token", json!({"good": "not used"})).await?;
        let doctor = Doctor::install(&bed).await?;
        let roles: Api<Role> = bed.api();
        let may = |rules: Value| Patch::Merge(json!({"rules": rules}));
        let read = json!([{
            "apiGroups": ["mcp.lenses.io"], "resources": ["lensesmcpservers"], "verbs": ["get"]
        }]);
        roles.patch("lenses-mcp-doctor", &PatchParams::default(), &may(read)).await?;
        let run = doctor.run(&["-o", "json"]).await?;
        let links: Vec<Value> = serde_json::from_str(&run.said)?;
        let states: Vec<_> =
            links.iter().map(|link| (link["link"].as_str(), link["state"].as_str())).collect();
        let expected = [
            ("resource", "ok"),
            ("hq", "ok"),
            ("service", "notSeen"),
            ("endpoints", "notSeen"),
            ("dns", "ok"),
            ("sign-in", "ok"),
            ("token", "notSeen"),
        ];
        assert_eq!(states, expected.map(|(link, state)| (Some(link), Some(state))), "{}", run.said);
        assert!(run.said.contains("you may not look: services"), "{}", run.said);
        assert_eq!(run.status, 0, "what was not seen is not broken");

        roles.patch("lenses-mcp-doctor", &PatchParams::default(), &may(json!([]))).await?;
        let run = doctor.run(&["-o", "json"]).await?;
        assert_eq!(run.status, 2, "{}", run.said);
        assert!(run.said.starts_with("error: failed to read LensesMcpServer"), "{}", run.said);
        Ok(())
    })
    .await;
}

fn with(manifest: &Value, field: &str, value: Value) -> Value {
    let mut manifest = manifest.clone();
    manifest["spec"][field] = value;
    manifest
}

/// Waits until the operator has seen the spec as it is.
async fn taken_up(bed: &Bed) -> Result<(), Trouble> {
    until(&bed.api::<LensesMcpServer>(), NAME, "the operator to have seen it", |server| {
        server.is_some_and(|server| {
            server.status.as_ref().and_then(|status| status.observed_generation)
                == server.metadata.generation
        })
    })
    .await
    .map(drop)
}

/// The example, in the test's namespace.
struct Doctor<'a> {
    bed: &'a Bed,
    job: Value,
}

struct Run {
    status: i32,
    said: String,
}

impl<'a> Doctor<'a> {
    /// Applies all of it but the Job.
    async fn install(bed: &'a Bed) -> Result<Self, Trouble> {
        let mut job = None;
        for mut object in yaml::from_documents::<Value>(EXAMPLE)? {
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove("namespace");
            }
            if object["kind"] == "Job" {
                job = Some(object);
            } else {
                bed.apply(&object).await?;
            }
        }
        Ok(Self { bed, job: job.ok_or("the example has no Job")? })
    }

    /// Runs the Job with further arguments, and with the tokens at /token.
    async fn run(&self, arguments: &[&str]) -> Result<Run, Trouble> {
        let mut job = self.job.clone();
        job["metadata"] = json!({"generateName": "doctor-"});
        let pod = &mut job["spec"]["template"]["spec"];
        pod["volumes"] = json!([{"name": "token", "secret": {"secretName": "token"}}]);
        let container = &mut pod["containers"][0];
        container["volumeMounts"] = json!([{"name": "token", "mountPath": "/token"}]);
        container["args"]
            .as_array_mut()
            .ok_or("no args")?
            .extend(arguments.iter().map(|argument| json!(argument)));
        let jobs: Api<Job> = self.bed.api();
        let name =
            jobs.create(&PostParams::default(), &serde_json::from_value(job)?).await?.name_any();
        until(&jobs, &name, "the Job to end", |job| {
            let status = job.and_then(|job| job.status.as_ref());
            status.is_some_and(|status| status.succeeded == Some(1) || status.failed == Some(1))
        })
        .await?;
        let pods: Api<Pod> = self.bed.api();
        let of_job = ListParams::default().labels(&format!("batch.kubernetes.io/job-name={name}"));
        let pod = pods.list(&of_job).await?.items.pop().ok_or("the Job has no pod")?;
        let ended = pod
            .status
            .as_ref()
            .and_then(|status| status.container_statuses.as_ref()?.first()?.state.as_ref());
        let status = ended
            .and_then(|state| state.terminated.as_ref())
            .ok_or("the pod has not ended")?
            .exit_code;
        let said = pods.logs(&pod.name_any(), &LogParams::default()).await?;
        Ok(Run { status, said })
    }

    /// The first link that is broken is this one, and what was found says so; without one nothing
    /// is broken.
    async fn finds(
        &self,
        arguments: &[&str],
        broken: Option<&str>,
        said: &str,
    ) -> Result<(), Trouble> {
        let run = self.run(&[arguments, &["-o", "json"]].concat()).await?;
        let links: Vec<Value> =
            serde_json::from_str(&run.said).map_err(|error| format!("{error}: {}", run.said))?;
        // The operator's own word comes first, and is about the same fault.
        let links: Vec<_> = match broken {
            Some("resource") | None => links.iter().collect(),
            Some(_) => links.iter().filter(|link| link["link"] != "resource").collect(),
        };
        let first = links.iter().find(|link| link["state"] == "broken");
        assert_eq!(first.and_then(|link| link["link"].as_str()), broken, "{}", run.said);
        let found = first.and_then(|link| link["found"].as_str()).unwrap_or_default();
        assert!(found.contains(said), "{found}");
        assert_eq!(run.status, i32::from(broken.is_some()), "{}", run.said);
        Ok(())
    }
}
