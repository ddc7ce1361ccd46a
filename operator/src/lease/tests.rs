use std::sync::{Arc, Mutex};

use axum::http::{Method, Request, Response};
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

/// An API server that keeps one Lease, and refuses a write that was made from an older state.
#[derive(Clone, Default)]
struct ApiServer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lease: Option<Value>,
    version: u64,
    down: bool,
}

impl ApiServer {
    fn lease(&self, identity: &str) -> Lease {
        let server = self.clone();
        let answer = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let method = request.method().clone();
                let body = request.into_body().collect_bytes().await.unwrap();
                let (code, body) = server.answer(&method, &body);
                Response::builder().status(code).body(Body::from(body.to_string().into_bytes()))
            }
        });
        Lease::new(
            Client::new(answer, "default"),
            "ops",
            "operator".to_owned(),
            identity.to_owned(),
        )
    }

    fn answer(&self, method: &Method, body: &[u8]) -> (u16, Value) {
        let mut state = self.0.lock().unwrap();
        let failure = |code: u16, reason: &str| {
            (
                code,
                json!({
                    "status": "Failure", "code": code, "reason": reason, "message": reason
                }),
            )
        };
        let held = state.lease.as_ref().map(|lease| lease["metadata"]["resourceVersion"].clone());
        match (method, held) {
            _ if state.down => return failure(500, "InternalError"),
            (&Method::GET, Some(_)) => return (200, state.lease.clone().unwrap()),
            (&Method::GET | &Method::PUT, None) => return failure(404, "NotFound"),
            (&Method::POST, Some(_)) => return failure(409, "Conflict"),
            _ => {}
        }
        let mut lease: Value = serde_json::from_slice(body).unwrap();
        if state.lease.as_ref().is_some_and(|kept| {
            kept["metadata"]["resourceVersion"] != lease["metadata"]["resourceVersion"]
        }) {
            return failure(409, "Conflict");
        }
        state.version += 1;
        lease["metadata"]["resourceVersion"] = json!(state.version.to_string());
        state.lease = Some(lease.clone());
        (200, lease)
    }

    fn holder(&self) -> Option<String> {
        let state = self.0.lock().unwrap();
        state.lease.as_ref()?["spec"]["holderIdentity"].as_str().map(str::to_owned)
    }

    fn down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_takes_the_lease_and_a_standby_waits_during_renewals() {
    let server = ApiServer::default();
    let (first, standby) = (server.lease("first"), server.lease("standby"));
    let record = first.acquire(|| ()).await;
    assert_eq!(server.holder().as_deref(), Some("first"));
    tokio::select! {
        lost = first.hold(record) => panic!("{lost}"),
        _ = standby.acquire(|| ()) => panic!("two hold it"),
        () = sleep(10 * DURATION) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_standby_takes_over_if_the_lease_is_not_renewed_in_time() {
    let server = ApiServer::default();
    server.lease("gone").acquire(|| ()).await;
    let begun = Instant::now();
    server.lease("standby").acquire(|| ()).await;
    assert_eq!(server.holder().as_deref(), Some("standby"));
    assert!(
        begun.elapsed() > DURATION && begun.elapsed() <= DURATION + 2 * RETRY,
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_standby_takes_over_a_released_lease_at_its_next_check() {
    let server = ApiServer::default();
    let first = server.lease("first");
    first.acquire(|| ()).await;
    first.release().await.unwrap();
    let begun = Instant::now();
    server.lease("standby").acquire(|| ()).await;
    assert!(begun.elapsed() <= RETRY);
    first.release().await.unwrap();
    assert_eq!(server.holder().as_deref(), Some("standby"));
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_cannot_renew_stops_before_a_standby_takes_over() {
    let server = ApiServer::default();
    let first = server.lease("first");
    let record = first.acquire(|| ()).await;
    server.down(true);
    let begun = Instant::now();
    assert!(matches!(first.hold(record).await, LeaseLost::NotRenewed(_)));
    assert!(begun.elapsed() <= DEADLINE, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_made_again_by_its_holder() {
    let server = ApiServer::default();
    let first = server.lease("first");
    let record = first.acquire(|| ()).await;
    server.0.lock().unwrap().lease = None;
    tokio::select! {
        lost = first.hold(record) => panic!("{lost}"),
        () = sleep(2 * DURATION) => {}
    }
    assert_eq!(server.holder().as_deref(), Some("first"));
}

#[tokio::test(start_paused = true)]
async fn the_holder_of_a_deleted_lease_stops_when_another_made_it_again() {
    let server = ApiServer::default();
    let first = server.lease("first");
    let record = first.acquire(|| ()).await;
    server.0.lock().unwrap().lease = None;
    server.lease("second").acquire(|| ()).await;
    let lost = first.hold(record).await;
    assert!(matches!(lost, LeaseLost::Taken(holder) if holder == "second"));
}

#[tokio::test(start_paused = true)]
async fn a_process_is_on_standby_once_it_has_read_anothers_lease() {
    let server = ApiServer::default();
    server.lease("first").acquire(|| ()).await;
    let standby = server.lease("standby");
    let (tell, mut told) = tokio::sync::watch::channel(false);
    server.down(true);
    let acquiring = standby.acquire(|| {
        tell.send_replace(true);
    });
    tokio::pin!(acquiring);
    tokio::select! {
        _ = &mut acquiring => panic!("the API server is down"),
        () = sleep(3 * RETRY) => assert!(!*told.borrow()),
    }
    server.down(false);
    tokio::select! {
        _ = &mut acquiring => panic!("two hold it"),
        reached = told.wait_for(|reached| *reached) => assert!(reached.is_ok()),
    }
}

#[tokio::test(start_paused = true)]
async fn the_holder_outlives_a_short_outage_but_not_another_holder() {
    let server = ApiServer::default();
    let first = server.lease("first");
    let record = first.acquire(|| ()).await;
    let outage = async {
        server.down(true);
        sleep(RENEW + RETRY).await;
        server.down(false);
        sleep(4 * RENEW).await;
        assert_eq!(server.holder().as_deref(), Some("first"));
        let mut state = server.0.lock().unwrap();
        state.version += 1;
        let version = state.version.to_string();
        let lease = state.lease.as_mut().unwrap();
        lease["spec"]["holderIdentity"] = json!("second");
        lease["metadata"]["resourceVersion"] = json!(version);
    };
    let (lost, ()) = tokio::join!(first.hold(record), outage);
    assert!(matches!(lost, LeaseLost::Taken(holder) if holder == "second"));
}
