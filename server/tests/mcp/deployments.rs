//! Deployment targets and the logs of pods.

use serde_json::{Value, json};

use crate::{
    client::{Endpoint, Limits},
    exchange::Exchange,
    hq::Hq,
};

fn pod() -> Value {
    json!({
        "environment": "dev", "cluster": "in/cluster", "namespace": "streams", "pod": "lsql-1.0"
    })
}

#[tokio::test]
async fn targets_are_shown_whole() {
    Exchange {
        tool: "get_deployment_targets",
        arguments: json!({ "environment": "dev" }),
        asks: "GET api/v1/deployment/targets",
        body: Value::Null,
        reply: (
            200,
            "application/json",
            r#"{"kubernetes":[{"cluster":"incluster"}],"connect":[]}"#,
        ),
        gives: json!({ "kubernetes": [{ "cluster": "incluster" }], "connect": [] }),
    }
    .holds()
    .await;
}

#[tokio::test]
async fn a_log_is_text_in_whatever_way_the_agent_sends_it() {
    for (content_type, sent, log) in [
        ("text/plain; charset=utf-8", "started\nready\n", "started\nready\n"),
        ("application/octet-stream", "started\nready\n", "started\nready\n"),
        ("", "<14>started\n", "<14>started\n"),
        ("application/json", r#""started\nready\n""#, "started\nready\n"),
        ("text/plain", "{\"b\":1, \"a\":2}\n", "{\"b\":1, \"a\":2}\n"),
        ("text/plain", "", ""),
    ] {
        let hq = Hq::answering(200, content_type, sent).await;
        let result = Endpoint::new(&hq.url).call("get_pod_logs", pod()).await;
        assert_eq!(result["structuredContent"], json!({ "result": log }), "{content_type}");
        assert_eq!(
            hq.lines(),
            ["GET /lenses/api/v1/environments/dev/proxy/api/v1/k8s/logs/in%2Fcluster/streams/\
              lsql-1.0/download"]
        );
    }
}

#[tokio::test]
async fn secrets_in_a_log_are_hidden_and_a_private_key_is_one() {
    let log = "INFO start\nWARN jdbc:postgresql://u:hunter2@db/x\nINFO database.password=hunter3\n\
               -----BEGIN PRIVATE KEY-----\nMIIhunter\n-----END PRIVATE KEY-----\nINFO end\n";
    let hq = Hq::answering(200, "text/plain", log).await;
    let result = Endpoint::new(&hq.url).call("get_pod_logs", pod()).await;
    let shown = "INFO start\nWARN jdbc:postgresql://u:********@db/x\n\
                 INFO database.password=********\n********\nINFO end\n";
    assert_eq!(result["structuredContent"], json!({ "result": shown }));
}

#[tokio::test]
async fn a_long_log_is_cut_to_its_end_and_says_so() {
    let limits = Limits { bytes: 1_000, ..Limits::default() };
    let line = "0123456789abcdef\n";
    let log = line.repeat(100_000);
    let hq = Hq::answering(200, "text/plain", log.clone()).await;
    let result = Endpoint::limited(&hq.url, limits).call("get_pod_logs", pod()).await;
    let text = result["structuredContent"]["result"].as_str().unwrap();
    let (notice, end) = text.split_once('\n').unwrap();
    assert_eq!(end, line.repeat(1_000 / line.len()));
    let left_out = log.len() - end.len();
    assert_eq!(
        notice,
        format!(
            "[cut: the first {left_out} bytes of this log are left out, because it is longer than \
             1000]"
        )
    );
    // A log within the limit is whole.
    let hq = Hq::answering(200, "text/plain", line.repeat(58)).await;
    let result = Endpoint::limited(&hq.url, limits).call("get_pod_logs", pod()).await;
    assert_eq!(result["structuredContent"]["result"], line.repeat(58));
}

#[tokio::test]
async fn a_page_or_a_refusal_is_no_log() {
    let hq = Hq::answering(200, "text/html", "<html>log in</html>").await;
    let text = Endpoint::new(&hq.url).failure("get_pod_logs", pod()).await;
    assert!(text.starts_with("Lenses HQ answered with a web page. "), "{text}");
    let hq = Hq::answering(
        404,
        "application/json",
        r#"{"error":"no such pod","errorType":"PodNotFound"}"#,
    )
    .await;
    let text = Endpoint::new(&hq.url).failure("get_pod_logs", pod()).await;
    assert!(text.starts_with("not found: no such pod [PodNotFound]"), "{text}");
}
