//! Bad manifests are refused by `kubectl apply` itself, with a message that says what to write.

use lenses_mcp_e2e::bed::{prove, server};
use serde_json::{Value, json};

/// What is wrong, the spec, and the words that the refusal must hold.
fn bad_specs() -> Vec<(&'static str, Value, &'static str)> {
    let url = || json!({"url": "https://lenses.example.com"});
    let oauth = || json!({"oauth": {}});
    let api_key = |callers: Value| {
        json!({
            "apiKey": {"secretKeyRef": {"name": "k", "key": "k"}, "callers": callers}
        })
    };
    let hq = || json!({"name": "hq", "port": "http"});
    let advertised = |value: &str| {
        json!({
            "lenses": {"url": "http://hq.lenses.svc", "advertisedUrl": value}, "auth": oauth()
        })
    };
    let endpoint =
        |value: &str| json!({"lenses": url(), "auth": oauth(), "endpoint": {"url": value}});
    let mut specs = vec![
        ("no auth", json!({"lenses": url()}), "exactly one of auth.oauth"),
        ("an empty auth", json!({"lenses": url(), "auth": {}}), "exactly one of auth.oauth"),
        (
            "two modes",
            json!({
                "lenses": url(),
                "auth": {"oauth": {}, "apiKey": api_key(json!({"anyone": true}))["apiKey"]}
            }),
            "exactly one of auth.oauth",
        ),
        ("no lenses", json!({"auth": oauth()}), "spec.lenses: Required value"),
        (
            "neither url nor serviceRef",
            json!({"lenses": {}, "auth": oauth()}),
            "exactly one of lenses.url and lenses.serviceRef",
        ),
        (
            "both url and serviceRef",
            json!({
                "lenses": {"url": "https://lenses.example.com", "serviceRef": hq()}, "auth": oauth()
            }),
            "exactly one of lenses.url and lenses.serviceRef",
        ),
        (
            "serviceRef and OAuth without advertisedUrl",
            json!({"lenses": {"serviceRef": hq()}, "auth": oauth()}),
            "needs lenses.advertisedUrl",
        ),
        ("advertisedUrl in plain http", advertised("http://lenses.example.com"), "write https://"),
        ("advertisedUrl with /mcp", advertised("https://lenses.example.com/mcp"), "leave /mcp out"),
        (
            "advertisedUrl with a query",
            advertised("https://lenses.example.com/?a=b"),
            "without user info, query and fragment",
        ),
        (
            "advertisedUrl with a fragment",
            advertised("https://lenses.example.com/#a"),
            "without user info, query and fragment",
        ),
        (
            "advertisedUrl with credentials",
            advertised("https://me:pw@lenses.example.com"),
            "without user info, query and fragment",
        ),
        (
            "advertisedUrl that is no URL",
            advertised("lenses.example.com"),
            "write an absolute http or https URL",
        ),
        (
            "a public lenses.url in plain http under OAuth",
            json!({"lenses": {"url": "http://lenses.example.com"}, "auth": oauth()}),
            "add lenses.advertisedUrl",
        ),
        ("endpoint.url with /mcp", endpoint("https://mcp.example.com/mcp"), "leave /mcp out"),
        ("endpoint.url with /mcp/", endpoint("https://mcp.example.com/mcp/"), "leave /mcp out"),
        (
            "endpoint.url with a query",
            endpoint("https://mcp.example.com?x"),
            "without user info, query and fragment",
        ),
        (
            "endpoint.url with a fragment",
            endpoint("https://mcp.example.com/#x"),
            "without user info, query and fragment",
        ),
        ("endpoint.url in plain http", endpoint("http://mcp.example.com"), "write https://"),
        (
            "an API key and nobody who may call",
            json!({"lenses": url(), "auth": api_key(json!({}))}),
            "exactly one of callers.tokenSecretRef and callers.anyone",
        ),
        (
            "an API key for anyone with a token",
            json!({
                "lenses": url(),
                "auth": api_key(
                    json!({"anyone": true, "tokenSecretRef": {"name": "t", "key": "t"}})
                )
            }),
            "exactly one of callers.tokenSecretRef and callers.anyone",
        ),
        (
            "a scope that is none",
            json!({"lenses": url(), "auth": {"oauth": {"scopes": ["read", "admin"]}}}),
            "supported values: \"read\", \"write\", \"delete\"",
        ),
        (
            "no scope",
            json!({"lenses": url(), "auth": {"oauth": {"scopes": []}}}),
            "at least 1 items",
        ),
        (
            "a cache of a day",
            json!({"lenses": url(), "auth": {"oauth": {"introspection": {"cacheTtl": "24h"}}}}),
            "from 0s to 1h",
        ),
        (
            "replicas below zero",
            json!({"lenses": url(), "auth": oauth(), "replicas": -1}),
            "greater than or equal to 0",
        ),
        (
            "a field that is none",
            json!({"lenses": url(), "auth": oauth(), "replica": 1}),
            "unknown field \"spec.replica\"",
        ),
    ];
    specs.extend(bad_parts().into_iter().map(|(what, part, message)| {
        let mut spec = json!({"lenses": url(), "auth": oauth()});
        for (name, value) in part.as_object().into_iter().flatten() {
            spec[name] = value.clone();
        }
        (what, spec, message)
    }));
    specs
}

/// The same, of specs that are good but for one part of them.
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn bad_parts() -> Vec<(&'static str, Value, &'static str)> {
    const NO_MATCH: &str = "should match";
    let lenses = |field: &str, value: Value| {
        json!({
            "lenses": {"url": "https://lenses.example.com", field: value}
        })
    };
    let service_ref = |value: Value| {
        json!({
            "lenses": {"serviceRef": value, "advertisedUrl": "https://lenses.example.com"}
        })
    };
    let oauth = |value: Value| json!({"auth": {"oauth": value}});
    let api_key = |key: Value, callers: Value| {
        json!({
            "auth": {"apiKey": {"secretKeyRef": key, "callers": callers}}
        })
    };
    let endpoint = |value: Value| json!({"endpoint": value});
    let service = |value: Value| json!({"endpoint": {"service": value}});
    let ingress = |value: Value| json!({"endpoint": {"ingress": value}});
    let route = |hostnames: Value, path: &str| {
        json!({
            "parentRefs": [{"name": "gw"}], "hostnames": hostnames, "path": path
        })
    };
    let tools = |field: &str, value: Value| json!({"tools": {field: value}});
    let limits = |field: &str, value: Value| json!({"limits": {field: value}});
    let key = || json!({"name": "k", "key": "k"});
    vec![
        (
            "lenses.url of another scheme",
            json!({"lenses": {"url": "ftp://lenses.example.com"}}),
            "write an absolute http or https URL",
        ),
        (
            "lenses.url of a kilobyte",
            json!({"lenses": {"url": format!("https://h/{}", "a".repeat(1024))}}),
            "may not be more than 1024",
        ),
        (
            "an empty bundle",
            lenses("caBundle", json!({})),
            "exactly one of caBundle.configMapKeyRef and caBundle.secretKeyRef",
        ),
        (
            "a bundle in two places",
            lenses("caBundle", json!({"configMapKeyRef": key(), "secretKeyRef": key()})),
            "exactly one of caBundle.configMapKeyRef and caBundle.secretKeyRef",
        ),
        (
            "a bundle without a key",
            lenses("caBundle", json!({"configMapKeyRef": {"name": "ca"}})),
            "key: Required value",
        ),
        (
            "a bundle's key that is a path",
            lenses("caBundle", json!({"secretKeyRef": {"name": "ca", "key": "a/b"}})),
            NO_MATCH,
        ),
        (
            "a client certificate of no Secret",
            lenses("clientCertificate", json!({})),
            "secretName: Required value",
        ),
        (
            "a proxy that is not named",
            lenses("proxy", json!({})),
            "exactly one of proxy.url and proxy.fromEnvironment",
        ),
        (
            "a proxy with its password",
            lenses("proxy", json!({"url": "http://user:secret@proxy:3128"})),
            "proxy.credentialsSecretRef",
        ),
        (
            "two exceptions in one",
            lenses("proxy", json!({"url": "http://proxy", "noProxy": ["a,b"]})),
            NO_MATCH,
        ),
        ("a Service without a port", service_ref(json!({"name": "hq"})), "port: Required value"),
        (
            "a Service without a name",
            service_ref(json!({"name": "", "port": 80})),
            "at least 1 chars long",
        ),
        (
            "a scheme that is none",
            service_ref(json!({"name": "hq", "port": 80, "scheme": "ftp"})),
            "supported values: \"http\", \"https\"",
        ),
        (
            "a path without its slash",
            service_ref(json!({"name": "hq", "port": 80, "path": "hq"})),
            NO_MATCH,
        ),
        (
            "an introspection URL that is a path",
            oauth(json!({"introspection": {"url": "/introspect"}})),
            "write an absolute http or https URL",
        ),
        (
            "an audience rule that is none",
            oauth(json!({"audience": "always"})),
            "supported values: \"required\", \"whenPresent\", \"ignored\"",
        ),
        ("a time that is none", oauth(json!({"introspection": {"cacheTtl": "soon"}})), NO_MATCH),
        ("a time before now", oauth(json!({"introspection": {"cacheTtl": "-1s"}})), NO_MATCH),
        ("a scope twice", oauth(json!({"scopes": ["read", "read"]})), "Duplicate value"),
        (
            "client credentials of no Secret",
            oauth(json!({"introspection": {"clientCredentialsSecretRef": {}}})),
            "name: Required value",
        ),
        (
            "no API key",
            json!({"auth": {"apiKey": {"callers": {"anyone": true}}}}),
            "secretKeyRef: Required value",
        ),
        (
            "an API key without a key",
            api_key(json!({"name": "k"}), json!({"anyone": true})),
            "key: Required value",
        ),
        (
            "no callers",
            json!({"auth": {"apiKey": {"secretKeyRef": key()}}}),
            "callers: Required value",
        ),
        (
            "a callers' token without a name",
            api_key(key(), json!({"tokenSecretRef": {"key": "k"}})),
            "name: Required value",
        ),
        (
            "an Ingress and a route",
            endpoint(json!({
                "ingress": {"host": "a.example.com"},
                "httpRoute": route(json!(["a.example.com"]), "/")
            })),
            "one of endpoint.ingress and endpoint.httpRoute",
        ),
        ("an Ingress without a host", ingress(json!({})), "host: Required value"),
        ("an Ingress for every host", ingress(json!({"host": "*.example.com"})), NO_MATCH),
        ("an Ingress of a URL", ingress(json!({"host": "https://a.example.com"})), NO_MATCH),
        (
            "an Ingress path without its slash",
            ingress(json!({"host": "a.example.com", "path": "a"})),
            NO_MATCH,
        ),
        (
            "an Ingress path that ends with a slash",
            ingress(json!({"host": "a.example.com", "path": "/a/"})),
            NO_MATCH,
        ),
        (
            "an Ingress path that is hidden",
            ingress(json!({"host": "a.example.com", "path": "/.well-known"})),
            NO_MATCH,
        ),
        (
            "an Ingress path with /mcp",
            ingress(json!({"host": "a.example.com", "path": "/a/mcp"})),
            "leave /mcp out",
        ),
        (
            "an Ingress with a certificate of no Secret",
            ingress(json!({"host": "a.example.com", "tls": {}})),
            "secretName: Required value",
        ),
        (
            "a URL of another host than the Ingress",
            endpoint(json!({"url": "https://b.example.com", "ingress": {"host": "a.example.com"}})),
            "write the host and the path of the ingress",
        ),
        (
            "a URL of another path than the Ingress",
            endpoint(json!({
                "url": "https://a.example.com",
                "ingress": {"host": "a.example.com", "path": "/a"}
            })),
            "write the host and the path of the ingress",
        ),
        (
            "a route of no Gateway",
            endpoint(json!({"httpRoute": {"hostnames": ["a.example.com"]}})),
            "parentRefs: Required value",
        ),
        (
            "a route of an empty list of Gateways",
            endpoint(json!({"httpRoute": {"parentRefs": [], "hostnames": ["a.example.com"]}})),
            "at least 1 items",
        ),
        (
            "a route for no host",
            endpoint(json!({"httpRoute": route(json!([]), "/")})),
            "at least 1 items",
        ),
        (
            "a route for a host twice",
            endpoint(json!({"httpRoute": route(json!(["a.example.com", "a.example.com"]), "/")})),
            "Duplicate value",
        ),
        (
            "a route with /mcp",
            endpoint(json!({"httpRoute": route(json!(["a.example.com"]), "/mcp")})),
            "leave /mcp out",
        ),
        (
            "a URL of another host than the route",
            endpoint(json!({
                "url": "https://c.example.com",
                "httpRoute": route(json!(["a.example.com", "b.example.com"]), "/")
            })),
            "write one of its hostnames and its path",
        ),
        (
            "a URL of another path than the route",
            endpoint(json!({
                "url": "https://a.example.com/b",
                "httpRoute": route(json!(["a.example.com"]), "/a")
            })),
            "write one of its hostnames and its path",
        ),
        ("a certificate of no Secret", endpoint(json!({"tls": {}})), "secretName: Required value"),
        (
            "an origin with a path",
            endpoint(json!({"allowedOrigins": ["https://a.example.com/x"]})),
            NO_MATCH,
        ),
        (
            "a load balancer in the clear",
            service(json!({"type": "LoadBalancer"})),
            "write endpoint.tls, or, where TLS ends",
        ),
        (
            "a type that is none",
            service(json!({"type": "ExternalName"})),
            "supported values: \"ClusterIP\", \"NodePort\", \"LoadBalancer\"",
        ),
        ("port 0", service(json!({"port": 0})), "greater than or equal to 1"),
        ("port 70000", service(json!({"port": 70000})), "less than or equal to 65535"),
        (
            "a load balancer's class without one",
            service(json!({"loadBalancerClass": "x"})),
            "need type: LoadBalancer",
        ),
        (
            "a load balancer's sources without one",
            service(json!({"type": "NodePort", "loadBalancerSourceRanges": ["203.0.113.0/24"]})),
            "need type: LoadBalancer",
        ),
        (
            "a source that is no range",
            endpoint(json!({
                "tls": {"secretName": "t"},
                "service": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["203.0.113.7"]}
            })),
            NO_MATCH,
        ),
        (
            "outside traffic to an inside Service",
            service(json!({"externalTrafficPolicy": "Local"})),
            "needs type: LoadBalancer or NodePort",
        ),
        (
            "a traffic policy that is none",
            service(json!({"type": "NodePort", "externalTrafficPolicy": "Nearest"})),
            "supported values: \"Cluster\", \"Local\"",
        ),
        ("a tool that is none", tools("allow", json!(["list_topic"])), "\"list_topics\""),
        ("a group that is none", tools("deny", json!(["topic/*"])), "\"topics/*\""),
        ("a tool twice", tools("deny", json!(["execute_sql", "execute_sql"])), "Duplicate value"),
        (
            "a confirmation that is none",
            tools("confirm", json!("always")),
            "supported values: \"destructive\", \"required\", \"never\"",
        ),
        (
            "a rule that says nothing",
            tools("rules", json!([{"environments": ["prod*"]}])),
            "a rule says nothing",
        ),
        (
            "a rule for all before another",
            tools(
                "rules",
                json!([
                    {"environments": ["*"], "scopes": []}, {"environments": ["a"], "scopes": []}
                ]),
            ),
            "write it last",
        ),
        (
            "a rule for no environment",
            tools("rules", json!([{"environments": [], "scopes": []}])),
            "at least 1 items",
        ),
        (
            "a rule for what is no name",
            tools("rules", json!([{"environments": ["prod:"], "scopes": []}])),
            NO_MATCH,
        ),
        (
            "a rule with a scope that is none",
            tools("rules", json!([{"environments": ["a"], "scopes": ["admin"]}])),
            "supported values: \"read\", \"write\", \"delete\"",
        ),
        ("a client id with a comma", oauth(json!({"allowedClients": ["a,b"]})), NO_MATCH),
        (
            "two audit outputs",
            json!({"observability": {"audit": {"stdout": {}, "disabled": {}}}}),
            "exactly one of audit.stdout",
        ),
        (
            "an audit file on no volume",
            json!({"observability": {"audit": {"file": {"path": "/var/log/a"}}}}),
            "is on no volume",
        ),
        (
            "an audit file by a relative path",
            json!({"observability": {"audit": {"file": {"path": "audit.jsonl"}}}}),
            NO_MATCH,
        ),
        ("two environments in one", tools("environments", json!(["dev,prod"])), NO_MATCH),
        ("no row", limits("sqlMaxRows", json!(0)), "greater than or equal to 1"),
        (
            "a query longer than its request",
            limits("sqlTimeout", json!("1m")),
            "lower the one or raise the other",
        ),
        (
            "a request shorter than its query",
            limits("requestTimeout", json!("10s")),
            "lower the one or raise the other",
        ),
        ("a request of two hours", limits("requestTimeout", json!("2h")), "from 1s to 1h"),
        ("a query of no time", limits("sqlTimeout", json!("0s")), "from 1s to 1h"),
        (
            "a reply of ten bytes",
            limits("responseMaxBytes", json!(10)),
            "greater than or equal to 1024",
        ),
        (
            "calls below zero",
            limits("callsPerMinutePerUser", json!(-1)),
            "greater than or equal to 0",
        ),
        (
            "no call at a time",
            limits("concurrentCallsPerUser", json!(0)),
            "greater than or equal to 1",
        ),
        ("a body of 64 bytes", limits("bodyMaxBytes", json!(64)), "greater than or equal to 1024"),
        (
            "a body of a gigabyte",
            limits("bodyMaxBytes", json!(1 << 30)),
            "less than or equal to 67108864",
        ),
        ("no connection", limits("connectionsPerAddress", json!(0)), "greater than or equal to 1"),
        (
            "failed sign-ins below zero",
            limits("failedSignInsPerMinute", json!(-1)),
            "greater than or equal to 0",
        ),
        ("a proxy by its name", limits("trustedProxies", json!(["proxy"])), NO_MATCH),
        ("everyone a proxy", limits("trustedProxies", json!(["::/0"])), "trusts every client"),
        (
            "a rollout that is none",
            json!({"rollout": {"securityChange": "Never"}}),
            "supported values: \"Recreate\", \"RollingUpdate\"",
        ),
        ("a thousand and one replicas", json!({"replicas": 1001}), "less than or equal to 1000"),
        ("no image", json!({"image": ""}), "at least 1 chars long"),
        (
            "a pull policy that is none",
            json!({"imagePullPolicy": "Sometimes"}),
            "supported values: \"Always\", \"IfNotPresent\", \"Never\"",
        ),
        ("an amount that is none", json!({"resources": {"limits": {"memory": "lots"}}}), NO_MATCH),
        ("a word for a flag", json!({"paused": "yes"}), "must be of type boolean"),
        ("autoscaling without an end", scaling(&json!({})), "maxReplicas: Required value"),
        (
            "autoscaling from nothing",
            scaling(&json!({"minReplicas": 0, "maxReplicas": 2})),
            "greater than or equal to 1",
        ),
        (
            "more at least than at most",
            scaling(&json!({"minReplicas": 3, "maxReplicas": 2})),
            "at least minReplicas",
        ),
        (
            "percent of a CPU that nobody asks for",
            json!({
                "autoscaling": {"maxReplicas": 2}, "resources": {"requests": {"memory": "64Mi"}}
            }),
            "resources.requests.cpu: write it",
        ),
        (
            "a rolling update that cannot begin",
            json!({"rollout": {"maxSurge": 0}}),
            "no pod can be replaced",
        ),
        ("a surge of a few", json!({"rollout": {"maxSurge": "few"}}), NO_MATCH),
        (
            "a verification of what there is not",
            json!({"verification": {"mode": "none"}}),
            "supported values: \"endpoint\", \"service\", \"off\"",
        ),
        (
            "two budgets",
            json!({"disruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}}),
            "one of minAvailable and maxUnavailable",
        ),
        (
            "a budget below zero",
            json!({"disruptionBudget": {"maxUnavailable": -1}}),
            "greater than or equal to 0",
        ),
        (
            "a budget of more than all",
            json!({"disruptionBudget": {"minAvailable": "150%"}}),
            NO_MATCH,
        ),
        ("a budget in words", json!({"disruptionBudget": {"minAvailable": "half"}}), NO_MATCH),
        (
            "a policy with a caller that is none",
            json!({"networkPolicy": {"ingressFrom": ["monitoring"]}}),
            "must be of type object",
        ),
        (
            "DNS at no port",
            json!({"networkPolicy": {"dns": {"port": 0}}}),
            "greater than or equal to 1",
        ),
        (
            "a level that is none",
            observability("log", &json!({"level": "loud"})),
            "supported values: \"error\"",
        ),
        (
            "a format that is none",
            observability("log", &json!({"format": "xml"})),
            "supported values: \"json\", \"text\"",
        ),
        ("traces to nowhere", observability("tracing", &json!({})), "otlpEndpoint: Required value"),
        (
            "traces to no URL",
            observability("tracing", &json!({"otlpEndpoint": "collector:4317"})),
            "absolute http or https URL",
        ),
        (
            "more than all traces",
            observability("tracing", &json!({"otlpEndpoint": "http://c:4318", "sampleRatio": 2})),
            "less than or equal to 1",
        ),
        (
            "a monitor with a label of the operator's",
            observability(
                "metrics",
                &json!({"serviceMonitor": {"labels": {"app.kubernetes.io/name": "x"}}}),
            ),
            "are the operator's",
        ),
        (
            "a monitor at no time",
            observability("metrics", &json!({"serviceMonitor": {"interval": "often"}})),
            NO_MATCH,
        ),
        (
            "a verification each second",
            json!({"verification": {"interval": "1s"}}),
            "from 10s to 24h",
        ),
        (
            "tools by a short digest",
            json!({"verification": {"expectedToolsDigest": "sha256:ab"}}),
            NO_MATCH,
        ),
        (
            "expected tools, and nobody to list them to",
            json!({"verification": {"expectedToolsDigest": format!("sha256:{}", "0".repeat(64))}}),
            "add verification.credentialSecretRef",
        ),
        (
            "a credential without its key",
            json!({"verification": {"credentialSecretRef": {"name": "a"}}}),
            "key: Required value",
        ),
        (
            "another command for the server",
            container(json!({"command": ["sh"]})),
            "spec.image takes an image",
        ),
        (
            "sign-in turned off in the environment",
            container(json!({"env": [{"name": "OAUTH_ENABLED", "value": "false"}]})),
            "write the field of spec that it stands for",
        ),
        (
            "something over the settings",
            container(json!({"volumeMounts": [{"name": "x", "mountPath": "/etc/lenses-mcp"}]})),
            "write other names and paths",
        ),
        (
            "a sidecar without an image",
            json!({"podTemplate": {"spec": {"containers": [{"name": "proxy"}]}}}),
            "needs an image",
        ),
        (
            "a label that selects",
            json!({"podTemplate": {"metadata": {"labels": {"app.kubernetes.io/instance": "x"}}}}),
            "are the operator's",
        ),
    ]
}

/// The server's container with this in it.
fn container(mut fields: Value) -> Value {
    fields["name"] = json!("lenses-mcp-server");
    json!({"podTemplate": {"spec": {"containers": [fields]}}})
}

fn scaling(autoscaling: &Value) -> Value {
    json!({"autoscaling": autoscaling})
}

fn observability(field: &str, value: &Value) -> Value {
    json!({"observability": {field: value}})
}

#[tokio::test]
async fn kubectl_apply_refuses_each_bad_manifest_and_says_what_to_write() {
    prove(|bed| async move {
        let mut wrong = Vec::new();
        for (what, spec, message) in bad_specs() {
            match bed.apply(&server("mcp", &spec)).await {
                Ok(()) => wrong.push(format!("{what}: accepted")),
                Err(refusal) if !refusal.to_string().contains(message) => {
                    wrong.push(format!("{what}: refused without the words {message:?}: {refusal}"));
                }
                Err(_) => {}
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(bad_specs().len() >= 60);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn kubectl_apply_refuses_a_name_that_no_service_can_have() {
    prove(|bed| async move {
        let spec =
            || json!({"lenses": {"url": "https://lenses.example.com"}, "auth": {"oauth": {}}});
        for name in ["1st", "dotted.name", &"a".repeat(64)] {
            let refusal =
                bed.apply(&server(name, &spec())).await.err().map(|error| error.to_string());
            assert!(
                refusal.as_ref().is_some_and(|text| text.contains("becomes a Service's name")),
                "{name}: {refusal:?}"
            );
        }
        Ok(())
    })
    .await;
}
