//! The looking itself: what is due, a few of each host at a time, for as long as this process
//! works.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt, channel::mpsc::UnboundedSender, future::OptionFuture};
use k8s_openapi::jiff::Timestamp;
use kube::{Client, runtime::reflector::ObjectRef};
use lenses_mcp_crds::conditions::Reason;
use tokio::{
    sync::OnceCell,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use super::{
    Endpoint, EndpointProbe, Finding, Reader, Token, Verifications,
    dial::DialPolicy,
    http::{Http, HttpError},
    lenses_version,
    plan::Plan,
    probe_endpoint, probe_lenses,
    schedule::{Findings, LOOK, Look},
    shares::Shares,
    trust::{Authorities, Trust},
};
use crate::watching::servers::WatchedServer;

/// What no resource can change of the probes.
#[derive(Clone, Debug)]
pub(crate) struct ProbeSettings {
    /// Whether a Secret is used only if its label says that the operator may read it.
    pub(crate) secrets_require_label: bool,
    /// Where connections may lead.
    pub(crate) dial: DialPolicy,
}

/// What every look needs.
#[derive(Clone)]
struct Looker {
    client: Client,
    settings: ProbeSettings,
    shares: Shares,
}

/// Looks at what is due, and sends on the resources of which something else was found than before.
/// Never ends.
pub(crate) async fn probe_loop(
    verifications: &Verifications,
    client: &Client,
    settings: &ProbeSettings,
    news: UnboundedSender<ObjectRef<WatchedServer>>,
) {
    let looker =
        Looker { client: client.clone(), settings: settings.clone(), shares: Shares::default() };
    let mut looks: JoinSet<(ObjectRef<WatchedServer>, Look, Findings)> = JoinSet::new();
    loop {
        while let Some((server, look)) = take(verifications) {
            let looker = looker.clone();
            looks.spawn(async move {
                let looking = AssertUnwindSafe(looker.look(&server, &look)).catch_unwind();
                let findings = looking.await.unwrap_or_else(|_| {
                    tracing::error!(
                        namespace = server.namespace,
                        name = server.name,
                        "a verification panicked"
                    );
                    all(&look, "verification failed inside the operator: see its log")
                });
                (server, look, findings)
            });
        }
        let next = verifications.schedule().next();
        tokio::select! {
            Some(ended) = looks.join_next() => match ended {
                Ok((server, look, findings)) => {
                    let (now, jitter) = ((Instant::now(), Timestamp::now()), rand::random());
                    if verifications.schedule().record(&server, &look, findings, now, jitter) {
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

/// The same of HQ and of the endpoint.
fn all(look: &Look, message: &str) -> Findings {
    let bad = |reason| Finding { holds: false, reason, message: message.to_owned() };
    Findings {
        lenses: Some((Arc::clone(&look.plan.lenses), bad(Reason::Unreachable))),
        version: None,
        endpoint: look
            .endpoint
            .clone()
            .map(|endpoint| (endpoint, bad(Reason::EndpointUnreachable), None)),
    }
}

fn too_slow(reason: Reason) -> Finding {
    let message = format!("verification took longer than {} s: see what is slow", LOOK.as_secs());
    Finding { holds: false, reason, message }
}

impl Looker {
    /// HQ and the endpoint, each as soon as its host has a place, within its time. Each request has
    /// a limit of its own; together they might be many.
    async fn look(&self, server: &ObjectRef<WatchedServer>, look: &Look) -> Findings {
        let Look { plan, endpoint } = look;
        let reader = Reader {
            client: &self.client,
            namespace: server.namespace.as_deref().unwrap_or_default(),
            require_label: self.settings.secrets_require_label,
        };
        let authorities = OnceCell::new();
        let authorities = || authorities.get_or_init(|| plan.credentials.authorities(&reader));
        let lenses = async {
            let _place = self.shares.place(plan.lenses.url.host_str().unwrap_or_default()).await;
            let found = timeout(LOOK, Box::pin(self.lenses(plan, &reader, authorities().await)));
            found.await.unwrap_or_else(|_| Err(too_slow(Reason::Unreachable)))
        };
        let endpoint = OptionFuture::from(endpoint.clone().map(async |endpoint| {
            let _place = self.shares.place(&endpoint.host()).await;
            let authorities = authorities().await;
            let found =
                timeout(LOOK, Box::pin(self.endpoint(plan, &endpoint, &reader, authorities)));
            let found = found.await.unwrap_or_else(|_| Err(too_slow(Reason::EndpointUnreachable)));
            let EndpointProbe { finding, tools } =
                found.unwrap_or_else(|finding| EndpointProbe { finding, tools: None });
            (endpoint, finding, tools)
        }));
        let (lenses, endpoint) = tokio::join!(lenses, endpoint);
        let (lenses, version) = lenses.unwrap_or_else(|finding| (finding, None));
        Findings { lenses: Some((Arc::clone(&plan.lenses), lenses)), version, endpoint }
    }

    /// HQ, and its version.
    async fn lenses(
        &self,
        plan: &Plan,
        reader: &Reader<'_>,
        authorities: &Result<Option<Authorities>, Finding>,
    ) -> Result<(Finding, Option<String>), Finding> {
        let authorities = authorities.as_ref().map_err(Finding::clone)?.as_ref();
        let identity = plan.credentials.identity(reader).await?;
        let credentials = plan.credentials.client(reader).await?;
        let dial = &plan.credentials.dial(&self.settings.dial);
        let proxy = plan.credentials.proxy(reader, dial).await?;
        let trust = Trust { authorities, identity, alias: None };
        let http = Http::through(proxy, plan.lenses.addresses(), trust, dial)
            .map_err(|error| unusable(&error))?;
        Ok(tokio::join!(
            probe_lenses(&http, &plan.lenses, credentials.as_ref()),
            lenses_version(&http, &plan.lenses)
        ))
    }

    /// The endpoint. It is examined without private authorities if they cannot be had, because HQ's
    /// finding says why.
    async fn endpoint(
        &self,
        plan: &Plan,
        endpoint: &Endpoint,
        reader: &Reader<'_>,
        authorities: &Result<Option<Authorities>, Finding>,
    ) -> Result<EndpointProbe, Finding> {
        let token = plan.credentials.token(reader).await?;
        let authorities = authorities.as_ref().ok().and_then(Option::as_ref);
        let trust = Trust { authorities, identity: None, alias: endpoint.alias() };
        let http = Http::new(&endpoint.addresses(), trust, &self.settings.dial)
            .map_err(|error| unusable(&error))?;
        Ok(probe_endpoint(&http, endpoint, token.as_ref().map(Token::ForService)).await)
    }
}

fn unusable(error: &HttpError) -> Finding {
    Finding { holds: false, reason: Reason::MaterialUnusable, message: error.to_string() }
}

#[cfg(test)]
mod tests;
