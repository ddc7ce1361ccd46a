//! Codes and tokens: what becomes of them from the first exchange to revocation.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Access, AccessToken, Code, Entitlement, Grant, Issued, RefreshToken, Store, after, bounded,
};
use crate::hq::oauth::error::OAuthError;
use crate::hq::secret::{self, Hashed};

impl Store {
    /// Takes a code for exchange by `client_id`. A code that was taken before revokes its grant
    /// (OAuth 2.1 §4.1.3).
    pub(crate) fn take_code(
        &mut self,
        value: &str,
        client_id: &str,
        now: Timestamp,
    ) -> Result<Code, OAuthError> {
        let refused = || {
            OAuthError::invalid_grant(
                "the code is not known, was used, has expired, or is another client's",
            )
        };
        let code = self
            .codes
            .get_mut(&Hashed::of(value))
            .filter(|code| code.client_id == client_id)
            .ok_or_else(refused)?;
        if code.used {
            let grant_id = code.entitlement.grant_id;
            self.revoke_grant(grant_id);
            return Err(refused());
        }
        code.used = true;
        if code.expires_at <= now { Err(refused()) } else { Ok(code.clone()) }
    }

    /// Takes a refresh token for exchange by `client_id`; the caller issues a new one in its place.
    /// One that was taken before revokes its grant (OAuth 2.1 §4.3.1). What `narrow` refuses leaves
    /// the token as it was.
    pub(crate) fn take_refresh_token(
        &mut self,
        value: &str,
        client_id: &str,
        now: Timestamp,
        narrow: impl FnOnce(&Entitlement) -> Result<Entitlement, OAuthError>,
    ) -> Result<Entitlement, OAuthError> {
        let refused = || {
            OAuthError::invalid_grant(
                "the refresh token is not known, was used, has expired, or is another client's",
            )
        };
        let token = self.refresh_tokens.get_mut(&Hashed::of(value)).ok_or_else(refused)?;
        let grant_id = token.entitlement.grant_id;
        let good = |grant: &&Grant| grant.client_id == client_id && grant.expires_at > now;
        self.grants.get(&grant_id).filter(good).ok_or_else(refused)?;
        if token.rotated {
            self.revoke_grant(grant_id);
            return Err(refused());
        }
        let narrowed = narrow(&token.entitlement)?;
        token.rotated = true;
        Ok(narrowed)
    }

    /// Issues an access token for `access` and, when the client may refresh, a refresh token for
    /// all of `entitlement`.
    pub(crate) fn issue(
        &mut self,
        access: Entitlement,
        entitlement: Option<Entitlement>,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<Issued, OAuthError> {
        let revoked = || OAuthError::invalid_grant("the grant was revoked or has expired");
        let grant = self
            .grants
            .get(&access.grant_id)
            .filter(|grant| grant.expires_at > now)
            .ok_or_else(revoked)?;
        let expires_at = after(now, lifetime).min(grant.expires_at);
        let scopes = access.scopes.clone();
        let client_id = grant.client_id.clone();
        let token = AccessToken {
            entitlement: access,
            client_id,
            subject: None,
            issued_at: now,
            expires_at,
        };
        let access_token = self.keep_access_token(token, now)?;
        let refresh_token = match entitlement {
            None => None,
            Some(entitlement) => {
                let value = secret::generate("rt");
                let live = |kept: &RefreshToken| {
                    !kept.rotated
                        && self
                            .grants
                            .get(&kept.entitlement.grant_id)
                            .is_some_and(|grant| grant.expires_at > now)
                };
                let token = RefreshToken { entitlement, rotated: false };
                bounded(
                    &mut self.refresh_tokens,
                    Hashed::of(&value),
                    token,
                    "refresh tokens",
                    live,
                )?;
                Some(value)
            }
        };
        Ok(Issued {
            access_token,
            expires_in: expires_at.as_second() - now.as_second(),
            refresh_token,
            scopes,
        })
    }

    /// Issues an access token for `access` to `client_id` in exchange for the access token
    /// `subject` (RFC 8693), which it does not outlive.
    pub(crate) fn issue_for(
        &mut self,
        subject: &str,
        access: Entitlement,
        client_id: &str,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<Issued, OAuthError> {
        let gone = || {
            OAuthError::invalid_request("subject_token is not known, was revoked, or has expired")
        };
        let expires_at =
            after(now, lifetime).min(self.access(subject, now).ok_or_else(gone)?.expires_at);
        let scopes = access.scopes.clone();
        let token = AccessToken {
            entitlement: access,
            client_id: client_id.to_owned(),
            subject: Some(Hashed::of(subject)),
            issued_at: now,
            expires_at,
        };
        let access_token = self.keep_access_token(token, now)?;
        let expires_in = expires_at.as_second() - now.as_second();
        Ok(Issued { access_token, expires_in, refresh_token: None, scopes })
    }

    fn keep_access_token(
        &mut self,
        token: AccessToken,
        now: Timestamp,
    ) -> Result<String, OAuthError> {
        let value = secret::generate("at");
        bounded(&mut self.access_tokens, Hashed::of(&value), token, "access tokens", |kept| {
            kept.expires_at > now
        })?;
        Ok(value)
    }

    /// What an access token stands for; none when it is unknown, has expired, or what it rests on,
    /// its grant and the token that it was exchanged for, is gone.
    pub(crate) fn access(&self, token: &str, now: Timestamp) -> Option<Access<'_>> {
        let live =
            |hashed: &Hashed| self.access_tokens.get(hashed).filter(|token| token.expires_at > now);
        let token = live(&Hashed::of(token))?;
        let mut subject = token.subject.as_ref();
        while let Some(hashed) = subject {
            subject = live(hashed)?.subject.as_ref();
        }
        let grant =
            self.grants.get(&token.entitlement.grant_id).filter(|grant| grant.expires_at > now)?;
        let Entitlement { scopes, resources, .. } = &token.entitlement;
        let AccessToken { client_id, issued_at, expires_at, .. } = token;
        Some(Access {
            grant,
            client_id,
            scopes,
            resources,
            issued_at: *issued_at,
            expires_at: *expires_at,
        })
    }

    /// Revokes a token of `client_id` (RFC 7009 §2.1): an access token with those that it was
    /// exchanged for, a refresh token with its whole grant. One that is not known is as good as
    /// revoked.
    pub(crate) fn revoke(&mut self, value: &str, client_id: &str) -> Result<(), OAuthError> {
        let hashed = Hashed::of(value);
        let access = self.access_tokens.get(&hashed).map(|token| token.client_id.as_str());
        let refresh = self.refresh_tokens.get(&hashed).map(|token| token.entitlement.grant_id);
        let refreshing = refresh
            .and_then(|grant_id| self.grants.get(&grant_id))
            .map(|grant| grant.client_id.as_str());
        let Some(owner) = access.or(refreshing) else { return Ok(()) };
        if owner != client_id {
            return Err(OAuthError::new("unauthorized_client", "the token is another client's"));
        }
        if let Some(grant_id) = refresh {
            self.revoke_grant(grant_id);
        }
        self.access_tokens.remove(&hashed);
        Ok(())
    }
}
