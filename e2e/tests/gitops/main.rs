//! The examples of `docs/gitops.md`, on an API server with the definitions of Argo CD, Flux and
//! External Secrets; and what Argo CD and Flux, by their own code, make of servers.
//!
//! `make gitops` runs these tests. `make test` does not: that code takes minutes to build.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod examples;
mod fleet;
mod operator;
mod servers;
mod tool;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use clap::Parser;
use kube::api::{Patch, PatchParams};
use lenses_mcp_crds::LensesMcpServer;
use lenses_mcp_e2e::{
    bed::{Bed, kstatus},
    hq::{Running, settings::Flags},
};
use serde_json::{Value, json};

use examples::{KUSTOMIZATIONS, MANIFESTS, REPOSITORY, built, of_kind, read};
use fleet::{apply, chart, fleet};
use operator::Operator;
use tool::{ask, kubectl};

const PAGE: &str = include_str!("../../../docs/gitops.md");
const FLUX: &str = "kustomize.toolkit.fluxcd.io/v1";
const ARGO_CD: &str = "argoproj.io/v1alpha1";
const EXTERNAL_SECRETS: &str = "external-secrets.io/v1";

#[tokio::test]
async fn argo_cd_flux_and_kstatus_say_what_the_page_says() {
    let servers = servers::in_every_state(fleet().await.unwrap()).await.unwrap();
    let objects: Vec<_> = servers.iter().map(|(_, object)| object).collect();
    let customizations = read("argocd/argocd-cm.yaml").unwrap()[0]["data"].clone();
    let question = json!({ "customizations": customizations, "objects": objects });
    let argo_cd = ask("argocd", &question).await.unwrap();
    let checks = &read("flux/health.yaml").unwrap()[0]["spec"]["healthCheckExprs"];
    let question = json!({ "healthCheckExprs": checks, "objects": objects });
    let flux = ask("flux", &question).await.unwrap();
    for (index, (state, object)) in servers.iter().enumerate() {
        let [argo_cd, flux] = [&argo_cd, &flux].map(|all| &all[index]);
        let columns = [&argo_cd["status"], &flux["status"]].map(|said| said.as_str().unwrap());
        let kstatus = kstatus(object).await.unwrap();
        let row = format!("| {state} | {} | {} | {kstatus} |", columns[0], columns[1]);
        let status = &object["status"];
        assert!(PAGE.contains(&row), "not in docs/gitops.md: {row}: {argo_cd} {flux} {status}");
        assert_ne!(argo_cd["message"], "", "{state}");
    }
}

#[tokio::test]
async fn an_application_is_as_healthy_to_argo_cd_as_its_status() {
    let customizations = read("argocd/argocd-cm.yaml").unwrap()[0]["data"].clone();
    let mut objects = vec![read("argocd/apps/operator.yaml").unwrap().remove(0); 3];
    objects[1]["status"] = json!({ "health": { "status": "Degraded" } });
    objects[2]["status"] = json!({ "health": { "status": "Healthy" } });
    let question = json!({ "customizations": customizations, "objects": objects });
    let said = ask("argocd", &question).await.unwrap();
    let said: Vec<_> = said.as_array().unwrap().iter().map(|said| &said["status"]).collect();
    assert_eq!(said, ["Progressing", "Degraded", "Healthy"]);
}

#[test]
fn every_file_is_applied_by_itself_or_by_a_kustomization() {
    let repository = Path::new(REPOSITORY);
    let mut applied = BTreeSet::from(MANIFESTS.map(|file| repository.join(file)));
    for directory in KUSTOMIZATIONS {
        applied.extend(examples::files(&repository.join(directory)).unwrap());
    }
    let applied = applied.iter().map(|file| file.canonicalize().unwrap());
    assert_eq!(applied.collect::<BTreeSet<_>>(), examples::all_files(repository).unwrap());
}

#[tokio::test]
async fn the_api_server_takes_each_object_and_no_misspelt_field_in_it() {
    // Takes them all.
    fleet().await.unwrap();
    let objects = examples::objects().await.unwrap();
    assert!(objects.len() > 15, "{} objects", objects.len());
    for mut object in objects {
        let has_spec = object.get("spec").is_some();
        (if has_spec { &mut object["spec"] } else { &mut object })["misspelt"] = json!("");
        let refused = apply(std::slice::from_ref(&object)).await.unwrap_err().to_string();
        assert!(refused.contains("misspelt\""), "{object}: {refused}");
    }
}

#[tokio::test]
async fn what_an_example_refers_to_is_another_example() {
    let objects = examples::objects().await.unwrap();
    let exists = |api: &str, reference: &Value, kind: &str| {
        let found = of_kind(&objects, api, kind);
        let found = found.iter().any(|object| object["metadata"]["name"] == reference["name"]);
        assert!(found, "there is no {kind} {}", reference["name"]);
    };
    let mut paths = Vec::new();
    for kustomization in of_kind(&objects, FLUX, "Kustomization") {
        let spec = &kustomization["spec"];
        paths.push(spec["path"].as_str().unwrap().trim_start_matches("./"));
        exists("source.toolkit.fluxcd.io/v1", &spec["sourceRef"], "GitRepository");
        for dependency in spec["dependsOn"].as_array().into_iter().flatten() {
            exists(FLUX, dependency, "Kustomization");
        }
    }
    paths.sort_unstable();
    let mut built = KUSTOMIZATIONS.to_vec();
    built.retain(|directory| *directory != "flux");
    built.sort_unstable();
    assert_eq!(paths, built);
    for release in of_kind(&objects, "helm.toolkit.fluxcd.io/v2", "HelmRelease") {
        let chart = &release["spec"]["chartRef"];
        exists("source.toolkit.fluxcd.io/v1", chart, "OCIRepository");
    }
    for secret in of_kind(&objects, EXTERNAL_SECRETS, "ExternalSecret") {
        exists(EXTERNAL_SECRETS, &secret["spec"]["secretStoreRef"], "ClusterSecretStore");
    }
    for application in of_kind(&objects, ARGO_CD, "Application") {
        exists(ARGO_CD, &json!({ "name": application["spec"]["project"] }), "AppProject");
    }
}

#[tokio::test]
async fn argo_cd_and_flux_install_the_same_operator() {
    let application = &read("argocd/apps/operator.yaml").unwrap()[0];
    let release = &read("flux/operator/release.yaml").unwrap()[0];
    let [argo_cd, flux] = [application, release].map(|object| chart(&object["spec"]));
    let installed = argo_cd.await.unwrap();
    assert!(!of_kind(&installed, "apps/v1", "Deployment").is_empty());
    assert_eq!(installed, flux.await.unwrap());
}

#[tokio::test]
async fn argo_cd_makes_an_application_for_each_overlay() {
    let applications = applications().await;
    assert_eq!(applications.len(), 2);
    for (application, environment) in applications.iter().zip(["production", "staging"]) {
        let name = format!("lenses-mcp-{environment}");
        assert_eq!(application["metadata"]["name"], name.as_str());
        let spec = &application["spec"];
        assert_eq!(spec["source"]["path"], format!("servers/overlays/{environment}"));
        for object in built(spec["source"]["path"].as_str().unwrap()).await.unwrap() {
            let field = if object["kind"] == "Namespace" { "name" } else { "namespace" };
            assert_eq!(object["metadata"][field], spec["destination"]["namespace"], "{object}");
        }
    }
    apply(&applications).await.unwrap();
}

#[tokio::test]
async fn the_project_permits_what_its_applications_apply_and_no_more() {
    let applications = applications().await;
    let [root, project] = &read("argocd/fleet.yaml").unwrap()[..] else { panic!("two objects") };
    let operator = &read("argocd/apps/operator.yaml").unwrap()[0];
    let refused = async |application: &Value, objects: &[Value]| {
        let question =
            json!({ "project": project, "application": application, "objects": objects });
        ask("project", &question).await.unwrap()
    };
    let waves = [operator.clone(), read("argocd/apps/servers.yaml").unwrap()[0].clone()];
    assert_eq!(refused(root, &waves).await, json!([]));
    assert_eq!(refused(operator, &chart(&operator["spec"]).await.unwrap()).await, json!([]));
    for application in &applications {
        let path = application["spec"]["source"]["path"].as_str().unwrap();
        assert_eq!(refused(application, &built(path).await.unwrap()).await, json!([]));
    }
    let mut foreign = root.clone();
    foreign["spec"]["source"]["repoURL"] = json!("https://git.example.com/other.git");
    let elsewhere = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "other" },
    });
    assert_eq!(refused(&foreign, &[elsewhere]).await.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn check_finds_no_fault_in_an_overlay() {
    for directory in KUSTOMIZATIONS.iter().filter(|path| path.starts_with("servers/")) {
        let path = format!("{REPOSITORY}/{directory}");
        let manifests = kubectl(&["kustomize", &path], "").await.unwrap();
        let checked = tool::run(operator::PROGRAM, &["check", "-f", "-"], &manifests).await;
        let checked = checked.unwrap();
        assert!(checked.contains("/lenses-mcp (standard input): valid\n"), "{checked}");
    }
}

#[tokio::test]
async fn the_operator_verifies_hq_with_the_external_secret() {
    let client = fleet().await.unwrap();
    let bed = |namespace: &str| Bed { client: client.clone(), namespace: namespace.to_owned() };
    let [staging, production] = [bed("lenses-mcp-staging"), bed("lenses-mcp-production")];
    let flags = ["hq", "--listen=127.0.0.1:0", "--unauthenticated-introspection=false"];
    let flags = Flags::parse_from(flags.into_iter().chain(["--client=mcp:s3cret"]));
    let hq = Running::start(flags.check().unwrap()).await.unwrap();
    let url = Patch::Merge(json!({ "spec": { "lenses": { "url": hq.issuer } } }));
    let servers = production.api::<LensesMcpServer>();
    servers.patch("lenses-mcp", &PatchParams::default(), &url).await.unwrap();
    let operator =
        Operator::start(&[&staging.namespace[..], &production.namespace[..]]).await.unwrap();
    staging.until_reason("lenses-mcp", "Accepted", "Accepted").await.unwrap();
    production.until_reason("lenses-mcp", "Accepted", "ReferenceNotFound").await.unwrap();

    // What External Secrets makes of it.
    let get = ["get", "externalsecret", "lenses-mcp-introspection", "--output=json"];
    let external = production.kubectl(&get, None).await.unwrap();
    let external: Value = serde_json::from_str(&external).unwrap();
    let keys = external["spec"]["data"].as_array().unwrap();
    let values = keys.iter().map(|key| {
        let name = key["secretKey"].as_str().unwrap();
        (name, if name == "client_id" { "mcp" } else { "s3cret" })
    });
    let target = &external["spec"]["target"];
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": target["name"],
            "namespace": production.namespace,
            "labels": target["template"]["metadata"]["labels"],
        },
        "stringData": values.collect::<BTreeMap<_, _>>(),
    });
    apply(&[secret]).await.unwrap();
    production.until_reason("lenses-mcp", "LensesReachable", "LensesReachable").await.unwrap();
    operator.stop().await.unwrap();
}

/// What Argo CD makes of the `ApplicationSet`.
async fn applications() -> Vec<Value> {
    fleet().await.unwrap();
    let set = &read("argocd/apps/servers.yaml").unwrap()[0];
    let question = json!({ "applicationSet": set, "repository": REPOSITORY });
    let answer = ask("applicationset", &question).await.unwrap();
    let mut applications: Vec<Value> = serde_json::from_value(answer).unwrap();
    for application in &mut applications {
        // What Argo CD leaves to its client.
        application["apiVersion"] = json!(ARGO_CD);
        application["kind"] = json!("Application");
        // What its client leaves out.
        application.as_object_mut().unwrap().remove("status");
    }
    applications
}
