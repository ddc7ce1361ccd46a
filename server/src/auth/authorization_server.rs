//! HQ as the authorization server: everything that this server asks it about tokens, on the inside
//! address.

use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

use super::{
    back_channel::BackChannel,
    introspection::{IntrospectionError, IntrospectionResponse, Introspector},
    metrics::AuthMetrics,
    server_metadata::{Found, MetadataReader},
    token_exchange::{ExchangeError, Exchanged, Exchanger},
};
use crate::{lenses::LensesMetrics, scope::ScopeSet, settings::OAuth};

/// HQ as the authorization server.
#[derive(Debug)]
pub struct AuthorizationServer {
    back_channel: BackChannel,
    introspector: Introspector,
    metadata: MetadataReader,
    exchanger: Option<Exchanger>,
}

impl AuthorizationServer {
    /// The authorization server that `oauth` describes, below `lenses_url`. Connects to nothing.
    #[must_use]
    pub fn new(
        oauth: &OAuth,
        lenses_url: &Url,
        back_channel: BackChannel,
        metrics: Arc<AuthMetrics>,
        lenses_metrics: &Arc<LensesMetrics>,
    ) -> Self {
        Self {
            introspector: Introspector::new(&oauth.introspection, back_channel.clone(), metrics),
            metadata: MetadataReader::new(
                lenses_url,
                &oauth.issuer,
                back_channel.clone(),
                lenses_metrics.clone(),
            ),
            exchanger: Exchanger::new(
                oauth,
                lenses_url,
                back_channel.clone(),
                lenses_metrics.clone(),
            ),
            back_channel,
        }
    }

    /// Its word on `token`.
    pub(super) async fn introspect(
        &self,
        token: &SecretString,
    ) -> Result<IntrospectionResponse, IntrospectionError> {
        self.introspector.introspect(token).await
    }

    /// Whether it calls `token` active.
    pub(crate) async fn calls_active(
        &self,
        token: &SecretString,
    ) -> Result<bool, IntrospectionError> {
        Ok(self.introspector.introspect(token).await?.active)
    }

    /// A token with `scopes` in place of `token`, where tokens are exchanged.
    pub(super) async fn exchange(
        &self,
        token: &SecretString,
        scopes: ScopeSet,
    ) -> Result<Option<Exchanged>, ExchangeError> {
        match &self.exchanger {
            Some(exchanger) => exchanger.exchange(token, scopes, &self.metadata).await,
            None => Ok(None),
        }
    }

    /// Its metadata, at most five minutes old.
    pub(super) async fn published_metadata(&self) -> Found {
        self.metadata.get().await
    }

    /// Its metadata as it is now.
    pub(crate) async fn metadata(&self) -> Found {
        self.metadata.refresh().await
    }

    /// Whether tokens are exchanged, given what was `found`; `None` where they are never, by
    /// setting.
    pub(crate) fn exchanges(&self, found: &Found) -> Option<Result<bool, ExchangeError>> {
        let exchanger = self.exchanger.as_ref()?;
        Some(exchanger.endpoint(found.as_deref()).map(|endpoint| endpoint.is_some()))
    }

    /// The way to it.
    pub(crate) fn back_channel(&self) -> &BackChannel {
        &self.back_channel
    }
}
