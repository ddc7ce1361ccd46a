//! What HQ's word on a token means for this server. Pure: the time is passed in.

use std::sync::Arc;

use secrecy::SecretString;

use super::{
    audience::Audience,
    introspection::IntrospectionResponse,
    rejection::{Rejection, quoted},
};
use crate::scope::ScopeSet;

/// How far HQ's clock may be ahead of this server's, in seconds.
const CLOCK_SKEW: u64 = 30;

/// What a good token stands for.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) subject: Option<Arc<str>>,
    pub(super) client_id: Option<Arc<str>>,
    /// The token's scopes within those that this server offers.
    pub(super) scopes: ScopeSet,
    /// What HQ is shown in place of the token, where tokens are exchanged.
    pub(super) exchanged: Option<Arc<SecretString>>,
    /// When the token, or what it was exchanged for, ends: in seconds since 1970.
    pub(super) expires_at: Option<u64>,
}

/// What a token must meet.
#[derive(Debug)]
pub(super) struct Conditions {
    /// Who has issued it.
    pub(super) issuer: Arc<str>,
    /// Whom it is for.
    pub(super) audience: Audience,
}

impl Conditions {
    /// What a reply means for this server at `now`, in seconds since 1970.
    ///
    /// # Errors
    ///
    /// Why the token is not taken.
    pub(super) fn grant(&self, reply: IntrospectionResponse, now: u64) -> Result<Grant, Rejection> {
        let expires_at = reply.expires_at();
        if !reply.active {
            return Err(Rejection::Inactive);
        }
        if expires_at.is_some_and(|end| end <= now) {
            return Err(Rejection::Expired);
        }
        if reply.begins_at().is_some_and(|begin| begin > now.saturating_add(CLOCK_SKEW)) {
            return Err(Rejection::NotYetValid);
        }
        if reply.is_sender_constrained() {
            return Err(Rejection::SenderConstrained);
        }
        if !reply.is_access_token() {
            return Err(Rejection::NotBearer);
        }
        // A slash at the end, which some write and some do not, makes no other server.
        let issuer = |text: &str| text.trim_end_matches('/').to_owned();
        if let Some(found) = reply.iss.filter(|found| issuer(found) != issuer(&self.issuer)) {
            let (found, expected) = (quoted(&[found]), self.issuer.clone());
            return Err(Rejection::OtherIssuer { found, expected });
        }
        self.audience.check(&reply.aud)?;
        let client_id: Option<Arc<str>> = reply.client_id.map(Arc::from);
        Ok(Grant {
            subject: reply.sub.map(Arc::from).or_else(|| client_id.clone()),
            client_id,
            scopes: ScopeSet::from_token(&reply.scope.join(" ")),
            exchanged: None,
            expires_at,
        })
    }
}
