//! The API server with all that the examples need, and the examples applied.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client,
    runtime::{conditions::is_crd_established, wait::Condition},
};
use lenses_mcp_crds::yaml;
use lenses_mcp_e2e::bed::{CHART, Trouble, helm, until};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    examples,
    tool::{TOOLS, kubectl},
};

/// What is there before the examples: the namespaces of what applies them.
const NAMESPACES: [&str; 3] = ["argocd", "flux-system", "external-secrets"];

/// A client of the API server, once all examples are applied. They are once in a process, however
/// many tests ask.
pub(crate) async fn fleet() -> Result<Client, Trouble> {
    static APPLIED: OnceCell<()> = OnceCell::const_new();
    let client = Client::try_default().await?;
    APPLIED.get_or_try_init(|| apply_all(&client)).await?;
    Ok(client)
}

async fn apply_all(client: &Client) -> Result<(), Trouble> {
    let definitions = format!("{TOOLS}/gitops-crds");
    let arguments = ["apply", "--server-side", "--output=name", "--filename", &definitions];
    let mut definitions = kubectl(&arguments, "").await?;
    for name in NAMESPACES {
        kubectl(&["create", "namespace", name], "").await?;
    }
    apply(&examples::read("flux/operator/namespace.yaml")?).await?;
    apply(&chart(&examples::read("argocd/apps/operator.yaml")?[0]["spec"]).await?).await?;
    definitions.push_str("/lensesmcpservers.mcp.lenses.io");
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for name in definitions.split_whitespace().filter_map(|line| line.rsplit('/').next()) {
        let is_served = |definition: Option<&_>| is_crd_established().matches_object(definition);
        until(&api, name, "an API that is served", is_served).await?;
    }
    apply(&examples::objects().await?).await
}

/// Applies objects as Argo CD and Flux do, and refuses fields that the API does not know.
///
/// # Errors
/// What the API server refuses.
pub(crate) async fn apply(objects: &[Value]) -> Result<(), Trouble> {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    let arguments = ["apply", "--server-side", "--validate=strict", "--filename=-"];
    kubectl(&arguments, &list.to_string()).await.map(drop)
}

/// The objects of the chart, by the spec of an Application or of a `HelmRelease`.
///
/// # Errors
/// When the chart does not take the values.
pub(crate) async fn chart(spec: &Value) -> Result<Vec<Value>, Trouble> {
    let values = spec.pointer("/source/helm/valuesObject").unwrap_or(&spec["values"]);
    let values = values.as_object().ok_or("the chart gets no values")?;
    let values: Vec<_> =
        values.iter().map(|(name, value)| format!("--set-json={name}={value}")).collect();
    let mut arguments = vec!["template", "lenses-mcp-operator", CHART];
    arguments.extend(["--namespace", "lenses-mcp-operator"]);
    arguments.extend(values.iter().map(String::as_str));
    Ok(yaml::from_documents(&helm(&arguments).await?)?)
}
