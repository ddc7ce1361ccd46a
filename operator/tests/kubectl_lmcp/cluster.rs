//! The commands that ask a cluster.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use lenses_mcp_crds::{schema::custom_resource_definition, yaml};
use lenses_mcp_server::{
    audit::AuditLog,
    lifecycle::Stages,
    metrics::Metrics,
    settings::{Settings, Transport, Variables},
    start,
};
use serde_json::{Value, json};

use crate::{
    api_server::{ApiServer, list, server},
    directory, err, out, root,
};

const SERVERS: &str = "/apis/mcp.lenses.io/v1alpha1/lensesmcpservers";
const DEFINITION: &str =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/lensesmcpservers.mcp.lenses.io";
const IN_LENSES: &str = "/apis/mcp.lenses.io/v1alpha1/namespaces/lenses/lensesmcpservers";

fn fleet() -> ApiServer {
    let mut unseen = server("new", "fresh", "True", "Ready");
    unseen.as_object_mut().unwrap().remove("status");
    let all = [
        server("prod", "b", "False", "Unreachable"),
        server("lenses", "a", "True", "Ready"),
        unseen,
    ];
    ApiServer::serving(
        &[
            (SERVERS, list(&all)),
            (IN_LENSES, list(&all[1..2])),
            ("/apis/mcp.lenses.io/v1alpha1/namespaces/lenses/lensesmcpservers/a", all[1].clone()),
            ("/apis/mcp.lenses.io/v1alpha1/namespaces/prod/lensesmcpservers/b", all[0].clone()),
        ],
        &[],
    )
}

#[test]
fn status_names_each_server_and_what_holds_it_back() {
    let fleet = fleet();
    let output = fleet.lmcp(&["status", "-A"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let said = out(&output);
    let lines: Vec<Vec<_>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
    let headings = ["NAMESPACE", "NAME", "READY", "REASON", "VERSION", "LENSES", "URL", "AGE"];
    assert_eq!(lines[0], headings);
    let url = "https://a.example.com/mcp";
    assert_eq!(lines[1][..7], ["lenses", "a", "True", "Ready", "0.1.0", "6.3.6", url]);
    assert!(lines[1][7].ends_with('d'), "{said}");
    assert_eq!(lines[2][..4], ["new", "fresh", "Unknown", "-"]);
    assert_eq!(lines[3][..4], ["prod", "b", "False", "Unreachable"]);
    assert!(said.contains("\nprod/b: Unreachable is why\n"), "{said}");
    assert!(said.contains("\nnew/fresh: the operator has not seen it"), "{said}");

    let wide = out(&fleet.lmcp(&["status", "-A", "-o", "wide"]));
    for shown in ["AUTH", "OAuth", "REPLICAS", "TOOLS", "60", "lensesio/lenses-mcp-server:0.1.0"] {
        assert!(wide.contains(shown), "{shown}: {wide}");
    }
}

#[test]
fn status_is_of_the_context_s_namespace_of_names_or_of_all() {
    let fleet = fleet();
    for (arguments, names, status) in [
        (&[][..], &["a"][..], 0),
        (&["a"], &["a"], 0),
        (&["-n", "prod", "b"], &["b"], 1),
        (&["-A"], &["a", "fresh", "b"], 1),
    ] {
        let output = fleet.lmcp(&[&["status", "-o", "json"], arguments].concat());
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", err(&output));
        let servers: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let found: Vec<_> = servers.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(found, names, "{arguments:?}");
        let yaml_output = fleet.lmcp(&[&["status", "-o", "yaml"], arguments].concat());
        let from_yaml: Vec<Vec<Value>> = yaml::from_documents(&out(&yaml_output)).unwrap();
        assert_eq!(from_yaml, [servers], "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_read_is_status_2_and_says_why() {
    let empty = ApiServer::serving(&[(IN_LENSES, list(&[]))], &[]);
    let forbidden = ApiServer::serving(&[], &["/apis"]);
    let fleet = fleet();
    for (server, arguments, said) in [
        (&empty, &["status"][..], "there is no LensesMcpServer in namespace lenses; -A"),
        (&empty, &["status", "-A"], "has no API mcp.lenses.io: install the operator"),
        (&empty, &["report"], "there is no LensesMcpServer in namespace lenses"),
        (&forbidden, &["status"], "failed to list LensesMcpServers: you may not read"),
        (&forbidden, &["connect", "a", "--client", "cursor"], "lenses/a: you may not read"),
        (&forbidden, &["tools", "a"], "lenses/a: you may not read"),
        (&forbidden, &["doctor", "a"], "lenses/a: you may not read"),
        (&fleet, &["status", "c"], "failed to read LensesMcpServer lenses/c: there is no"),
        (
            &fleet,
            &["tools", "a"],
            "give --token-file; the operator last saw 60 of them (sha256:00)",
        ),
        (&fleet, &["tools", "a", "--token-file", "no-such-file"], "no-such-file"),
        (&fleet, &["connect", "c", "--client", "cursor"], "lenses/c: there is no"),
        (&fleet, &["status", "-A", "a"], "cannot be used with"),
    ] {
        let output = server.lmcp(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", out(&output));
        assert!(err(&output).contains(said), "{arguments:?}: {said:?}: {}", err(&output));
        assert_eq!(out(&output), "", "{arguments:?}");
        assert!(!err(&output).contains("Status {"), "{arguments:?}: {}", err(&output));
    }
}

#[test]
fn connect_takes_url_and_sign_in_from_the_resource() {
    let mut with_key = server("lenses", "k", "True", "Ready");
    with_key["spec"]["auth"] = json!({ "apiKey": {
        "secretKeyRef": { "name": "s", "key": "k" },
        "callers": { "tokenSecretRef": { "name": "c", "key": "k" } },
    } });
    let mut without_url = server("lenses", "w", "False", "X");
    without_url["status"].as_object_mut().unwrap().remove("url");
    let path = |name: &str| format!("{IN_LENSES}/{name}");
    let api = ApiServer::serving(
        &[
            (&path("a"), server("lenses", "a", "True", "Ready")),
            (&path("k"), with_key),
            (&path("w"), without_url),
        ],
        &[],
    );
    let open = out(&api.lmcp(&["connect", "a", "--client", "claude-code"]));
    let command = "claude mcp add --transport http lenses https://a.example.com/mcp\n";
    assert!(open.starts_with(command), "{open}");
    let with_token = out(&api.lmcp(&["connect", "k", "--client", "claude-code"]));
    assert!(with_token.contains("--header \"Authorization: Bearer YOUR_TOKEN\""), "{with_token}");
    let waiting = api.lmcp(&["connect", "w", "--client", "claude-code"]);
    assert_eq!(waiting.status.code(), Some(2));
    assert!(err(&waiting).contains("lenses/w has no URL yet"), "{}", err(&waiting));
}

#[test]
fn version_names_each_component_or_why_it_is_not_known() {
    // As the API server writes it: 1 for 1.0.
    let definition = serde_json::to_string(&custom_resource_definition()).unwrap();
    assert!(definition.contains("1.0"), "there is a fraction that is a whole number");
    let definition: Value =
        serde_json::from_str(&definition.replace(":1.0,", ":1,").replace(":1.0}", ":1}")).unwrap();
    let mut other = definition.clone();
    other["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["description"] = json!("another");
    let operator = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "op", "namespace": "system" },
        "spec": {
            "replicas": 2, "selector": {},
            "template": { "spec": { "containers": [{ "name": "o", "image": "x/op:0.1.0" }] } },
        },
        "status": { "readyReplicas": 1 },
    });
    let kubernetes = json!({
        "gitVersion": "v1.34.1", "platform": "linux/amd64", "major": "1", "minor": "34",
        "gitCommit": "", "gitTreeState": "", "buildDate": "", "goVersion": "", "compiler": "",
    });
    let objects = |definition: &Value| {
        let servers = list(&[server("a", "a", "True", "Ready"), server("b", "b", "True", "Ready")]);
        [
            ("/version", kubernetes.clone()),
            (DEFINITION, definition.clone()),
            ("/apis/apps/v1/deployments", list(std::slice::from_ref(&operator))),
            (SERVERS, servers),
        ]
    };
    let found = |api: &ApiServer| -> Vec<Value> {
        let output = api.lmcp(&["version", "-o", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let own = env!("CARGO_PKG_VERSION");
    let same = "the definition is that of this program";
    assert_eq!(
        found(&ApiServer::serving(&objects(&definition), &[])),
        [
            json!({ "component": "client", "version": own, "found": "this program" }),
            json!({ "component": "kubernetes", "version": "v1.34.1", "found": "linux/amd64" }),
            json!({ "component": "api", "version": "v1alpha1", "found": same }),
            json!({ "component": "operator", "version": "0.1.0", "found": "system/op: 1 of 2 pods ready" }),
            json!({ "component": "servers", "version": "0.1.0", "found": "2 LensesMcpServers" }),
        ]
    );
    let changed = found(&ApiServer::serving(&objects(&other), &[]));
    assert!(changed[2]["found"].as_str().unwrap().contains("another version"), "{changed:?}");
    let limited = found(&ApiServer::serving(&objects(&definition), &["/apis/api", "/apis/apps"]));
    for component in [&limited[2], &limited[3]] {
        assert_eq!(component["version"], Value::Null, "{limited:?}");
        assert!(component["found"].as_str().unwrap().contains("you may not"), "{limited:?}");
    }
    // Without a cluster, this program's version is still said.
    let output = crate::lmcp(&["version"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(out(&output).contains(own) && err(&output).contains("find a cluster"));
    assert_eq!(crate::lmcp(&["version", "--client"], "").status.code(), Some(0));
}

/// The real server, in this process, for callers with a token.
fn mcp_server(runtime: &tokio::runtime::Runtime, token: &str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let settings = [
        ("TRANSPORT", "http"),
        ("LENSES_URL", "http://127.0.0.1:9"),
        ("LENSES_API_KEY", "sa_key_0123456789"),
        ("MCP_CALLER_TOKEN", token),
        ("MCP_ADVERTISED_URL", &url),
    ];
    let settings: BTreeMap<_, _> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let no_files = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    let settings = Settings::read(&Variables::load(settings, &no_files).unwrap()).unwrap();
    let Transport::Http(http) = &settings.transport else { unreachable!("HTTP was asked for") };
    let (metrics, stages) = (Arc::new(Metrics::new()), Stages::default());
    let routers = runtime
        .block_on(async {
            start::http_routers(&settings, http, metrics, AuditLog::default(), &stages, Arc::new)
        })
        .unwrap();
    runtime.spawn(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, routers.endpoint).await.unwrap();
    });
    format!("{url}/mcp")
}

#[test]
fn tools_lists_what_the_real_server_offers_to_the_holder_of_a_token() {
    const TOKEN: &str = "a-token-that-is-good-0123456789";
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let url = mcp_server(&runtime, TOKEN);
    let mut resource = server("lenses", "a", "True", "Ready");
    resource["status"]["url"] = json!(url);
    let path = format!("{IN_LENSES}/a");
    let api = ApiServer::serving(&[(&path, resource)], &[]);
    let directory = directory("tokens");
    let (good, bad) = (directory.join("good"), directory.join("bad"));
    std::fs::write(&good, format!("{TOKEN}\n")).unwrap();
    std::fs::write(&bad, "another-token-0123456789").unwrap();
    let with = |token: &Path, more: &[&str]| {
        api.lmcp(&[&["tools", "a", "--token-file", token.to_str().unwrap()], more].concat())
    };

    let output = with(&good, &["-o", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let tools: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    let mut known: Vec<_> = std::fs::read_to_string(root().join("crds/tools.txt"))
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    known.sort();
    assert!(!names.is_empty() && names.iter().all(|name| known.contains(&(*name).to_owned())));
    let effect = |name: &str| {
        tools.iter().find(|tool| tool["name"] == name).map(|tool| tool["effect"].clone())
    };
    assert_eq!(effect("list_topics"), Some(json!("read")));
    assert_eq!(effect("create_topic"), Some(json!("write")));
    assert_eq!(effect("delete_kafka_connector"), Some(json!("delete")));

    let table = out(&with(&good, &["--url", &url]));
    assert!(table.starts_with("TOOL "), "{table}");
    assert_eq!(table.lines().count(), names.len() + 1, "{table}");

    let refused = with(&bad, &[]);
    assert_eq!(refused.status.code(), Some(1), "{}", err(&refused));
    assert!(err(&refused).contains("does not take the token of --token-file"), "{}", err(&refused));
    assert!(!err(&refused).contains("another-token"), "{}", err(&refused));
    let unreachable = with(&good, &["--url", "http://127.0.0.1:9/mcp"]);
    assert_eq!(unreachable.status.code(), Some(1), "{}", err(&unreachable));
}
