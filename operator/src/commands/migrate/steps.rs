//! What to do with the resource, so that no call fails.

use serde_json::json;

use super::{conversion::Conversion, this_machine::is_this_machine};

/// The names of the release's objects.
pub(super) struct Release {
    pub(super) name: String,
    /// Of HQ's objects. Those of the sidecar end in `-mcp`.
    pub(super) full_name: String,
    pub(super) has_ingress: bool,
}

/// The new server takes the sidecar's place behind the same host, while both run.
pub(super) fn of_sidecar(conversion: &mut Conversion, release: &Release, transition: bool) {
    let Conversion { name, namespace, .. } = conversion.clone();
    let Release { name: release_name, full_name, has_ingress } = release;
    let port = conversion.get("endpoint.service.port").as_u64().unwrap_or(80);
    if transition {
        conversion.steps.push(
            "This resource is for the time in which both servers run: the same command without \
             --transition prints the one to keep, and all steps."
                .to_owned(),
        );
        return;
    }
    let patch = json!([{
        "op": "replace",
        "path": "/spec/rules/0/http/paths/0/backend/service",
        "value": { "name": name, "port": { "number": port } },
    }]);
    let mut steps = vec![format!(
        "Start the new server beside the sidecar. transition.yaml is what this command prints \
         with --transition:\n\
         kubectl apply -f transition.yaml\n\
         kubectl wait --namespace {namespace} --for=condition=Ready lmcp/{name} --timeout=5m"
    )];
    if *has_ingress {
        steps.push(format!(
            "Lead the host to the new server. Calls in progress end at the sidecar:\n\
             kubectl patch ingress {full_name}-mcp --namespace {namespace} --type=json \
             -p '{patch}'\n\
             To go back, patch it with the name {full_name}-mcp and the port of its Service. Until \
             the sidecar is off, `helm upgrade` leads the host back to it."
        ));
    } else {
        steps.push(format!(
            "Lead the host to the Service {name}, port {port}, in place of {full_name}-mcp, in the \
             Ingress, Gateway, load balancer or DNS record that you made. Both servers answer in \
             the meantime."
        ));
    }
    steps.push(format!(
        "Look at it as a client does:\nkubectl lmcp doctor {name} --namespace {namespace}"
    ));
    let keep = if *has_ingress {
        format!(
            "kubectl annotate ingress {full_name}-mcp --namespace {namespace} \
             helm.sh/resource-policy=keep\n"
        )
    } else {
        String::new()
    };
    steps.push(format!(
        "Turn the sidecar off when HQ may restart: this changes HQ's pod, and no call can be \
         answered until HQ is back.\n\
         {keep}helm upgrade {release_name} lensesio/lenses-hq --namespace {namespace} \
         --reuse-values --set mcp.enabled=false"
    ));
    steps.push(if *has_ingress {
        format!(
            "Apply this resource. Its own Ingress stands beside the one that was kept, which can \
             then go:\n\
             kubectl apply -f {name}.yaml\n\
             kubectl delete ingress {full_name}-mcp --namespace {namespace}\n\
             ingress-nginx refuses two Ingresses for one host. With it, leave endpoint.ingress out \
             and keep the old one."
        )
    } else {
        format!("Apply this resource:\nkubectl apply -f {name}.yaml")
    });
    steps.push(
        "Users stay signed in: HQ issued their tokens, and neither HQ nor the server's URL \
         changes. A client that compares HQ's address byte for byte may ask for one sign-in, because the \
         old server wrote a slash behind it."
            .to_owned(),
    );
    conversion.steps.extend(steps);
}

/// A container has another address than the new server, unless its host is led to that.
pub(super) fn of_container(conversion: &mut Conversion) {
    let Conversion { name, namespace, .. } = conversion.clone();
    let url = conversion.get("endpoint.url").as_str().unwrap_or_default().to_owned();
    conversion.steps.push(format!(
        "Apply the resource and wait for it:\n\
         kubectl apply -f {name}.yaml\n\
         kubectl wait --namespace {namespace} --for=condition=Ready lmcp/{name} --timeout=5m"
    ));
    if url.is_empty() || is_this_machine(&url) {
        conversion.steps.push(format!(
            "Publish it with spec.endpoint.ingress or spec.endpoint.httpRoute, and connect each \
             client to the new URL:\n\
             kubectl lmcp connect {name} --namespace {namespace} --client claude-code\n\
             With another URL, users sign in once more."
        ));
    } else {
        conversion.steps.push(format!(
            "Publish it under the same URL, {url}: add spec.endpoint.ingress or \
             spec.endpoint.httpRoute, and lead the host's DNS record to it. Both servers answer in \
             the meantime. Users stay signed in, because HQ issued their tokens and the URL does \
             not change."
        ));
    }
    conversion.steps.push("Stop the container when it answers no more calls.".to_owned());
}
