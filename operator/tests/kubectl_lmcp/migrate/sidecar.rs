//! The values of the chart.

use serde_json::{Value, json};

use super::{migrate, names, of_values, release, with_variables};

#[test]
fn each_value_of_the_section_becomes_its_field() {
    let table: [(&str, Value, &str, Value); 25] = [
        (
            "/mcp/lensesAdvertisedUrl",
            json!("https://lenses.example.com"),
            "/lenses/advertisedUrl",
            json!("https://lenses.example.com"),
        ),
        (
            "/mcp/mcpAdvertisedUrl",
            json!("https://a.example/x"),
            "/endpoint/url",
            json!("https://a.example/x"),
        ),
        ("/mcp/image/pullPolicy", json!("Always"), "/imagePullPolicy", json!("Always")),
        (
            "/mcp/resources/requests",
            json!({"cpu": 1, "memory": "64Mi"}),
            "/resources/requests",
            json!({"cpu": "1", "memory": "64Mi"}),
        ),
        (
            "/mcp/resources/limits",
            json!({"memory": "1Gi", "cpu": null}),
            "/resources/limits",
            json!({"memory": "1Gi"}),
        ),
        ("/mcp/service/type", json!("NodePort"), "/endpoint/service/type", json!("NodePort")),
        (
            "/mcp/service/type",
            json!("LoadBalancer"),
            "/endpoint/service/type",
            json!("LoadBalancer"),
        ),
        ("/mcp/service/port", json!(8080), "/endpoint/service/port", json!(8080)),
        (
            "/mcp/service/annotations",
            json!({"a": true, "b": "x"}),
            "/endpoint/service/annotations",
            json!({"a": "true", "b": "x"}),
        ),
        (
            "/mcp/ingress",
            json!({"enabled": true, "host": "mcp.example.com"}),
            "/endpoint/ingress",
            json!({"host": "mcp.example.com"}),
        ),
        (
            "/mcp/ingress",
            json!({"enabled": true}),
            "/endpoint/ingress",
            json!({"host": "mcp.example.com"}),
        ),
        (
            "/mcp/ingress",
            json!({"enabled": true, "ingressClassName": "nginx", "annotations": {"a": "b"}}),
            "/endpoint/ingress",
            json!({"host": "mcp.example.com", "className": "nginx", "annotations": {"a": "b"}}),
        ),
        (
            "/mcp/ingress",
            json!({"enabled": true, "tls": {"enabled": true}}),
            "/endpoint/ingress/tls/secretName",
            json!("lenses-hq-mcp"),
        ),
        (
            "/mcp/ingress",
            json!({"enabled": true, "tls": {"enabled": true, "secretName": "x"}}),
            "/endpoint/ingress/tls/secretName",
            json!("x"),
        ),
        ("/mcp/ingress", json!({"enabled": false, "host": "x"}), "/endpoint/ingress", Value::Null),
        (
            "/servicePort",
            json!(9991),
            "/lenses/serviceRef",
            json!({"name": "lenses-hq", "port": 9991}),
        ),
        (
            "/lensesHq/http",
            json!({"tls": {"enabled": true}}),
            "/lenses/serviceRef",
            json!({"name": "lenses-hq", "port": 80, "scheme": "https"}),
        ),
        ("/fullnameOverride", json!("hq"), "/lenses/serviceRef/name", json!("hq")),
        ("/nameOverride", json!("hq"), "/lenses/serviceRef/name", json!("lenses-hq")),
        ("/nameOverride", json!("x"), "/lenses/serviceRef/name", json!("lenses-hq-x")),
        ("/nodeSelector", json!({"a": "b"}), "/podTemplate/spec/nodeSelector", json!({"a": "b"})),
        (
            "/tolerations",
            json!([{"key": "a", "operator": "Exists"}]),
            "/podTemplate/spec/tolerations/0/key",
            json!("a"),
        ),
        (
            "/image/imagePullSecrets",
            json!([{"name": "r"}]),
            "/imagePullSecrets",
            json!([{"name": "r"}]),
        ),
        (
            "/lensesHq/auth/oauth2/authorizationServer/dcr",
            json!(false),
            "/auth/oauth/clientRegistration",
            json!("manual"),
        ),
        ("/mcp/readinessProbe", json!({"enabled": true}), "/auth/oauth", json!({})),
    ];
    for (pointer, value, field, wanted) in table {
        let values = release(pointer, &value);
        let migrated = of_values(&values);
        assert_eq!(migrated.status, 0, "{pointer} {value}: {}", migrated.said);
        let found = migrated.resource["spec"].pointer(field).cloned().unwrap_or_default();
        assert_eq!(found, wanted, "{pointer} {value}");
    }
}

#[test]
fn a_path_in_the_url_is_the_path_of_the_ingress() {
    let mut values = release("/mcp/mcpAdvertisedUrl", &json!("https://mcp.example.com/team-a/"));
    values["mcp"]["ingress"] = json!({ "enabled": true });
    let migrated = of_values(&values);
    assert_eq!(migrated.status, 0, "{}", migrated.said);
    assert_eq!(migrated.resource["spec"]["endpoint"]["ingress"]["path"], "/team-a");
}

#[test]
fn what_cannot_be_converted_is_named_with_what_to_do() {
    let server = "/lensesHq/auth/oauth2/authorizationServer";
    for (pointer, value, key, said) in [
        (
            "/mcp/image/repository",
            json!("registry.example.com/mcp"),
            "mcp.image.repository",
            "serverImage",
        ),
        ("/mcp/flavour", json!("mild"), "mcp.flavour", "is not known to have this value"),
        ("/mcp/ingress/paths", json!([]), "mcp.ingress.paths", "is not known"),
        ("/mcp/service/nodePort", json!(30080), "mcp.service.nodePort", "is not known"),
        ("/mcp/ingress/host", json!("{{ .Release.Name }}.x"), "mcp.ingress.host", "is a template"),
        ("/mcp/resources", json!("small"), "mcp.resources", "is not an object"),
        ("/mcp/resources/limits", json!(5), "mcp.resources.limits", "is not an object"),
        (
            "/mcp/livenessProbe/enabled",
            json!("no"),
            "mcp.livenessProbe.enabled",
            "neither true nor false",
        ),
        ("/mcp/additionalEnv", json!("A=b"), "mcp.additionalEnv", "is not a list"),
        ("/mcp/additionalEnv", json!([{"value": "b"}]), "mcp.additionalEnv[0]", "has no name"),
        ("/service/enabled", json!(false), "service.enabled", "spec.lenses.url"),
        (
            "/podTemplateAnnotations",
            json!({"a": "b"}),
            "podTemplateAnnotations",
            "spec.podTemplate.metadata.annotations",
        ),
        (
            "/additionalPodSpec",
            json!({"priorityClassName": "x"}),
            "additionalPodSpec",
            "spec.podTemplate.spec",
        ),
        (server, json!({}), "lensesHq.auth.oauth2.authorizationServer.enabled", "is not enabled"),
        (
            &format!("{server}/issuerURL"),
            json!("https://x.example"),
            "lensesHq.auth.oauth2.authorizationServer.issuerURL",
            "byte for byte",
        ),
        (
            &format!("{server}/unauthenticatedIntrospection"),
            json!(false),
            "lensesHq.auth.oauth2.authorizationServer.unauthenticatedIntrospection",
            "clientCredentialsSecretRef",
        ),
    ] {
        let migrated = of_values(&release(pointer, &value));
        assert_eq!(migrated.status, 1, "{pointer}: {}", migrated.said);
        assert!(names(&migrated.said, key, said), "{key}: {said:?} is not in {}", migrated.said);
    }
}

#[test]
fn what_is_not_needed_any_more_is_named_with_the_reason() {
    for (pointer, value, key, said) in [
        (
            "/mcp/image",
            json!({"repository": "lensesio/mcp", "tag": "6.2.2"}),
            "mcp.image",
            "Python",
        ),
        ("/mcp/livenessProbe/enabled", json!(false), "mcp.livenessProbe.enabled", "always"),
        ("/mcp/service/enabled", json!(false), "mcp.service.enabled", "always makes"),
        (
            "/containerSecurityContext",
            json!({"runAsUser": 1}),
            "containerSecurityContext",
            "restricted",
        ),
    ] {
        let migrated = of_values(&release(pointer, &value));
        assert_eq!(migrated.status, 0, "{pointer}: {}", migrated.said);
        assert!(names(&migrated.said, key, said), "{key}: {}", migrated.said);
    }
}

#[test]
fn files_are_merged_as_helm_merges_them() {
    let directory = crate::directory("values");
    let (base, over) = (directory.join("base.yaml"), directory.join("over.yaml"));
    std::fs::write(&base, release("/mcp/service/port", &json!(81)).to_string()).unwrap();
    std::fs::write(&over, "mcp: {mcpAdvertisedUrl: 'https://b.example', service: {port: null}}")
        .unwrap();
    let files = ["-f", base.to_str().unwrap(), "-f", over.to_str().unwrap()];
    let migrated = migrate(&files, "");
    assert_eq!(migrated.resource["spec"]["endpoint"], json!({ "url": "https://b.example" }));
}

#[test]
fn release_name_and_namespace_decide_which_service_is_hq() {
    let values = release("/servicePort", &json!(80)).to_string();
    for (release, service) in
        [("lenses-hq", "lenses-hq"), ("my-lenses-hq", "my-lenses-hq"), ("prod", "prod-lenses-hq")]
    {
        let arguments = ["-f", "-", "--release", release, "-n", "kafka", "--name", "ai"];
        let migrated = migrate(&arguments, &values);
        assert_eq!(migrated.resource["spec"]["lenses"]["serviceRef"]["name"], service);
        let metadata = json!({ "name": "ai", "namespace": "kafka" });
        assert_eq!(migrated.resource["metadata"], metadata);
    }
}

#[test]
fn in_the_time_of_the_change_the_chart_keeps_its_ingress() {
    let values = release("/mcp/ingress", &json!({"enabled": true, "host": "mcp.example.com"}));
    let migrated = migrate(&["-f", "-", "--transition"], &values.to_string());
    assert_eq!(migrated.status, 0, "{}", migrated.said);
    let spec = &migrated.resource["spec"];
    assert_eq!(spec["endpoint"], json!({ "url": "https://mcp.example.com" }));
    assert_eq!(spec["verification"]["mode"], "service");
    // The steps lead the chart's Ingress to the new Service, before the sidecar goes.
    let steps = of_values(&values).said;
    let patch = steps.lines().find(|line| line.contains("kubectl patch ingress")).unwrap();
    let patch = patch.split('\'').nth(1).unwrap();
    let patch: Value = serde_json::from_str(patch).unwrap();
    assert_eq!(patch[0]["value"], json!({ "name": "lenses-mcp", "port": { "number": 80 } }));
    let at = |text: &str| steps.find(text).unwrap_or_else(|| panic!("{text}: {steps}"));
    let order = ["--transition", "kubectl patch", "resource-policy=keep", "mcp.enabled=false"];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{steps}");
    assert!(steps.contains("Users stay signed in"), "{steps}");
}

#[test]
fn values_of_something_else_are_refused_with_what_to_give() {
    let disabled = release("/mcp/enabled", &json!(false)).to_string();
    let without_url = release("/mcp/mcpAdvertisedUrl", &json!("")).to_string();
    let without_hq = release("/mcp/lensesAdvertisedUrl", &Value::Null).to_string();
    let plain = release("/mcp/mcpAdvertisedUrl", &json!("http://mcp.example.com")).to_string();
    let doubled =
        release("/mcp/mcpAdvertisedUrl", &json!("https://mcp.example.com/mcp")).to_string();
    let other_host =
        release("/mcp/ingress", &json!({"enabled": true, "host": "other.example.com"})).to_string();
    let policy = release("/mcp/image/pullPolicy", &json!("Sometimes")).to_string();
    let resource = "apiVersion: mcp.lenses.io/v1alpha1\nkind: LensesMcpServer\nmcp: {}\n";
    for (input, said) in [
        ("", "there is no section mcp"),
        ("replicas: 3\nimage: {tag: 1}\n", "there is no section mcp"),
        ("- a\n- b\n", "it has no keys"),
        ("just text", "it has no keys"),
        ("a: [", "is not YAML"),
        ("mcp: true", "mcp is not an object"),
        ("mcp: {}", "mcp.enabled is not true"),
        (&disabled, "mcp.enabled is not true"),
        (&without_url, "mcp.mcpAdvertisedUrl is not set"),
        (&without_hq, "mcp.lensesAdvertisedUrl is not set"),
        (resource, "not values of the lenses-hq chart"),
        (&plain, "spec.endpoint.url: plain http is accepted for loopback"),
        (&doubled, "spec.endpoint.url: leave /mcp out"),
        (&other_host, "does not lead through endpoint.ingress"),
        (&policy, "spec.imagePullPolicy"),
    ] {
        let migrated = migrate(&["-f", "-"], input);
        assert_eq!(migrated.status, 2, "{input}");
        assert!(migrated.said.contains(said), "{said:?} is not in {}", migrated.said);
    }
    for (arguments, said) in [
        (&["-f", "no-such-file"][..], "failed to read no-such-file"),
        (&[], "--values"),
        (&["-f", "-", "--docker", "docker run x"], "cannot be used with"),
        (&["--env-file", "-", "--transition"], "--values"),
        (&["-f", "-", "--name", "lenses-hq-mcp"], "is the name of the sidecar's Service"),
    ] {
        let migrated = migrate(arguments, &release("/servicePort", &json!(80)).to_string());
        assert_eq!(migrated.status, 2, "{arguments:?}");
        assert!(migrated.said.contains(said), "{arguments:?}: {}", migrated.said);
    }
}

#[test]
fn a_variable_that_the_chart_sets_too_is_left_to_decide() {
    for name in
        ["LENSES_URL", "MCP_ADVERTISED_URL", "LENSES_ADVERTISED_URL", "LENSES_API_HTTP_PORT"]
    {
        let migrated = with_variables(&json!([{ "name": name, "value": "https://x.example" }]));
        assert_eq!(migrated.status, 1, "{name}: {}", migrated.said);
        let key = format!("mcp.additionalEnv[0] ({name})");
        assert!(names(&migrated.said, &key, "if this"), "{}", migrated.said);
        assert_eq!(migrated.resource["spec"]["endpoint"]["url"], "https://mcp.example.com");
    }
}
