use lenses_mcp_server::tools;
use serde_json::{Value, json};

use crate::bench::Bench;

/// What the server tells of itself and of its way to HQ.
pub(crate) async fn all(bench: &Bench) {
    for tool in tools::registry().iter().filter(|tool| tool.group() == "server") {
        match tool.name() {
            "whoami" => whoami(bench).await,
            "diagnose" => diagnose(bench).await,
            other => unreachable!("write a call of {other} here"),
        }
    }
}

async fn whoami(bench: &Bench) {
    let told = bench.call("whoami", json!({}), &[]).await;
    let all = json!(["read", "write", "delete"]);
    assert_eq!(
        (&told["subject"], &told["scopes"], &told["offered_scopes"]),
        (&json!("alice"), &all, &all),
        "{told}"
    );
    assert_eq!(told["hidden_tools"], json!([]));
}

async fn diagnose(bench: &Bench) {
    let (told, mut asked) = bench.ask("diagnose", json!({ "environment": "development" })).await;
    for (check, reason) in [("caller", "Answered"), ("agent", "AgentConnected")] {
        let well = json!({
            "check": check, "result": "ok", "reason": reason, "message": null, "remedy": null
        });
        assert!(told["checks"].as_array().unwrap().contains(&well), "{told}");
    }
    // The two are asked at the same time.
    asked.sort_by_key(|asked| asked["target"].as_str().unwrap_or_default().len());
    let of = |path: &str| {
        json!({
            "method": "GET", "target": path, "authorization": "bearer", "body": Value::Null
        })
    };
    assert_eq!(asked, [of("/api/v1/environments"), of("/api/v1/environments/development")]);
}
