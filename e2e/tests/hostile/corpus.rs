//! The manifests, each with how it must end.

use lenses_mcp_e2e::bed::Hq;
use serde_json::{Value, json};

/// A manifest, and the condition that it must end with.
pub(crate) struct Hostile {
    /// The resource's name: what its author is up to.
    pub(crate) name: &'static str,
    pub(crate) spec: Value,
    /// The type of the condition.
    pub(crate) kind: &'static str,
    pub(crate) reason: &'static str,
    /// Words of its message.
    pub(crate) said: &'static str,
}

/// All of them. `listener` is the author's own.
pub(crate) fn corpus(hq: &Hq, listener: &str) -> Vec<Hostile> {
    let parts = [
        secrets_at_hq(hq, listener),
        tokens(hq, listener),
        addresses(),
        templates(hq),
        other_namespaces(),
    ];
    parts.into_iter().flatten().collect()
}

/// No pods, so that nothing but the operator itself could send anything.
fn without_pods(lenses: impl Into<Value>, auth: impl Into<Value>) -> Value {
    let (lenses, auth): (Value, Value) = (lenses.into(), auth.into());
    json!({"lenses": lenses, "auth": auth, "replicas": 0})
}

fn with_client(secret: &str, url: Option<&str>) -> Value {
    let mut introspection = json!({"clientCredentialsSecretRef": {"name": secret}});
    if let Some(url) = url {
        introspection["url"] = json!(url);
    }
    json!({"oauth": {"introspection": introspection}})
}

fn at_hq(hq: &Hq) -> Value {
    json!({"serviceRef": {"name": hq.name(), "port": "http"}, "advertisedUrl": hq.issuer()})
}

/// A Secret without the label is not used, wherever HQ is said to be.
fn secrets_at_hq(hq: &Hq, listener: &str) -> Vec<Hostile> {
    const KIND: &str = "LensesReachable";
    let refused = |name, lenses, auth| Hostile {
        name,
        spec: without_pods(lenses, auth),
        kind: KIND,
        reason: "SecretNotLabelled",
        said: "run kubectl label secret",
    };
    let own = || json!({"url": listener, "advertisedUrl": "https://hq.example.com"});
    let with = |field: &str, value: Value| {
        let mut lenses = own();
        lenses[field] = value;
        lenses
    };
    let introspect = format!("{listener}/oauth2/introspect");
    vec![
        refused("client-to-own-hq", own(), with_client("unlabelled", None)),
        refused("client-of-a-refusing-secret", own(), with_client("refusing", None)),
        refused(
            "client-under-a-path",
            json!({"url": format!("{listener}/hq"), "advertisedUrl": "https://hq.example.com"}),
            with_client("unlabelled", None),
        ),
        refused(
            "client-to-own-introspection",
            at_hq(hq),
            with_client("unlabelled", Some(&introspect)),
        ),
        refused(
            "certificate-to-own-hq",
            with("clientCertificate", json!({"secretName": "unlabelled"})),
            json!({"oauth": {}}),
        ),
        refused(
            "authority-of-a-secret",
            with("caBundle", json!({"secretKeyRef": {"name": "unlabelled", "key": "token"}})),
            json!({"oauth": {}}),
        ),
        // With the label, credentials still go to HQ's own origin only.
        Hostile {
            name: "labelled-client-elsewhere",
            spec: without_pods(at_hq(hq), with_client("labelled", Some(&introspect))),
            kind: KIND,
            reason: "LensesReachable",
            said: "another origin than spec.lenses, is not examined",
        },
        Hostile {
            name: "post-to-any-path",
            spec: without_pods(at_hq(hq), {
                json!({"oauth": {"introspection": {"url": format!("{listener}/-/quit")}}})
            }),
            kind: KIND,
            reason: "LensesReachable",
            said: "is not examined",
        },
        Hostile {
            name: "own-hq",
            spec: without_pods(own(), json!({"oauth": {}})),
            kind: KIND,
            reason: "IssuerMismatch",
            said: "byte for byte",
        },
    ]
}

/// A token is shown at the server's own Service only, and only from a Secret with the label.
fn tokens(hq: &Hq, listener: &str) -> Vec<Hostile> {
    let serving = |secret: &str, verification: Value, url: &str| {
        let mut verification = verification;
        verification["credentialSecretRef"] = json!({"name": secret, "key": "token"});
        json!({
            "lenses": at_hq(hq), "auth": {"oauth": {}},
            "endpoint": {"url": url}, "verification": verification,
        })
    };
    let refused = |name, spec| Hostile {
        name,
        spec,
        kind: "Verified",
        reason: "SecretNotLabelled",
        said: "run kubectl label secret",
    };
    vec![
        refused("token-to-own-url", serving("unlabelled", json!({}), listener)),
        refused("token-of-a-refusing-secret", serving("refusing", json!({}), listener)),
        refused(
            "token-by-the-service",
            serving("unlabelled", json!({"mode": "service"}), listener),
        ),
        // HQ does not know the token, so it is the server that refuses it: the listener takes any.
        Hostile {
            name: "labelled-token-to-own-url",
            spec: serving("labelled", json!({}), listener),
            kind: "Verified",
            reason: "CredentialRefused",
            said: "does not take the token",
        },
        Hostile {
            name: "url-of-metadata-service",
            spec: serving("labelled", json!({}), "https://169.254.169.254"),
            kind: "Verified",
            reason: "AddressForbidden",
            said: "is a link-local address",
        },
    ]
}

/// Where only the operator, or its node, could connect.
fn addresses() -> Vec<Hostile> {
    let at = |name, url: &str, said| Hostile {
        name,
        spec: without_pods(
            json!({"url": url, "advertisedUrl": "https://hq.example.com"}),
            json!({"oauth": {}}),
        ),
        kind: "LensesReachable",
        reason: "AddressForbidden",
        said,
    };
    vec![
        at("own-admin-port", "http://127.0.0.1:9090", "127.0.0.1 is a loopback address"),
        at("localhost", "http://localhost:9090", "is a loopback address"),
        at("loopback-range", "http://127.1.2.3", "127.1.2.3 is a loopback address"),
        at("loopback-of-six", "http://[::1]:9090", "::1 is a loopback address"),
        at("loopback-mapped", "http://[::ffff:127.0.0.1]:9090", "127.0.0.1 is a loopback address"),
        at("loopback-translated", "http://[64:ff9b::7f00:1]", "127.0.0.1 is a loopback address"),
        at("loopback-in-hex", "http://0x7f000001:9090", "127.0.0.1 is a loopback address"),
        at("loopback-as-a-number", "http://2130706433:9090", "127.0.0.1 is a loopback address"),
        at("unspecified", "http://0.0.0.0:9090", "0.0.0.0 is an unspecified address"),
        at("metadata", "http://169.254.169.254", "169.254.169.254 is a link-local address"),
        at("metadata-of-six", "http://[fd00:ec2::254]", "is a cloud metadata address"),
        at("link-local-of-six", "http://[fe80::1]", "fe80::1 is a link-local address"),
        at("api-server", "https://kubernetes.default.svc", "is the address of the API server"),
        at("api-server-by-number", "https://10.96.0.1", "is the address of the API server"),
        at("api-server-on-its-node", "https://10.90.0.1:6443", "is the address of the API server"),
    ]
}

/// Pods with power over their node, or with another's rights.
fn templates(hq: &Hq) -> Vec<Hostile> {
    let of = |name, template: Value, said| Hostile {
        name,
        spec: json!({"lenses": at_hq(hq), "auth": {"oauth": {}}, "podTemplate": template}),
        kind: "Accepted",
        reason: "InvalidSpec",
        said,
    };
    let server = |fields: Value| {
        let mut container = fields;
        container["name"] = json!("lenses-mcp-server");
        json!({"spec": {"containers": [container]}})
    };
    let context = |fields: Value| server(json!({"securityContext": fields}));
    vec![
        of(
            "host-path",
            json!({"spec": {"volumes": [{"name": "root", "hostPath": {"path": "/"}}]}}),
            "spec.volumes[root].hostPath",
        ),
        of("privileged", context(json!({"privileged": true})), "securityContext.privileged"),
        of("host-network", json!({"spec": {"hostNetwork": true}}), "spec.hostNetwork"),
        of("host-pid", json!({"spec": {"hostPID": true}}), "spec.hostPID"),
        of("host-ipc", json!({"spec": {"hostIPC": true}}), "spec.hostIPC"),
        of(
            "another-account",
            json!({"spec": {"serviceAccountName": "default"}}),
            "spec.serviceAccountName",
        ),
        of(
            "capability",
            context(json!({"capabilities": {"add": ["SYS_ADMIN"]}})),
            "capabilities.add[SYS_ADMIN]",
        ),
        of(
            "host-port",
            {
                json!({"spec": {"containers": [{
                    "name": "c", "image": "i", "ports": [{"containerPort": 1, "hostPort": 1}],
                }]}})
            },
            "spec.containers[c].ports[1].hostPort",
        ),
        of(
            "probe-of-another-host",
            {
                server(
                    json!({"livenessProbe": {"httpGet": {"host": "169.254.169.254", "port": 80}}}),
                )
            },
            "livenessProbe.httpGet.host",
        ),
    ]
}

/// What is in namespaces that the author need not see.
fn other_namespaces() -> Vec<Hostile> {
    let of = |name, reference: Value, said| Hostile {
        name,
        spec: without_pods(
            json!({"serviceRef": reference, "advertisedUrl": "https://hq.example.com"}),
            json!({"oauth": {}}),
        ),
        kind: "Accepted",
        reason: "ReferenceNotFound",
        said,
    };
    let api_server =
        |port: Value| json!({"name": "kubernetes", "namespace": "default", "port": port});
    vec![
        of(
            "ports-of-others",
            api_server(json!("web")),
            "Service default/kubernetes has no port web",
        ),
        of(
            "port-numbers-of-others",
            api_server(json!(1)),
            "Service default/kubernetes has no port 1",
        ),
        // One that is there: the name of its port is not told, and it is not dialled.
        Hostile {
            name: "api-server-by-reference",
            spec: without_pods(
                json!({
                    "serviceRef": api_server(json!(443)), "advertisedUrl": "https://hq.example.com",
                }),
                json!({"oauth": {}}),
            ),
            kind: "LensesReachable",
            reason: "AddressForbidden",
            said: "is the address of the API server",
        },
    ]
}
