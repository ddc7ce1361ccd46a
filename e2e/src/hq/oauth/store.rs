//! What the authorization server knows: clients, grants, codes and tokens. Pure: the time is passed
//! in. Everything is bounded.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::authorization_request::AuthorizationRequest;
use super::error::OAuthError;
use crate::hq::scope::Scopes;
use crate::hq::secret::{self, Hashed};
use crate::hq::settings::ManualClient;

mod tokens;

/// The most of each kind that is kept.
const MAX_ENTRIES: usize = 20_000;
/// How long a code can be exchanged.
const CODE_LIFETIME: Duration = Duration::from_mins(1);
/// How long a used code is remembered, so that its reuse is noticed.
const CODE_MEMORY: Duration = Duration::from_hours(1);

/// How a client came to be known, as the connected applications show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Registration {
    Dynamic,
    Manual,
    /// By a Client ID Metadata Document.
    Document,
}

/// A registered client.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) name: String,
    /// None for a public client.
    pub(crate) secret: Option<Hashed>,
    pub(crate) redirect_uris: Vec<String>,
    /// Scopes that a request which names none asks for.
    pub(crate) scopes: Scopes,
    pub(crate) may_refresh: bool,
    pub(crate) registration: Registration,
}

/// What a user granted to a client: one connected application. Granting again widens it and starts
/// its lifetime anew.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) id: Uuid,
    pub(crate) user: String,
    pub(crate) client_id: String,
    pub(crate) scopes: Scopes,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// What a code or token lets its bearer have.
#[derive(Debug, Clone)]
pub(crate) struct Entitlement {
    pub(crate) grant_id: Uuid,
    pub(crate) scopes: Scopes,
    /// Resource indicators (RFC 8707).
    pub(crate) resources: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Option<String>,
    pub(crate) entitlement: Entitlement,
    expires_at: Timestamp,
    used: bool,
}

#[derive(Debug)]
struct AccessToken {
    entitlement: Entitlement,
    client_id: String,
    /// The access token that this one was exchanged for; it is good only as long as that one is.
    subject: Option<Hashed>,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Debug)]
struct RefreshToken {
    entitlement: Entitlement,
    /// A newer one was issued in its place.
    rotated: bool,
}

/// An authorization request whose person has not answered yet.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) request: AuthorizationRequest,
    /// Who signed in; none before that.
    pub(crate) user: Option<&'static str>,
    pub(crate) attempts: u8,
    pub(crate) expires_at: Timestamp,
}

/// A good access token and what stands behind it.
#[derive(Debug)]
pub(crate) struct Access<'store> {
    pub(crate) grant: &'store Grant,
    /// Whom the token was issued to.
    pub(crate) client_id: &'store str,
    pub(crate) scopes: &'store Scopes,
    pub(crate) resources: &'store [String],
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Tokens as the token endpoint hands them out.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) expires_in: i64,
    pub(crate) refresh_token: Option<String>,
    pub(crate) scopes: Scopes,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Store {
    clients: HashMap<String, Client>,
    grants: HashMap<Uuid, Grant>,
    codes: HashMap<Hashed, Code>,
    access_tokens: HashMap<Hashed, AccessToken>,
    refresh_tokens: HashMap<Hashed, RefreshToken>,
    pending: HashMap<Hashed, Pending>,
}

impl Store {
    pub(crate) fn with_clients(manual: &[ManualClient]) -> Self {
        let clients = manual.iter().map(|client| {
            let known = Client {
                id: client.id.clone(),
                name: client.id.clone(),
                secret: client.secret.as_deref().map(Hashed::of),
                redirect_uris: client.redirect_uris.clone(),
                scopes: Scopes::default(),
                may_refresh: true,
                registration: Registration::Manual,
            };
            (client.id.clone(), known)
        });
        Self { clients: clients.collect(), ..Self::default() }
    }

    pub(crate) fn client(&self, id: &str) -> Option<&Client> {
        self.clients.get(id)
    }

    pub(crate) fn register(&mut self, client: Client) -> Result<(), OAuthError> {
        bounded(&mut self.clients, client.id.clone(), client, "registered clients", |_| true)
    }

    /// Keeps a request until its person answers, under a handle that only the page shown to that
    /// person holds.
    pub(crate) fn suspend(
        &mut self,
        pending: Pending,
        now: Timestamp,
    ) -> Result<String, OAuthError> {
        let handle = secret::generate("ar");
        bounded(
            &mut self.pending,
            Hashed::of(&handle),
            pending,
            "authorization requests",
            |kept| kept.expires_at > now,
        )?;
        Ok(handle)
    }

    /// Takes a suspended request out: a handle is good once.
    pub(crate) fn resume(&mut self, handle: &str, now: Timestamp) -> Option<Pending> {
        self.pending.remove(&Hashed::of(handle)).filter(|pending| pending.expires_at > now)
    }

    /// Records that `user` granted `scopes` of the request, and returns the code for it.
    pub(crate) fn grant(
        &mut self,
        user: &str,
        request: &AuthorizationRequest,
        scopes: Scopes,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<String, OAuthError> {
        let same = |grant: &&Grant| {
            grant.user == user && grant.client_id == request.client_id && grant.expires_at > now
        };
        let known = self.grants.values().find(same);
        let grant = Grant {
            id: known.map_or_else(Uuid::new_v4, |grant| grant.id),
            user: user.to_owned(),
            client_id: request.client_id.clone(),
            scopes: known.map_or_else(|| scopes.clone(), |grant| grant.scopes.or(&scopes)),
            created_at: known.map_or(now, |grant| grant.created_at),
            expires_at: after(now, lifetime),
        };
        let grant_id = grant.id;
        bounded(&mut self.grants, grant_id, grant, "grants", |kept| kept.expires_at > now)?;
        let value = secret::generate("ac");
        let code = Code {
            client_id: request.client_id.clone(),
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.code_challenge.clone(),
            entitlement: Entitlement { grant_id, scopes, resources: request.resources.clone() },
            expires_at: after(now, CODE_LIFETIME),
            used: false,
        };
        let remembered = |kept: &Code| after(kept.expires_at, CODE_MEMORY) > now;
        bounded(&mut self.codes, Hashed::of(&value), code, "codes", remembered)?;
        Ok(value)
    }

    /// Ends a grant and with it every code and token of it.
    pub(crate) fn revoke_grant(&mut self, id: Uuid) -> Option<Grant> {
        self.codes.retain(|_, code| code.entitlement.grant_id != id);
        self.access_tokens.retain(|_, token| token.entitlement.grant_id != id);
        self.refresh_tokens.retain(|_, token| token.entitlement.grant_id != id);
        self.grants.remove(&id)
    }

    /// The grants of a user, oldest first.
    pub(crate) fn grants_of(&self, user: &str, now: Timestamp) -> Vec<&Grant> {
        let mut grants: Vec<_> = self
            .grants
            .values()
            .filter(|grant| grant.user == user && grant.expires_at > now)
            .collect();
        grants.sort_by_key(|grant| (grant.created_at, grant.id));
        grants
    }
}

/// Inserts, after making room by forgetting what is no longer `live` when the bound is reached.
fn bounded<K: Eq + Hash, V>(
    map: &mut HashMap<K, V>,
    key: K,
    value: V,
    what: &str,
    live: impl Fn(&V) -> bool,
) -> Result<(), OAuthError> {
    if map.len() >= MAX_ENTRIES {
        map.retain(|_, kept| live(kept));
        if map.len() >= MAX_ENTRIES {
            return Err(OAuthError::full(what));
        }
    }
    map.insert(key, value);
    Ok(())
}

fn after(now: Timestamp, duration: Duration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}
