use serde_json::json;

use super::*;

fn of_object(parent: &str, field: &str, object: &Value) -> Vec<String> {
    let mut refusals = Vec::new();
    check_object(Place { path: "p", parent, field }, object, &mut refusals);
    refusals
}

#[test]
fn fields_that_do_not_fit_each_other_are_refused() {
    for (path, object, said) in [
        ("c.livenessProbe", json!({ "grpc": {}, "exec": {} }), "exactly one of exec, grpc"),
        ("lifecycle.preStop", json!({}), "exactly one of exec, httpGet, sleep"),
        ("spec.volumes", json!({ "name": "a", "emptyDir": {}, "secret": {} }), "one source"),
        ("c.env", json!({ "name": "A", "value": "b", "valueFrom": {} }), "value or valueFrom"),
        ("valueFrom.fieldRef", json!({ "fieldPath": "spec.nodename" }), "no field that"),
        ("s.seccompProfile", json!({ "type": "Localhost" }), ".localhostProfile: write it"),
        ("spec.tolerations", json!({ "value": "b" }), "write Exists, or a key"),
        ("spec.tolerations", json!({ "operator": "Exists", "value": "b" }), "leave it out"),
        ("spec.tolerations", json!({ "key": "a", "tolerationSeconds": 1 }), "write NoExecute"),
        ("labelSelector.matchExpressions", json!({ "operator": "In" }), "write values"),
        ("labelSelector.matchExpressions", json!({ "operator": "Gt" }), "DoesNotExist"),
        ("preference.matchExpressions", json!({ "operator": "Gt" }), "write one value"),
        ("ingress.from", json!({}), "write selectors or an ipBlock"),
        ("ingress.from", json!({ "podSelector": {}, "ipBlock": {} }), "selectors or an ipBlock"),
        ("egress.ports", json!({ "port": 2, "endPort": 1 }), "no less as endPort"),
        ("spec.metrics", json!({ "type": "Resource" }), "that type names"),
        ("spec.metrics", json!({ "type": "Pods", "pods": {}, "object": {} }), "that type names"),
    ] {
        let (parent, field) = path.split_once('.').unwrap();
        let refusals = of_object(parent, field, &object);
        assert!(refusals.len() == 1 && refusals[0].contains(said), "{path} {object}: {refusals:?}");
    }
}

#[test]
fn requests_and_limits_fit_each_other() {
    for (resources, said) in [
        (json!({ "requests": { "cpu": "1" }, "limits": { "cpu": "900m" } }), "more than its limit"),
        (json!({ "requests": { "a.b/gpu": 1 }, "limits": { "a.b/gpu": 2 } }), "other than its"),
        (json!({ "requests": { "hugepages-2Mi": "2Mi" } }), "needs a limit"),
        (json!({ "limits": { "gpu": 1 } }), "no resource of a container"),
    ] {
        let refusals = of_object("containers", "resources", &resources);
        assert!(refusals.len() == 1 && refusals[0].contains(said), "{resources}: {refusals:?}");
    }
    for resources in [
        json!({ "requests": { "cpu": "1", "memory": 1024 }, "limits": { "cpu": "1000m" } }),
        json!({ "requests": { "a.b/gpu": 1 }, "limits": { "a.b/gpu": "1" } }),
    ] {
        assert_eq!(of_object("containers", "resources", &resources), Vec::<String>::new());
    }
}

#[test]
fn a_pod_fits_together() {
    let containers = json!([
        { "name": "a", "image": "a:1", "volumeMounts": [{ "name": "none", "mountPath": "/a" }] },
        { "name": "b" },
    ]);
    let pod = json!({
        "activeDeadlineSeconds": 1, "dnsPolicy": "None", "containers": containers,
        "initContainers": [{ "name": "a", "image": "a:1" }],
    });
    let mut refusals = Vec::new();
    check_pod("Deployment spec", &pod, &mut refusals);
    let wanted = [
        "activeDeadlineSeconds: leave it out: the pods of a Deployment have none",
        "dnsConfig.nameservers: write one, or leave dnsPolicy: None out",
        "containers[a].volumeMounts: there is no volume \"none\"",
        "containers[b].image: write an image",
        "initContainers[a]: a container has the same name",
    ];
    assert_eq!(refusals, wanted.map(|said| format!("Deployment spec.template.spec.{said}")));
}

#[test]
fn items_of_a_map_differ_in_their_key() {
    let place = Place { path: "p", parent: "containers", field: "ports" };
    let port = |protocol: &str| json!({ "containerPort": 53, "protocol": protocol });
    for (items, count) in [([port("TCP"), port("UDP")], 0), ([port("TCP"), port("TCP")], 1)] {
        let mut refusals = Vec::new();
        check_list(place, &items, &mut refusals);
        assert_eq!(refusals.len(), count, "{refusals:?}");
    }
}
