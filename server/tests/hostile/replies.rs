//! Long replies of HQ for many callers at once.

use futures::future::join_all;

use crate::{
    client::Caller,
    hq::Hq,
    process::Server,
    watch::{P99, Watch},
};

const CALL: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_topics","#,
    r#""arguments":{"environment":"dev"}}}"#,
);

const ROUNDS: u32 = 5;
/// How often a caller is told to try again before the list no longer fits.
const RETRIES: u32 = 100;

/// Calls until the list comes, as a client that is told to try again does. Gives how often it was.
async fn listed(server: &Server, number: u8) -> u32 {
    for refused in 0..=RETRIES {
        let reply = Caller::number(number).post(server, CALL.into()).await;
        reply.assert_answers(&[200, 503]);
        let result = &reply.body["result"];
        let error = reply.body["error"]["message"].as_str();
        let text = error.or(result["content"][0]["text"].as_str()).unwrap_or_default();
        if result["isError"] == false {
            assert!(text.contains("orders-0"), "{text}");
            return refused;
        }
        assert!(text.contains("again"), "no word of trying again: {text}");
    }
    unreachable!("caller {number} got no list in {RETRIES} calls")
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_concurrent_callers_each_get_a_list_of_2_6_mb() {
    let hq = Hq::start(2_650_000).await;
    let mut server = Server::start(&hq, &[]).await;
    let watch = Watch::start(&server).await;
    server.remember_memory().await;
    let mut refused = 0;
    for _ in 0..ROUNDS {
        refused +=
            join_all((0..20).map(|number| listed(&server, number))).await.iter().sum::<u32>();
    }
    println!("{} lists, after {refused} calls that were told to try again", ROUNDS * 20);
    // Without optimization, a list takes 30 times as long to read, here and in the test's HQ.
    watch.end(if cfg!(debug_assertions) { 10 * P99 } else { P99 }).await;
    server.assert_memory().await;
}
