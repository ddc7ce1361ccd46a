//! The looking itself: what is due, a few at a time, for as long as this process works.

use std::sync::Arc;

use futures::{channel::mpsc::UnboundedSender, future::OptionFuture};
use k8s_openapi::jiff::Timestamp;
use kube::{Client, runtime::reflector::ObjectRef};
use lenses_mcp_crds::conditions::Reason;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use super::{
    EndpointProbe, Finding, Verifications,
    http::{Http, HttpError},
    probe_endpoint, probe_lenses,
    schedule::{Findings, LOOK, Look},
};
use crate::watching::servers::WatchedServer;

/// How many resources are looked at at the same time. Each takes at most two connections to HQ and one to its endpoint.
const CONCURRENCY: usize = 16;

/// Looks at what is due, and sends on the resources of which something else was found than before. Never ends.
pub(crate) async fn probe_loop(
    verifications: &Verifications,
    client: &Client,
    news: UnboundedSender<ObjectRef<WatchedServer>>,
) {
    let mut looks: JoinSet<(ObjectRef<WatchedServer>, Look, Findings)> = JoinSet::new();
    loop {
        while looks.len() < CONCURRENCY
            && let Some((server, look)) = take(verifications)
        {
            let client = client.clone();
            looks.spawn(async move {
                let findings = bounded(&client, &server, &look).await;
                (server, look, findings)
            });
        }
        let next = verifications.schedule().next().filter(|_| looks.len() < CONCURRENCY);
        tokio::select! {
            Some(ended) = looks.join_next() => match ended {
                Ok((server, look, findings)) => {
                    let now = (Instant::now(), Timestamp::now());
                    if verifications.schedule().record(&server, &look, findings, now, rand::random()) {
                        // Nobody listens any more when the controller stops.
                        let _ = news.unbounded_send(server);
                    }
                }
                Err(error) => tracing::error!(%error, "a verification ended before its time"),
            },
            Some(()) = OptionFuture::from(next.map(sleep_until)) => {}
            () = verifications.changed.notified() => {}
        }
    }
}

fn take(verifications: &Verifications) -> Option<(ObjectRef<WatchedServer>, Look)> {
    verifications.schedule().take(Instant::now())
}

/// A look within its time. Each request has a limit of its own; together they might be many.
async fn bounded(client: &Client, server: &ObjectRef<WatchedServer>, look: &Look) -> Findings {
    let looked = timeout(LOOK, Box::pin(findings(client, server, look))).await;
    looked.unwrap_or_else(|_| {
        let message =
            format!("verification took longer than {} s: see what is slow", LOOK.as_secs());
        let bad = |reason| Finding { holds: false, reason, message: message.clone() };
        Findings {
            lenses: Some((Arc::clone(&look.plan.lenses), bad(Reason::Unreachable))),
            version: None,
            endpoint: look
                .endpoint
                .clone()
                .map(|endpoint| (endpoint, bad(Reason::EndpointUnreachable), None)),
        }
    })
}

async fn findings(client: &Client, server: &ObjectRef<WatchedServer>, look: &Look) -> Findings {
    let Look { plan, endpoint } = look;
    let namespace = server.namespace.as_deref().unwrap_or_default();
    let authorities = plan.credentials.authorities(client, namespace).await;
    let trusted = authorities.as_ref().ok().and_then(Option::as_ref);
    let lenses = async {
        authorities.as_ref().map_err(Finding::clone)?;
        let identity = plan.credentials.identity(client, namespace).await?;
        let credentials = plan.credentials.client(client, namespace).await?;
        let proxy = plan.credentials.proxy(client, namespace).await?;
        let http = Http::through(proxy, plan.lenses.addresses(), trusted, identity)
            .map_err(|error| unusable(&error))?;
        Ok(tokio::join!(
            probe_lenses(&http, &plan.lenses, credentials.as_ref()),
            super::lenses_version(&http, &plan.lenses)
        ))
    };
    let endpoint = OptionFuture::from(endpoint.clone().map(async |endpoint| {
        let verified = async {
            let token = plan.credentials.token(client, namespace).await?;
            let http = Http::new(&endpoint.addresses(), trusted, None)
                .map_err(|error| unusable(&error))?;
            Ok(probe_endpoint(&http, &endpoint, token.as_ref()).await)
        };
        let EndpointProbe { finding, tools } = verified
            .await
            .unwrap_or_else(|finding: Finding| EndpointProbe { finding, tools: None });
        (endpoint, finding, tools)
    }));
    let (lenses, endpoint) = tokio::join!(lenses, endpoint);
    let (lenses, version) = lenses.unwrap_or_else(|finding: Finding| (finding, None));
    Findings { lenses: Some((Arc::clone(&plan.lenses), lenses)), version, endpoint }
}

fn unusable(error: &HttpError) -> Finding {
    Finding { holds: false, reason: Reason::MaterialUnusable, message: error.to_string() }
}
