//! Resources: what is listed, what a URI gives, and what is kept away.

use lenses_mcp_server::{
    policy::Options,
    scope::{Scope, ScopeSet},
    settings::Confirm,
};
use serde_json::{Value, json};

use crate::{
    client::{Endpoint, LEGACY, Limits, MODERN, TOKEN},
    hq::{self, Hq},
};

async fn read(endpoint: &Endpoint, revision: &str, uri: &str) -> Value {
    endpoint.request(revision, "resources/read", json!({ "uri": uri })).await.1
}

/// The content of a resource that is there.
async fn content(endpoint: &Endpoint, uri: &str) -> Value {
    let reply = read(endpoint, MODERN, uri).await;
    let contents = &reply["result"]["contents"];
    assert_eq!((&contents[0]["uri"], &contents[1]), (&json!(uri), &Value::Null), "{reply}");
    assert_eq!(contents[0]["mimeType"], "application/json");
    serde_json::from_str(contents[0]["text"].as_str().unwrap()).unwrap()
}

fn uris(list: &Value) -> Vec<&str> {
    list["result"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource["uri"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn every_kind_of_resource_is_what_hq_says_of_it() {
    let topic = json!({ "topicName": "a.b" });
    let hq = Hq::with(&[
        ("", json!({ "items": [{ "name": "dev" }] })),
        ("/dev", json!({ "name": "dev", "tier": "staging" })),
        ("/dev/proxy/api/topics", json!([{ "topicName": "a.b" }])),
        ("/dev/proxy/api/topics/a.b", topic.clone()),
        ("/dev/proxy/api/metadata/topics/a.b", json!({ "topicName": "a.b", "valueSchema": "{}" })),
    ])
    .await;
    let endpoint = Endpoint::new(&hq.url);
    for (uri, expected) in [
        ("lenses://environments", json!({ "result": [{ "name": "dev" }] })),
        ("lenses://environments/dev", json!({ "name": "dev", "tier": "staging" })),
        ("lenses://environments/dev/topics", json!({ "result": [topic.clone()] })),
        ("lenses://environments/dev/topics/a.b", topic),
        (
            "lenses://environments/dev/topics/a.b/schema",
            json!({ "topicName": "a.b", "valueSchema": "{}" }),
        ),
    ] {
        assert_eq!(content(&endpoint, uri).await, expected, "{uri}");
        let legacy = read(&endpoint, LEGACY, uri).await;
        assert!(legacy["result"]["contents"][0]["text"].is_string(), "{legacy}");
        assert_eq!(legacy["result"]["cacheScope"], Value::Null);
    }
    assert_eq!(hq.lines().len(), 10);
}

#[tokio::test]
async fn a_missing_resource_has_the_revisions_error_and_invalid_uris_spare_hq() {
    let hq = Hq::with(&[]).await;
    let endpoint = Endpoint::new(&hq.url);
    for (revision, code) in [(MODERN, -32602), (LEGACY, -32002)] {
        let reply = read(&endpoint, revision, "lenses://environments/none").await;
        assert_eq!(reply["error"]["code"], code, "{reply}");
        assert_eq!(reply["error"]["data"]["uri"], "lenses://environments/none");
        assert!(
            reply["error"]["message"]
                .as_str()
                .unwrap()
                .starts_with("not found: there is no such thing"),
            "{reply}"
        );
    }
    assert_eq!(hq.take().len(), 2);
    for (uri, why) in [
        ("", "begin with lenses://"),
        ("file:///etc/passwd", "begin with lenses://"),
        ("lenses://environments/", "empty segment"),
        ("lenses://environments/..", "relative path"),
        ("lenses://environments/dev/topics/%2E%2E", "relative path"),
        ("lenses://environments/%00", "control character"),
        ("lenses://environments/dev/topics/%20/schema", "is empty"),
        (&format!("lenses://environments/{}", "x".repeat(256)), "longer than 255"),
        ("lenses://environments/dev?x", "encode it as %XX"),
        ("lenses://environments/%zz", "percent-encoding is broken"),
        ("lenses://environments/dev/users", "no resource of this form"),
    ] {
        let reply = read(&endpoint, MODERN, uri).await;
        assert_eq!(reply["error"]["code"], -32602, "{uri}: {reply}");
        let message = reply["error"]["message"].as_str().unwrap();
        assert!(message.contains(why), "{uri}: {message}");
    }
    assert_eq!(hq.seen(), []);
}

#[tokio::test]
async fn a_long_list_is_cut_at_a_record_and_says_so() {
    let topics: Vec<_> =
        (0..500).map(|number| json!({ "topicName": format!("topic-{number:03}") })).collect();
    let hq = Hq::with(&[("/dev/proxy/api/topics", json!(topics))]).await;
    let url = &hq.url;
    // Replies of HQ may be as long as a resource may be.
    let whole = serde_json::to_string(&topics).unwrap().len();
    let endpoint = Endpoint::limited(url, Limits { bytes: whole, ..Limits::default() });
    assert_eq!(content(&endpoint, "lenses://environments/dev/topics").await["cut"], Value::Null);
    let short = Endpoint::cutting(url, Limits { bytes: whole, ..Limits::default() }, whole / 2);
    let found = content(&short, "lenses://environments/dev/topics").await;
    let records = found["result"].as_array().unwrap().len();
    assert!(records > 100 && records < 300, "{records}");
    assert_eq!((&found["cut"]["total"], &found["cut"]["records"]), (&json!(500), &json!(records)));
    // Its cursor is the tool's.
    let cursor = &found["cut"]["cursor"];
    let rest =
        endpoint.call("list_topics", json!({ "environment": "dev", "cursor": cursor })).await;
    assert_eq!(rest["structuredContent"]["result"].as_array().unwrap().len(), 500 - records);
}

#[tokio::test]
async fn environments_are_listed_with_their_topics_page_by_page() {
    let items: Vec<_> = (0..250)
        .map(|number| {
            let status = json!({ "agent_connected": true });
            json!({ "name": format!("e{number:03}"), "display_name": "An E", "status": status })
        })
        .collect();
    let hq = Hq::with(&[("", json!({ "items": items }))]).await;
    let endpoint = Endpoint::new(&hq.url);
    let (_, first) = endpoint.request(MODERN, "resources/list", json!({})).await;
    let listed = uris(&first);
    assert_eq!(listed.len(), 1 + 2 * 200);
    assert_eq!(
        listed[..3],
        [
            "lenses://environments",
            "lenses://environments/e000",
            "lenses://environments/e000/topics"
        ]
    );
    assert_eq!(first["result"]["resources"][2]["title"], "An E: topics");
    let (_, last) = endpoint
        .request(MODERN, "resources/list", json!({ "cursor": first["result"]["nextCursor"] }))
        .await;
    assert_eq!((uris(&last).len(), uris(&last)[0]), (100, "lenses://environments/e200"));
    assert_eq!(last["result"]["nextCursor"], Value::Null);
    let (_, templates) = endpoint.request(MODERN, "resources/templates/list", json!({})).await;
    let templates: Vec<_> =
        templates["result"]["resourceTemplates"].as_array().unwrap().iter().collect();
    assert_eq!(templates.len(), 4);
    assert!(templates.iter().all(
        |template| template["title"].is_string() && template["mimeType"] == "application/json"
    ));
}

#[tokio::test]
async fn topics_are_offered_only_where_the_agent_is_connected() {
    let hq = Hq::giving(&json!({ "items": [
        { "name": "away", "status": { "agent_connected": false } },
        {
            "name": "here",
            "status": { "agent": { "agent_connected": false }, "agent_connected": true }
        },
        { "name": "odd", "status": { "agent_connected": "true" } },
        { "name": "unknown" },
    ] }))
    .await;
    let (_, list) = Endpoint::new(&hq.url).request(MODERN, "resources/list", json!({})).await;
    assert_eq!(
        uris(&list),
        [
            "lenses://environments",
            "lenses://environments/away",
            "lenses://environments/here",
            "lenses://environments/here/topics",
            "lenses://environments/odd",
            "lenses://environments/unknown",
        ]
    );
}

#[tokio::test]
async fn without_hq_the_list_is_short_and_reading_says_what_is_wrong() {
    let endpoint = Endpoint::new(&hq::absent().await);
    let (status, list) = endpoint.request(MODERN, "resources/list", json!({})).await;
    assert_eq!((status, uris(&list)), (200, vec!["lenses://environments"]));
    let reply = read(&endpoint, MODERN, "lenses://environments").await;
    assert_eq!(reply["error"]["code"], -32603);
    assert!(
        reply["error"]["message"].as_str().unwrap().starts_with("Lenses HQ can't be reached"),
        "{reply}"
    );
}

#[tokio::test]
async fn a_credential_that_hq_takes_no_longer_is_forgotten_at_sign_in() {
    let hq = Hq::answering(401, "application/json", "{}").await;
    let endpoint = Endpoint::new(&hq.url);
    let reply = read(&endpoint, MODERN, "lenses://environments").await;
    assert!(reply["error"]["message"].as_str().unwrap().contains("sign in again"), "{reply}");
    assert!(!reply.to_string().contains(TOKEN));
    endpoint.request(MODERN, "resources/list", json!({})).await;
    assert_eq!(endpoint.forgotten.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_not_offered_is_neither_listed_nor_read() {
    let hq = Hq::with(&[
        ("", json!({ "items": [{ "name": "dev" }, { "name": "prod" }] })),
        ("/prod", json!({ "name": "prod" })),
        ("/dev", json!({ "name": "dev" })),
    ])
    .await;
    let policy = Options {
        environments: ["dev".parse().unwrap()].into(),
        deny: vec!["topics/*".parse().unwrap()],
        ..Options::default()
    };
    let endpoint = Endpoint::with(&hq.url, Limits::default(), Confirm::Destructive, Some(policy));
    let (_, list) = endpoint.request(MODERN, "resources/list", json!({})).await;
    assert_eq!(uris(&list), ["lenses://environments", "lenses://environments/dev"]);
    assert_eq!(
        content(&endpoint, "lenses://environments").await,
        json!({ "result": [{ "name": "dev" }] })
    );
    hq.take();
    for (uri, variable) in [
        ("lenses://environments/prod", "MCP_ENVIRONMENTS"),
        ("lenses://environments/%70rod", "MCP_ENVIRONMENTS"),
        ("lenses://environments/dev/topics", "MCP_TOOLS_DENY"),
        ("lenses://environments/dev/topics/orders", "MCP_TOOLS_DENY"),
    ] {
        let reply = read(&endpoint, MODERN, uri).await;
        assert_eq!(reply["error"]["code"], -32602, "{uri}: {reply}");
        assert!(reply["error"]["message"].as_str().unwrap().contains(variable), "{uri}: {reply}");
    }
    assert_eq!(hq.seen(), []);
}

#[tokio::test]
async fn without_the_scope_read_there_are_no_resources() {
    let hq = Hq::giving(&json!({ "items": [{ "name": "dev" }] })).await;
    for scopes in [Scope::Write.into(), ScopeSet::NONE] {
        let endpoint = Endpoint::new(&hq.url).with_scopes(scopes);
        let (_, list) = endpoint.request(MODERN, "resources/list", json!({})).await;
        assert_eq!(uris(&list), Vec::<&str>::new());
        let (_, list) = endpoint.request(MODERN, "resources/templates/list", json!({})).await;
        assert_eq!(list["result"]["resourceTemplates"], json!([]));
        let reply = read(&endpoint, MODERN, "lenses://environments").await;
        assert!(
            reply["error"]["message"].as_str().unwrap().contains("needs the scopes `read`"),
            "{reply}"
        );
    }
    assert_eq!(hq.seen(), []);
}

#[tokio::test]
async fn reads_are_counted_by_kind_and_never_by_uri() {
    let hq = Hq::with(&[("/dev", json!({ "name": "dev" }))]).await;
    let endpoint = Endpoint::new(&hq.url);
    for uri in ["lenses://environments/dev", "lenses://environments/none", "lenses://elsewhere"] {
        read(&endpoint, MODERN, uri).await;
    }
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, endpoint.metrics.registry()).unwrap();
    for outcome in ["success", "error"] {
        let line = format!(
            "lenses_mcp_resource_reads_total{{resource=\"environment\",outcome=\"{outcome}\"}} 1\n"
        );
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    assert!(!text.contains("elsewhere"));
}
