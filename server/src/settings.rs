//! The settings: read and checked as a whole before anything binds.
//!
//! [`Variables`] layers the environment over a settings file, [`Settings::read`] turns them into values that can only be
//! valid, or into the list of everything that is wrong. Both are pure over what they are given, so that tests (the
//! operator's too, which holds what it writes against this code) need no environment.

mod advertised;
mod audit;
mod connections;
mod error;
mod former;
#[cfg(test)]
mod fuzz;
mod lenses;
mod oauth;
mod parse;
mod policy;
mod reader;
mod sign_in;
mod tls;
mod traces;
pub mod variable;
mod variables;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use url::Url;

pub use self::{
    advertised::{AdvertisedUrl, ENDPOINT},
    audit::AuditOutput,
    connections::Connections,
    error::{SettingsError, SettingsErrors},
    oauth::{AudienceRule, ClientCredentials, Introspection, OAuth, TokenExchange},
    sign_in::{Callers, SignIn},
    traces::{Exporter, Protocol, Sampler, Traces},
    variables::{ReadFile, Variables},
};
use self::{
    reader::{Effective, Invalid, Reader},
    variable as var,
};
pub use crate::policy::Confirm;
use crate::{
    host_check::{AllowedHost, AllowedOrigin},
    limits::{USER_SHARE, memory_limit},
    policy::ToolPolicy,
    tls::{KeyPairFiles, Trust},
};

/// Exit status for settings that can't be used: `EX_CONFIG` of sysexits.h.
pub const EXIT_STATUS: u8 = 78;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
/// Bytes in memory at a time if there is no memory limit.
const BUDGET_DEFAULT: usize = 64 << 20;
/// Most bytes in memory at a time.
const BUDGET_MAX: usize = 64 << 30;
/// Shortest sealing key, in bytes: the strength of HMAC-SHA-256.
const SEALING_KEY_MIN: usize = 32;

/// Everything that can be set, valid as a whole.
#[derive(Debug)]
pub struct Settings {
    /// HQ as this server reaches it.
    pub lenses_url: Url,
    /// The same for websockets; the scheme is `ws` or `http`, `wss` or `https`.
    pub lenses_websocket_url: Url,
    /// What is trusted in HQ, and what is shown to it.
    pub lenses_trust: Trust,
    /// How clients reach this server, and what they must show.
    pub transport: Transport,
    /// The scopes, tools and environments that this server offers at all.
    pub policy: Arc<ToolPolicy>,
    /// When the user is asked before a tool runs.
    pub confirm: Confirm,
    /// The bounds on each request.
    pub limits: Limits,
    /// The key for state that clients carry, where one is configured.
    pub sealing_key: Option<SecretSlice<u8>>,
    /// Where the other replicas reach this one, if that is known.
    pub replica_host: Option<IpAddr>,
    /// Longest time from SIGTERM to exit.
    pub shutdown_grace: Duration,
    /// What is logged and how.
    pub log: Log,
    /// Where audit lines go.
    pub audit: AuditOutput,
    /// Where traces go; `None`: there are none.
    pub traces: Option<Traces>,
    /// What works but should be known: logged at start.
    pub warnings: Vec<String>,
    effective: Vec<Effective>,
}

/// How clients reach this server.
#[derive(Debug)]
pub enum Transport {
    /// One client, over standard input and output. There is no sign-in: who starts the process is the caller.
    Stdio {
        /// HQ's credential.
        api_key: SecretString,
    },
    /// Streamable HTTP.
    Http(Box<Http>),
}

/// The listeners and who may use them.
#[derive(Debug)]
pub struct Http {
    /// Where the MCP endpoint listens.
    pub listen: SocketAddr,
    /// The certificate of the MCP endpoint; without one it is plain HTTP.
    pub tls: Option<KeyPairFiles>,
    /// Where the admin endpoints listen.
    pub admin: SocketAddr,
    /// The bounds on connections.
    pub connections: Connections,
    /// What callers must show.
    pub sign_in: SignIn,
    /// This server as clients reach it, where that is known.
    pub advertised_url: Option<AdvertisedUrl>,
    /// `Host` values that are answered; complete, with loopback and the advertised URL's.
    pub allowed_hosts: Vec<AllowedHost>,
    /// `Origin` values that are answered; complete, with loopback and the advertised URL's.
    pub allowed_origins: Vec<AllowedOrigin>,
}

/// The bounds on each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body, in bytes.
    pub max_body_bytes: usize,
    /// Longest time from a request to its response's head.
    pub request_timeout: Duration,
    /// Calls that one user may make a minute; `None`: any number.
    pub calls_per_minute_per_user: Option<NonZeroU32>,
    /// Longest time from a request's head to the end of its body.
    pub body_timeout: Duration,
    /// Requests and streams answered at a time.
    pub max_concurrent_requests: usize,
    /// Requests and streams of one user answered at a time.
    pub concurrent_requests_per_user: usize,
    /// Bytes of bodies and of HQ's replies in memory at a time.
    pub memory_budget_bytes: usize,
    /// Largest reply from HQ, in bytes.
    pub response_max_bytes: usize,
    /// Bytes after which a result is cut at a record.
    pub result_max_bytes: usize,
    /// Rows after which a query's result is cut.
    pub sql_max_rows: usize,
    /// Longest time that a query may run.
    pub sql_timeout: Duration,
}

/// What is logged and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// The least important level that is logged.
    pub level: tracing::Level,
    /// How a line looks.
    pub format: LogFormat,
    /// Longest line, in bytes.
    pub line_max_bytes: usize,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Settings {
    /// Reads and checks all settings.
    ///
    /// # Errors
    ///
    /// Every fault that was found, together. None shows a secret.
    pub fn read(variables: &Variables<'_>) -> Result<Self, SettingsErrors> {
        let mut reader = Reader::new(variables);
        let read = read_all(&mut reader);
        let (mut settings, effective) = reader.finish(read)?;
        settings.warnings.extend(variables.warnings());
        settings.effective = effective;
        Ok(settings)
    }

    /// The settings in effect, one to a line, as a settings file would hold them, secrets hidden.
    #[must_use]
    pub fn effective(&self) -> impl fmt::Display {
        let lines: Vec<_> = self.effective.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }
}

fn read_all(reader: &mut Reader<'_>) -> Result<Settings, Invalid> {
    let mut warnings = Vec::new();
    // Each is read before any is used, so that a fault in one does not hide those of the others.
    let lenses = lenses::read(reader);
    let lenses_trust = tls::read_trust(reader);
    let policy = policy::read(reader);
    let confirm = policy::read_confirm(reader);
    let limits = read_limits(reader);
    let sealing_key = read_sealing_key(reader);
    let replica_host = reader.optional(&var::MCP_REPLICA_HOST, |text| {
        text.parse::<IpAddr>().map_err(|_| "write an IP address, such as 10.0.0.1".to_owned())
    });
    let shutdown_grace = reader.value(&var::SHUTDOWN_GRACE, parse::duration(SECOND, HOUR));
    let log = read_log(reader);
    let traces = traces::read(reader, &mut warnings);
    let transport = sign_in::read_transport(
        reader,
        lenses.as_ref().ok().map(|lenses| &lenses.http),
        &mut warnings,
    );
    let audit = audit::read(reader, transport.as_ref().ok());
    let lenses = lenses?;
    Ok(Settings {
        lenses_url: lenses.http,
        lenses_websocket_url: lenses.websocket,
        lenses_trust: lenses_trust?,
        transport: transport?,
        policy: Arc::new(policy?),
        confirm: confirm?,
        limits: limits?,
        sealing_key: sealing_key?,
        replica_host: replica_host?,
        shutdown_grace: shutdown_grace?,
        log: log?,
        audit: audit?,
        traces,
        warnings,
        effective: Vec::new(),
    })
}

fn read_limits(reader: &mut Reader<'_>) -> Result<Limits, Invalid> {
    let max_body_bytes = reader.value(&var::MCP_MAX_BODY_BYTES, parse::count(1024, 64 << 20));
    let request_timeout = reader.value(&var::MCP_REQUEST_TIMEOUT, parse::duration(SECOND, HOUR));
    let max_concurrent_requests =
        reader.value(&var::MCP_MAX_CONCURRENT_REQUESTS, parse::count(1, 65_536));
    let body_timeout = reader.value(&var::MCP_BODY_TIMEOUT, parse::duration(SECOND, HOUR));
    let per_user = reader.value(&var::MCP_CONCURRENT_REQUESTS_PER_USER, parse::count(1, 65_536));
    let budget = reader.optional(&var::MCP_MEMORY_BUDGET_BYTES, parse::count(1 << 20, BUDGET_MAX));
    let calls_per_minute =
        reader.value(&var::MCP_CALLS_PER_MINUTE_PER_USER, |text| match text.parse::<u32>() {
            Ok(calls) if calls <= 1_000_000 => Ok(NonZeroU32::new(calls)),
            _ => Err("write a whole number from 0 (any number of calls) to 1000000".to_owned()),
        });
    let response_max_bytes =
        reader.value(&var::MCP_RESPONSE_MAX_BYTES, parse::count(1024, 64 << 20));
    let result_max_bytes = reader.value(&var::MCP_RESULT_MAX_BYTES, parse::count(1024, 64 << 20));
    let sql_max_rows = reader.value(&var::MCP_SQL_MAX_ROWS, parse::count(1, 1_000_000));
    let sql_timeout = reader.value(&var::MCP_SQL_TIMEOUT, parse::duration(SECOND, HOUR));
    let limits = Limits {
        max_body_bytes: max_body_bytes?,
        request_timeout: request_timeout?,
        body_timeout: body_timeout?,
        max_concurrent_requests: max_concurrent_requests?,
        concurrent_requests_per_user: per_user?,
        memory_budget_bytes: budget?.unwrap_or_else(default_budget),
        calls_per_minute_per_user: calls_per_minute?,
        response_max_bytes: response_max_bytes?,
        result_max_bytes: result_max_bytes?,
        sql_max_rows: sql_max_rows?,
        sql_timeout: sql_timeout?,
    };
    let longest = limits.memory_budget_bytes / USER_SHARE;
    if limits.max_body_bytes > longest {
        return Err(reader.fault(SettingsError::Invalid {
            variable: var::MCP_MAX_BODY_BYTES.name,
            found: limits.max_body_bytes.to_string(),
            remedy: format!(
                "write at most {longest}, one user's quarter of MCP_MEMORY_BUDGET_BYTES ({}), or \
                 raise that: a longer body would get 503 each time",
                limits.memory_budget_bytes
            ),
        }));
    }
    if limits.sql_timeout >= limits.request_timeout {
        return Err(reader.fault(SettingsError::Invalid {
            variable: var::MCP_SQL_TIMEOUT.name,
            found: humantime::format_duration(limits.sql_timeout).to_string(),
            remedy: format!(
                "write less than MCP_REQUEST_TIMEOUT ({}), which would cut the query's answer off",
                humantime::format_duration(limits.request_timeout)
            ),
        }));
    }
    Ok(limits)
}

/// A quarter of what this process may use: each byte that is worked on is there in a few forms.
fn default_budget() -> usize {
    let quarter = memory_limit().map(|limit| limit / 4);
    quarter.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(BUDGET_DEFAULT)
}

fn read_sealing_key(reader: &mut Reader<'_>) -> Result<Option<SecretSlice<u8>>, Invalid> {
    const BASE64: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let Some(text) = reader.secret(&var::MCP_SEALING_KEY)? else { return Ok(None) };
    match BASE64.decode(text.expose_secret()) {
        Ok(key) if key.len() >= SEALING_KEY_MIN => Ok(Some(SecretSlice::from(key))),
        _ => Err(reader.invalid_secret(
            &var::MCP_SEALING_KEY,
            "not base64 of 32 bytes or more",
            "write what `openssl rand -base64 32` prints",
        )),
    }
}

fn read_log(reader: &mut Reader<'_>) -> Result<Log, Invalid> {
    use tracing::Level;
    let levels = [
        ("error", Level::ERROR),
        ("warn", Level::WARN),
        ("info", Level::INFO),
        ("debug", Level::DEBUG),
        ("trace", Level::TRACE),
    ];
    let level = reader.value(&var::LOG_LEVEL, parse::word(&levels));
    let format = reader.value(
        &var::LOG_FORMAT,
        parse::word(&[("text", LogFormat::Text), ("json", LogFormat::Json)]),
    );
    let line_max_bytes = reader.value(&var::MCP_LOG_LINE_MAX_BYTES, parse::count(1024, 1 << 16));
    Ok(Log { level: level?, format: format?, line_max_bytes: line_max_bytes? })
}
