//! The stand-in's settings: flags and environment variables, read and checked as a whole before
//! anything binds.
//!
//! The first four mirror HQ's own (`auth.oauth2.authorizationServer.{issuerURL, requirePKCE, dcr,
//! unauthenticatedIntrospection}`), so that each way of setting HQ up wrong can be set up here.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use thiserror::Error;

mod approve_as;
mod issuer;
mod manual_client;
#[cfg(test)]
mod tests;

pub use approve_as::ApproveAs;
pub use issuer::Issuer;
pub use manual_client::ManualClient;

/// Flags as given, before they are checked.
#[derive(Debug, Parser)]
#[command(
    name = "hq",
    version,
    about = "A stand-in Lenses HQ with real state, for trying and testing an MCP server"
)]
#[command(after_help = "Users: alice (all rights), bob (reads everything, creates topics named \
                        sandbox.*, asks for others) and carol (reads environments and Kafka); a \
                        password is the user's name.\n\
                        Environments: development (agent connected), disaster-recovery (agent not \
                        connected) and large (600 topics).")]
pub struct Flags {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "HQ_LISTEN", default_value = "127.0.0.1:9991", value_name = "ADDR:PORT")]
    listen: String,
    /// HQ's issuerURL: the URL that clients dial, byte for byte
    /// [default: `http://` and the listen address]
    #[arg(long, env = "HQ_ISSUER_URL", value_name = "URL")]
    issuer_url: Option<String>,
    /// HQ's requirePKCE: refuse an authorization request without an S256 code challenge
    #[arg(long, env = "HQ_REQUIRE_PKCE", default_value = "true", value_name = "BOOL")]
    require_pkce: String,
    /// HQ's dcr: let clients register themselves (RFC 7591)
    #[arg(long, env = "HQ_DCR", default_value = "true", value_name = "BOOL")]
    dcr: String,
    /// Take clients that are named by the URL of their own metadata (Client ID Metadata Documents)
    #[arg(
        long,
        env = "HQ_CLIENT_ID_METADATA_DOCUMENTS",
        default_value = "false",
        value_name = "BOOL"
    )]
    client_id_metadata_documents: String,
    /// HQ's unauthenticatedIntrospection: answer introspection (RFC 7662) without client
    /// credentials
    #[arg(
        long,
        env = "HQ_UNAUTHENTICATED_INTROSPECTION",
        default_value = "true",
        value_name = "BOOL"
    )]
    unauthenticated_introspection: String,
    /// Put the resources that were asked for (RFC 8707) into `aud` of the introspection reply
    #[arg(long, env = "HQ_INTROSPECTION_AUD", default_value = "true", value_name = "BOOL")]
    introspection_aud: String,
    /// Offer token exchange (RFC 8693): a client with a secret gets a token for HQ's own API for
    /// one that names the client's resource
    #[arg(long, env = "HQ_TOKEN_EXCHANGE", default_value = "false", value_name = "BOOL")]
    token_exchange: String,
    /// Let HQ's API refuse an access token that was asked for with a resource other than HQ (its
    /// issuer)
    #[arg(long, env = "HQ_API_AUDIENCE_CHECK", default_value = "false", value_name = "BOOL")]
    api_audience_check: String,
    /// List the consumer groups of all environments, as HQ does from 6.3 on; older ones answer 404
    #[arg(long, env = "HQ_CONSUMER_GROUPS", default_value = "true", value_name = "BOOL")]
    consumer_groups: String,
    /// Tell HQ's version (`GET /api/v1/meta-info`); without it HQ is as an older one
    #[arg(long, env = "HQ_META_INFO", default_value = "true", value_name = "BOOL")]
    meta_info: String,
    /// How long an access token is good, e.g. `1h` or `5s`
    #[arg(long, env = "HQ_ACCESS_TOKEN_TTL", default_value = "1h", value_name = "DURATION")]
    access_token_ttl: String,
    /// HQ's grantLifetime: the longest that a grant lives, however often it is refreshed
    #[arg(long, env = "HQ_GRANT_LIFETIME", default_value = "2160h", value_name = "DURATION")]
    grant_lifetime: String,
    /// Answer authorization requests by a redirect at once, as if this user had signed in and
    /// consented. `USER` grants what is asked, `USER:read,write` at most these scopes, `any` the
    /// user whom the request's `login_hint` names (the form, when it names none)
    #[arg(long, env = "HQ_APPROVE_AS", value_name = "USER[:SCOPES]|any")]
    approve_as: Option<String>,
    /// Token of the service account, for API-key mode [default: a random one, printed at start]
    #[arg(long, env = "HQ_SERVICE_ACCOUNT_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    service_account_token: Option<String>,
    /// A client registered by hand, repeatable: `ID:SECRET` may introspect; with redirect URIs
    /// (`ID[:SECRET],URI,…`) it may also ask for authorization
    #[arg(
        long = "client",
        env = "HQ_CLIENT",
        value_name = "ID[:SECRET][,URI...]",
        hide_env_values = true
    )]
    clients: Vec<String>,
    /// Listen here for faults to set (`PUT /faults`) and requests seen (`GET /requests`); off
    /// unless given
    #[arg(long, env = "HQ_CONTROL", value_name = "ADDR:PORT")]
    control: Option<String>,
}

/// Settings that are known to be good.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each mirrors one setting of HQ")]
pub struct Settings {
    /// Where the stand-in listens.
    pub listen: SocketAddr,
    /// Where faults are set, when anywhere.
    pub control: Option<SocketAddr>,
    /// The issuer; none means the address that was bound.
    pub issuer: Option<Issuer>,
    /// Whether a code challenge is demanded.
    pub require_pkce: bool,
    /// Whether clients may register themselves.
    pub dcr: bool,
    /// Whether clients may be named by the URL of their metadata.
    pub client_id_metadata_documents: bool,
    /// Whether introspection needs no client credentials.
    pub unauthenticated_introspection: bool,
    /// Whether introspection tells `aud`.
    pub introspection_aud: bool,
    /// Whether tokens can be exchanged.
    pub token_exchange: bool,
    /// Whether the API refuses tokens that are for others.
    pub api_audience_check: bool,
    /// Whether the consumer groups of all environments are listed.
    pub consumer_groups: bool,
    /// Whether HQ tells its version.
    pub meta_info: bool,
    /// How long an access token is good.
    pub access_token_ttl: Duration,
    /// How long a grant can be refreshed.
    pub grant_lifetime: Duration,
    /// Who consents without being asked.
    pub approve_as: Option<ApproveAs>,
    /// The service account's token.
    pub service_account_token: String,
    /// Clients registered by hand.
    pub clients: Vec<ManualClient>,
}

/// Everything that is wrong with the settings, one line each.
#[derive(Debug, Error)]
#[error("{}", .0.join("\n"))]
pub struct SettingsError(Vec<String>);

impl Flags {
    /// Checks all settings.
    ///
    /// # Errors
    /// Every fault that was found, each naming its flag and variable, what it holds and what to
    /// write.
    pub fn check(self) -> Result<Settings, SettingsError> {
        let mut faults = Faults::default();
        let settings = Settings {
            listen: faults
                .keep("--listen", &self.listen, address)
                .unwrap_or(([127, 0, 0, 1], 9991).into()),
            control: self.control.and_then(|value| faults.keep("--control", &value, address)),
            issuer: self
                .issuer_url
                .and_then(|value| faults.keep("--issuer-url", &value, Issuer::parse)),
            require_pkce: faults
                .keep("--require-pkce", &self.require_pkce, boolean)
                .unwrap_or_default(),
            dcr: faults.keep("--dcr", &self.dcr, boolean).unwrap_or_default(),
            client_id_metadata_documents: faults
                .keep("--client-id-metadata-documents", &self.client_id_metadata_documents, boolean)
                .unwrap_or_default(),
            unauthenticated_introspection: faults
                .keep(
                    "--unauthenticated-introspection",
                    &self.unauthenticated_introspection,
                    boolean,
                )
                .unwrap_or_default(),
            introspection_aud: faults
                .keep("--introspection-aud", &self.introspection_aud, boolean)
                .unwrap_or_default(),
            token_exchange: faults
                .keep("--token-exchange", &self.token_exchange, boolean)
                .unwrap_or_default(),
            api_audience_check: faults
                .keep("--api-audience-check", &self.api_audience_check, boolean)
                .unwrap_or_default(),
            consumer_groups: faults
                .keep("--consumer-groups", &self.consumer_groups, boolean)
                .unwrap_or_default(),
            meta_info: faults.keep("--meta-info", &self.meta_info, boolean).unwrap_or_default(),
            access_token_ttl: faults
                .keep("--access-token-ttl", &self.access_token_ttl, duration)
                .unwrap_or_default(),
            grant_lifetime: faults
                .keep("--grant-lifetime", &self.grant_lifetime, duration)
                .unwrap_or_default(),
            approve_as: self
                .approve_as
                .and_then(|value| faults.keep("--approve-as", &value, ApproveAs::parse)),
            service_account_token: match self.service_account_token {
                None => super::secret::generate("sa"),
                Some(token) => faults
                    .keep_secret("--service-account-token", &token, service_account_token)
                    .unwrap_or_default(),
            },
            clients: self
                .clients
                .iter()
                .filter_map(|value| faults.keep_secret("--client", value, ManualClient::parse))
                .collect(),
        };
        if faults.0.is_empty() { Ok(settings) } else { Err(SettingsError(faults.0)) }
    }
}

/// Collects faults while the rest is still read.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn keep<T, E: fmt::Display>(
        &mut self,
        flag: &str,
        value: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        parse(value)
            .map_err(|error| self.0.push(format!("{flag} ({}) {value:?} {error}", variable(flag))))
            .ok()
    }

    /// As [`Self::keep`], without showing what was found.
    fn keep_secret<T>(
        &mut self,
        flag: &str,
        value: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(value)
            .map_err(|error| self.0.push(format!("{flag} ({}) {error}", variable(flag))))
            .ok()
    }
}

fn variable(flag: &str) -> String {
    format!("HQ_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase())
}

fn address(value: &str) -> Result<SocketAddr, &'static str> {
    value.parse().map_err(|_| "must be an address and a port, as 127.0.0.1:9991 or [::]:9991")
}

fn boolean(value: &str) -> Result<bool, &'static str> {
    value.parse().map_err(|_| "must be true or false")
}

fn duration(value: &str) -> Result<Duration, &'static str> {
    let good = "must be a duration from 1s to 10y, as 1h or 90s";
    let duration = humantime::parse_duration(value).map_err(|_| good)?;
    let bounds = Duration::from_secs(1)..=Duration::from_hours(10 * 366 * 24);
    bounds.contains(&duration).then_some(duration).ok_or(good)
}

fn service_account_token(value: &str) -> Result<String, String> {
    let good =
        (8..=512).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
    good.then(|| value.to_owned())
        .ok_or_else(|| "must be 8 to 512 printable ASCII characters without spaces".to_owned())
}
