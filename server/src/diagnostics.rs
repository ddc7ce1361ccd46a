//! Whether Lenses HQ is as this server needs it: each link tried, each setting of HQ's that matters
//! looked at, and for each that is wrong the one to change. Knows no caller, so that it can be
//! asked where nobody has signed in.
//!
//! ```text
//! HQ ─▶ observations (three requests at a time) ─▶ checks (pure) ─▶ Report
//! ```

mod checks;
mod version;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::future::BoxFuture;
use http::{HeaderValue, StatusCode};
use moka::future::Cache;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use uuid::Uuid;

use crate::{
    auth::{AuthorizationServer, BackChannel, NoReply},
    report::{Check, CheckResult, LensesVersion, Report},
    settings::{ClientRegistration, OAuth},
    tools::Checks,
};

/// How long a report is given again instead of asking HQ anew. Who may ask is not known, so that HQ
/// must be spared.
const KEPT: Duration = Duration::from_secs(10);

/// How long HQ's version is kept: an upgrade is seen within this.
const VERSION_KEPT: Duration = Duration::from_mins(1);

/// Checks HQ when asked, at most one run at a time.
#[derive(Debug)]
pub struct Diagnostics {
    lenses_url: Url,
    sign_in: SignIn,
    last: Cache<(), Arc<Report>>,
    version: Cache<(), Option<LensesVersion>>,
}

#[derive(Debug)]
enum SignIn {
    OAuth {
        authorization_server: Arc<AuthorizationServer>,
        issuer: String,
        registration: ClientRegistration,
        has_client: bool,
    },
    ApiKey {
        back_channel: BackChannel,
        api_key: Arc<SecretString>,
    },
}

impl Diagnostics {
    /// Checks the HQ of `oauth`, with what the server itself uses to ask it.
    #[must_use]
    pub fn of_oauth(
        lenses_url: &Url,
        oauth: &OAuth,
        authorization_server: Arc<AuthorizationServer>,
    ) -> Self {
        let issuer = oauth.issuer.clone();
        let has_client = oauth.introspection.client.is_some();
        let registration = oauth.client_registration;
        Self::new(
            lenses_url,
            SignIn::OAuth { authorization_server, issuer, registration, has_client },
        )
    }

    /// Checks the HQ that `api_key` is for.
    #[must_use]
    pub fn of_api_key(lenses_url: &Url, api_key: &SecretString, back_channel: BackChannel) -> Self {
        Self::new(lenses_url, SignIn::ApiKey { back_channel, api_key: Arc::new(api_key.clone()) })
    }

    fn new(lenses_url: &Url, sign_in: SignIn) -> Self {
        let last = Cache::builder().max_capacity(1).time_to_live(KEPT).build();
        let version = Cache::builder().max_capacity(1).time_to_live(VERSION_KEPT).build();
        Self { lenses_url: lenses_url.clone(), sign_in, last, version }
    }

    /// The report: made now, or not longer than 10 s ago. Takes as long as HQ does, and no longer
    /// than the time limits of its requests together. Never fails: that HQ does not answer is what
    /// it reports.
    pub async fn report(&self) -> Arc<Report> {
        self.last.get_with((), async { Arc::new(self.run().await) }).await
    }

    /// HQ's version: asked now, or not longer than a minute ago. `None` if HQ does not tell it.
    pub async fn lenses_version(&self) -> Option<LensesVersion> {
        self.version.get_with((), self.ask_version()).await
    }

    async fn ask_version(&self) -> Option<LensesVersion> {
        let (back_channel, authorization) = match &self.sign_in {
            SignIn::OAuth { authorization_server, .. } => {
                (authorization_server.back_channel(), None)
            }
            SignIn::ApiKey { back_channel, api_key } => (back_channel, bearer(api_key)),
        };
        version::ask(back_channel, &self.lenses_url, authorization.as_ref()).await
    }

    async fn run(&self) -> Report {
        let checked_at = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let (checks, lenses_version) = tokio::join!(self.checks(), self.lenses_version());
        let healthy = checks.iter().all(|check| check.result != CheckResult::Failed);
        Report { healthy, checked_at, lenses_version, checks }
    }

    async fn checks(&self) -> Vec<Check> {
        match &self.sign_in {
            SignIn::OAuth { authorization_server, issuer, registration, has_client } => {
                self.check_oauth(authorization_server, issuer, *registration, *has_client).await
            }
            SignIn::ApiKey { back_channel, api_key } => {
                self.check_api_key(back_channel, api_key).await
            }
        }
    }

    async fn check_oauth(
        &self,
        server: &AuthorizationServer,
        issuer: &str,
        registration: ClientRegistration,
        has_client: bool,
    ) -> Vec<Check> {
        // No server can have issued it.
        let probe = SecretString::from(format!("diagnostics-{}", Uuid::new_v4()));
        let (lenses, metadata, introspection) = tokio::join!(
            self.reach(server.back_channel(), &self.lenses_url, None),
            server.metadata(),
            server.calls_active(&probe)
        );
        let exchange = server.exchanges(&metadata);
        let metadata = metadata.as_deref();
        vec![
            checks::lenses(&self.lenses_url, lenses),
            checks::metadata(metadata),
            checks::issuer(metadata, issuer),
            checks::registration(metadata, registration),
            checks::pkce(metadata),
            checks::introspection(introspection),
            checks::token_exchange(metadata, exchange, has_client),
        ]
    }

    async fn check_api_key(
        &self,
        back_channel: &BackChannel,
        api_key: &SecretString,
    ) -> Vec<Check> {
        let mut url = self.lenses_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1", "environments"]);
        }
        let authorization = bearer(api_key);
        let (lenses, credential) = tokio::join!(
            self.reach(back_channel, &self.lenses_url, None),
            self.reach(back_channel, &url, authorization.as_ref())
        );
        vec![checks::lenses(&self.lenses_url, lenses), checks::api_key(&url, credential)]
    }

    async fn reach(
        &self,
        back_channel: &BackChannel,
        url: &Url,
        authorization: Option<&HeaderValue>,
    ) -> Result<StatusCode, NoReply> {
        back_channel.get(url, authorization).await.map(|reply| reply.status)
    }
}

/// The API key as a header; `None` if no header can carry it.
fn bearer(api_key: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", api_key.expose_secret())).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Checks for Diagnostics {
    fn lenses_version(&self) -> BoxFuture<'_, Option<LensesVersion>> {
        Box::pin(self.lenses_version())
    }

    fn report(&self) -> BoxFuture<'_, Arc<Report>> {
        Box::pin(self.report())
    }
}
