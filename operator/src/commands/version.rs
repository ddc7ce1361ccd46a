//! `version`: what runs, in this program and in the cluster.

use std::{collections::BTreeMap, process::ExitCode};

use clap::Args;
use k8s_openapi::{
    api::apps::v1::Deployment,
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, Client, ResourceExt,
    api::ListParams,
    core::{ApiResource, DynamicObject},
};
use lenses_mcp_crds::{LensesMcpServer, schema::custom_resource_definition};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Output,
    cluster::{Cluster, ClusterError, block_on},
    columns::columns,
    could_not_look,
    status::version,
    structured, write,
};
use crate::{MANAGER, api_error};

/// The arguments of `version`.
#[derive(Args, Clone, Debug)]
pub struct Version {
    /// This program's version alone, without a cluster.
    #[arg(long)]
    client: bool,
    #[command(flatten)]
    cluster: Cluster,
    /// How the versions are written.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

/// A part of the installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Component {
    #[serde(rename = "component")]
    name: &'static str,
    /// None if it could not be found out.
    version: Option<String>,
    /// Where it was found, or why it was not.
    found: String,
}

/// Runs it: exit status 0 if the versions are printed, 2 if there is no cluster to ask.
#[must_use]
pub fn run(arguments: &Version) -> ExitCode {
    let mut components = vec![client()];
    let mut failed = None;
    if !arguments.client {
        match block_on(ask(&arguments.cluster)).and_then(|asked| asked) {
            Ok(of_cluster) => components.extend(of_cluster),
            Err(error) => failed = Some(error),
        }
    }
    write::to_stdout(&match arguments.output {
        Output::Table => table(&components),
        output => structured(&components, output),
    });
    failed.map_or(ExitCode::SUCCESS, |error| could_not_look(&error))
}

fn table(components: &[Component]) -> String {
    let headings = ["COMPONENT", "VERSION", "FOUND"].map(str::to_owned).to_vec();
    let rows = components.iter().map(|Component { name, version, found }| {
        let version = version.clone().unwrap_or_else(|| "-".to_owned());
        vec![(*name).to_owned(), version, found.clone()]
    });
    columns(&std::iter::once(headings).chain(rows).collect::<Vec<_>>())
}

fn client() -> Component {
    let version = Some(env!("CARGO_PKG_VERSION").to_owned());
    Component { name: "client", version, found: "this program".to_owned() }
}

async fn ask(cluster: &Cluster) -> Result<Vec<Component>, ClusterError> {
    let client = Client::try_from(cluster.config().await?).map_err(ClusterError::Client)?;
    of_cluster(&client).await
}

/// The versions in a cluster that answers.
pub(super) async fn of_cluster(client: &Client) -> Result<Vec<Component>, ClusterError> {
    let kubernetes = client.apiserver_version().await.map_err(ClusterError::Version)?;
    let kubernetes = Component {
        name: "kubernetes",
        version: Some(kubernetes.git_version),
        found: kubernetes.platform,
    };
    let mut all = vec![kubernetes, api(client).await];
    all.extend(operators(client).await);
    all.extend(servers(client).await);
    Ok(all)
}

fn not_found(name: &'static str, found: String) -> Component {
    Component { name, version: None, found }
}

/// The definition, and whether it is the one that this program was built with.
async fn api(client: &Client) -> Component {
    let own = custom_resource_definition();
    let read = Api::<CustomResourceDefinition>::all(client.clone()).get_opt(&own.name_any()).await;
    let definition = match read {
        Ok(Some(definition)) => definition,
        Ok(None) => return not_found("api", "the definition is not installed".to_owned()),
        Err(error) => return not_found("api", api_error::message(&error)),
    };
    let served = definition.spec.versions.iter().filter(|version| version.served);
    let served: Vec<_> = served.map(|version| version.name.clone()).collect();
    let schemas = |definition: &CustomResourceDefinition| {
        let versions = definition.spec.versions.iter();
        json!(versions.map(|version| (&version.name, &version.schema)).collect::<Vec<_>>())
    };
    let found = if is_same(&schemas(&definition), &schemas(&own)) {
        "the definition is that of this program"
    } else {
        "the definition is that of another version than this program's"
    };
    let version = Some(served.join(", "));
    Component { name: "api", version, found: found.to_owned() }
}

/// Whether two documents say the same. The API server writes 1 for 1.0.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_there = |(key, value)| other.get(key).is_some_and(|other| is_same(value, other));
            one.len() == other.len() && one.iter().all(is_there)
        }
        _ => one == other,
    }
}

async fn operators(client: &Client) -> Vec<Component> {
    const COMPONENT: &str = "operator";
    let selected = ListParams::default().labels(&format!("app.kubernetes.io/name={MANAGER}"));
    let list = match Api::<Deployment>::all(client.clone()).list(&selected).await {
        Ok(list) => list.items,
        Err(error) => return vec![not_found(COMPONENT, api_error::message(&error))],
    };
    if list.is_empty() {
        return vec![not_found(COMPONENT, "no Deployment has its label".to_owned())];
    }
    let found = list.iter().map(|deployment| {
        let spec = deployment.spec.as_ref();
        let image =
            spec.and_then(|spec| spec.template.spec.as_ref()?.containers.first()?.image.as_deref());
        let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas);
        let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(1);
        Component {
            name: COMPONENT,
            version: image.and_then(version).map(str::to_owned),
            found: format!(
                "{}/{}: {} of {wanted} pods ready",
                deployment.namespace().unwrap_or_default(),
                deployment.name_any(),
                ready.unwrap_or_default()
            ),
        }
    });
    found.collect()
}

/// How many servers run which version.
async fn servers(client: &Client) -> Vec<Component> {
    const COMPONENT: &str = "servers";
    let kind = ApiResource::erase::<LensesMcpServer>(&());
    let api = Api::<DynamicObject>::all_with(client.clone(), &kind);
    let list = match api.list(&ListParams::default()).await {
        Ok(list) => list.items,
        Err(error) => return vec![not_found(COMPONENT, api_error::message(&error))],
    };
    let mut counts = BTreeMap::<Option<String>, usize>::new();
    for server in &list {
        let image = server.data["status"]["image"].as_str();
        *counts.entry(image.and_then(version).map(str::to_owned)).or_default() += 1;
    }
    let component = |(version, count): (Option<String>, usize)| Component {
        name: COMPONENT,
        version,
        found: format!("{count} LensesMcpServers"),
    };
    counts.into_iter().map(component).collect()
}
