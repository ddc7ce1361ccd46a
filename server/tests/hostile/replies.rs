//! Long replies of HQ for many callers at once.

use futures::future::join_all;

use crate::{
    client::Caller,
    hq::Hq,
    process::Server,
    watch::{P99, Watch},
};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_topics","arguments":{"environment":"dev"}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_2_6_mb_for_twenty_callers_at_once_fits() {
    let hq = Hq::start(2_650_000).await;
    let mut server = Server::start(&hq, &[]).await;
    let watch = Watch::start(&server).await;
    server.remember_memory().await;
    let mut listed = 0;
    for _ in 0..5 {
        let calls = (0..20).map(|number| {
            let server = &server;
            async move { Caller::number(number).post(server, CALL.into()).await }
        });
        for reply in join_all(calls).await {
            reply.assert_answers(&[200]);
            let result = &reply.body["result"];
            let text = result["content"][0]["text"].as_str().unwrap_or_default();
            if result["isError"] == false {
                assert!(text.contains("orders-0"), "{text}");
                listed += 1;
            } else {
                assert!(text.contains("again"), "no word of trying again: {text}");
            }
        }
    }
    println!("{listed} of 100 calls were answered with the list");
    assert!(listed >= 20, "{listed} of 100 calls were answered with the list");
    // Without optimization, a list takes 30 times as long to read, here and in the test's HQ.
    watch.end(if cfg!(debug_assertions) { 10 * P99 } else { P99 }).await;
    server.assert_memory().await;
}
