//! The good caller, who calls on during an attack.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{client::Caller, process::Server};

const CALL: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topic","#,
    r#""arguments":{"environment":"dev","topic_name":""}}}"#,
);
/// A call for which HQ is asked.
const ASKING: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_topic","#,
    r#""arguments":{"environment":"dev","topic_name":"orders"}}}"#,
);
/// Calls of which the slowest of a hundred is judged.
const CALLS: usize = 100;
/// Time between two calls.
const PACE: Duration = Duration::from_millis(20);
/// What a good call may take, of 99 in a hundred.
pub(crate) const P99: Duration = Duration::from_secs(1);

/// The good caller's calls, and the kubelet's probes.
pub(crate) struct Watch {
    over: CancellationToken,
    calling: JoinHandle<Vec<Duration>>,
}

impl Watch {
    /// Calls until the attack is over. What fails fails the test.
    pub(crate) async fn start(server: &Server) -> Self {
        let over = CancellationToken::new();
        let caller = Caller::number(255);
        let mut connection = caller.open(server.endpoint).await;
        let (endpoint, admin, is_over) = (server.endpoint, server.admin, over.clone());
        let mut call = async move || {
            let begun = Instant::now();
            let reply = connection.post(CALL.into()).await;
            let taken = begun.elapsed();
            let text = reply.body["result"]["content"][0]["text"].as_str().unwrap_or_default();
            assert!(text.starts_with("argument `topic_name`"), "the good caller got {reply:?}");
            // A connection of its own, as of a caller who has just come, and HQ behind it.
            let begun = Instant::now();
            let reply = caller.open(endpoint).await.post(ASKING.into()).await;
            let taken = taken.max(begun.elapsed());
            assert_eq!(reply.body["result"]["isError"], false, "the good caller got {reply:?}");
            assert!(probe(admin, "/livez").await.starts_with("HTTP/1.1 200"));
            // Not ready while a bound is full, and it says so.
            let ready = probe(admin, "/readyz").await;
            let is_known = ["HTTP/1.1 200", "HTTP/1.1 503"].iter().any(|s| ready.starts_with(s));
            assert!(is_known, "{ready}");
            taken
        };
        // What is made at the first call is no part of the attack's memory.
        for _ in 0..10 {
            call().await;
        }
        let calling = tokio::spawn(async move {
            let mut taken = Vec::new();
            while taken.len() < CALLS || !is_over.is_cancelled() {
                taken.push(call().await);
                sleep(PACE).await;
            }
            taken
        });
        Self { over, calling }
    }

    /// Ends the calls and asserts that 99 of 100 took at most `limit`.
    pub(crate) async fn end(self, limit: Duration) {
        self.over.cancel();
        let mut taken = self.calling.await.unwrap();
        taken.sort_unstable();
        let p99 = taken[taken.len() * 99 / 100];
        println!("{} good calls, p99 {p99:?}, slowest {:?}", taken.len(), taken[taken.len() - 1]);
        assert!(p99 <= limit, "p99 is {p99:?} of {} calls", taken.len());
    }
}

/// What the admin port answers.
async fn probe(admin: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(admin).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(5), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}
