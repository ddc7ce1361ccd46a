use std::{net::SocketAddr, time::Duration};

use axum::Router;
use futures::{StreamExt, channel::mpsc};
use kube::Config;
use lenses_mcp_crds::VerificationMode;
use tokio::net::TcpListener;

use super::*;
use crate::probe::{Callers, Credentials, Known, Lenses, plan::Pods};

/// How many servers have the HQ that hangs.
const HANGING: usize = 200;
/// The longest wait of another tenant's server for its first probe. A host that hangs is given up
/// after 10 seconds.
const FIRST_PROBE: Duration = Duration::from_secs(3);

/// HQ alone is probed.
fn plan(hq: SocketAddr) -> Plan {
    let url = format!("http://{hq}").parse().unwrap();
    Plan {
        lenses: Arc::new(Lenses { url, authorization_server: None }),
        endpoint: Arc::new(Endpoint {
            url: "https://mcp.example.com/mcp".to_owned(),
            service: "http://mcp.tools.svc".parse().unwrap(),
            mode: VerificationMode::Endpoint,
            callers: Callers::WithToken,
            expected_tools: None,
        }),
        pods: Pods::NotAsked,
        credentials: Credentials::default(),
        interval: Duration::from_mins(5),
        revision: Vec::new(),
    }
}

#[tokio::test]
async fn an_hq_that_hangs_delays_no_probe_of_another_hq() {
    // The kernel takes the connections, and nothing answers.
    let hangs = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answers = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let (hanging, answering) = (hangs.local_addr().unwrap(), answers.local_addr().unwrap());
    let router = Router::new().fallback(async || "HQ");
    tokio::spawn(axum::serve(answers, router).into_future());
    // None of these plans names a Secret, so the API server is not asked.
    let client = Client::try_from(Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap();
    let dial = DialPolicy::new(vec!["127.0.0.0/8".parse().unwrap()], Vec::new());
    let settings = ProbeSettings { secrets_require_label: true, dial };

    let verifications = Verifications::default();
    for number in 0..HANGING {
        let server = ObjectRef::new(&format!("mcp-{number}")).within("hanging");
        verifications.verify(&server, Some(plan(hanging)), Known::default());
    }
    let tenant = ObjectRef::new("mcp").within("tenant");
    verifications.verify(&tenant, Some(plan(answering)), Known::default());
    let (news, mut told) = mpsc::unbounded();
    let first = tokio::select! {
        () = probe_loop(&verifications, &client, &settings, news) => None,
        first = timeout(FIRST_PROBE, told.next()) => first.ok().flatten(),
    };
    assert_eq!(first, Some(tenant.clone()), "no finding within {FIRST_PROBE:?}");
    let known = verifications.schedule().known(&tenant).unwrap();
    assert_eq!(known.lenses.unwrap().reason, Reason::LensesReachable);
}
