//! OpenShift's `restricted-v2` refuses pods that name a user outside of their namespace's range,
//! and assigns one that the image does not know, in group 0. An admission policy stands in for the
//! first, and settings of the pods for the second.

use k8s_openapi::api::{
    admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding},
    apps::v1::Deployment,
    core::v1::{Namespace, Pod},
};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use lenses_mcp_e2e::bed::{Bed, INSTALL, OPERATOR_NAMESPACE, Trouble, helm, prove, until};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The policy, and the label of namespaces that it holds in.
const POLICY: &str = "restricted-v2";
/// A user of a namespace's range, as OpenShift assigns it.
const USER: i64 = 1_000_660_000;

#[tokio::test]
async fn servers_are_admitted_where_users_are_assigned() {
    prove(|bed| async move {
        restrict(&bed).await?;
        let hq = bed.hq().await?;
        bed.apply_until_ready(&bed.oauth_server("mcp", &hq)).await?;
        let pod = bed.only_pod("mcp").await?;
        let context = pod.spec.and_then(|spec| spec.security_context).ok_or("no context")?;
        assert_eq!(
            (context.run_as_user, context.run_as_group, context.fs_group),
            (None, None, None)
        );
        release(&bed).await
    })
    .await;
}

#[tokio::test]
async fn server_and_operator_run_as_an_unknown_user_in_group_0() {
    prove(|bed| async move {
        let hq = bed.hq().await?;
        let mut manifest = bed.oauth_server("mcp", &hq);
        let assigned = json!({"runAsUser": USER, "runAsGroup": 0, "fsGroup": USER});
        manifest["spec"]["podTemplate"] = json!({"spec": {"securityContext": assigned}});

        let user = format!("podSecurityContext.runAsUser={USER}");
        let as_user = ["--set", &user, "--set", "podSecurityContext.runAsGroup=0"];
        helm(&[&INSTALL[..], &as_user].concat()).await?;
        let operators: Api<Deployment> = Api::namespaced(bed.client.clone(), OPERATOR_NAMESPACE);
        until(&operators, "lenses-mcp-operator", "an operator of that user", |operator| {
            let template = operator.and_then(|operator| operator.spec.as_ref());
            let pod = template.and_then(|spec| spec.template.spec.as_ref());
            pod.and_then(|pod| pod.security_context.as_ref()?.run_as_user) == Some(USER)
        })
        .await?;
        bed.apply_until_ready(&manifest).await?;
        helm(&INSTALL).await.map(drop)
    })
    .await;
}

/// Puts the policy in force in the bed's namespace, and waits until it is.
async fn restrict(bed: &Bed) -> Result<(), Trouble> {
    let of_pod = |path: &str| format!("!has(object.spec.securityContext.{path}) || ");
    let range = ">= 1000660000";
    let rules = [
        format!("{}object.spec.securityContext.runAsUser {range}", of_pod("runAsUser")),
        format!("{}object.spec.securityContext.fsGroup {range}", of_pod("fsGroup")),
        format!(
            "object.spec.containers.all(c, !has(c.securityContext.runAsUser) || \
             c.securityContext.runAsUser {range})"
        ),
        "object.spec.containers.all(c, c.securityContext.capabilities.drop == ['ALL'])".to_owned(),
        "object.spec.containers.all(c, !c.securityContext.allowPrivilegeEscalation)".to_owned(),
        "!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.hostPath))".to_owned(),
    ];
    let validations: Vec<Value> = rules.iter().map(|rule| json!({"expression": rule})).collect();
    let pods = json!({"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"],
        "operations": ["CREATE"]});
    apply::<ValidatingAdmissionPolicy>(
        bed,
        "ValidatingAdmissionPolicy",
        json!({"matchConstraints": {"resourceRules": [pods]}, "validations": validations}),
    )
    .await?;
    let namespaces = json!({"namespaceSelector": {"matchLabels": {POLICY: "enforce"}}});
    apply::<ValidatingAdmissionPolicyBinding>(
        bed,
        "ValidatingAdmissionPolicyBinding",
        json!({"policyName": POLICY, "validationActions": ["Deny"], "matchResources": namespaces}),
    )
    .await?;
    let label = json!({"metadata": {"labels": {POLICY: "enforce"}}});
    Api::<Namespace>::all(bed.client.clone())
        .patch(&bed.namespace, &PatchParams::default(), &Patch::Merge(label))
        .await?;

    // The pod that the policy is there to refuse. A policy takes effect a while after it is
    // written.
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "fixed-user"},
        "spec": {
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "pause", "image": "pause", "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
        },
    }))?;
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };
    let refused = async {
        loop {
            match bed.api::<Pod>().create(&dry_run, &pod).await {
                Err(error) if error.to_string().contains(POLICY) => return Ok(()),
                Err(error) => return Err(Trouble::from(error)),
                Ok(_) => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), refused).await?
}

async fn apply<K>(bed: &Bed, kind: &str, spec: Value) -> Result<(), Trouble>
where
    K: kube::Resource<Scope = k8s_openapi::ClusterResourceScope> + Clone + DeserializeOwned,
    K: std::fmt::Debug,
    K::DynamicType: Default,
{
    let object = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": POLICY},
        "spec": spec,
    });
    let apply = PatchParams::apply("e2e");
    Api::<K>::all(bed.client.clone()).patch(POLICY, &apply, &Patch::Apply(object)).await?;
    Ok(())
}

async fn release(bed: &Bed) -> Result<(), Trouble> {
    let delete = DeleteParams::default();
    let client = bed.client.clone();
    Api::<ValidatingAdmissionPolicyBinding>::all(client.clone()).delete(POLICY, &delete).await?;
    Api::<ValidatingAdmissionPolicy>::all(client).delete(POLICY, &delete).await?;
    Ok(())
}
