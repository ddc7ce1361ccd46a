//! The settings: read and checked as a whole before anything binds.
//!
//! [`Variables`] layers the environment over a settings file, [`Settings::read`] turns them into
//! values that can only be valid, or into the list of everything that is wrong. Both are pure over
//! what they are given, so that tests (the operator's too, which holds what it writes against this
//! code) need no environment.

mod advertised;
mod audit;
mod connections;
mod container;
mod error;
mod former;
#[cfg(test)]
mod fuzz;
mod lenses;
mod limits;
mod names;
mod oauth;
mod parse;
mod policy;
mod proxies;
mod reader;
mod service_links;
mod sign_in;
mod tls;
mod traces;
pub mod variable;
mod variables;
mod writer;

use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use url::Url;

pub(crate) use self::container::{OVER_STDIO, WITH_API_KEY};
pub use self::{
    advertised::{AdvertisedUrl, ENDPOINT},
    audit::AuditOutput,
    connections::Connections,
    error::{SettingsError, SettingsErrors},
    limits::Limits,
    oauth::{
        AudienceRule, ClientCredentials, ClientRegistration, Introspection, OAuth, TokenExchange,
    },
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
    policy::ToolPolicy,
    proxies::Proxies,
    tls::{KeyPairFiles, Trust},
};

/// Exit status for settings that can't be used: `EX_CONFIG` of sysexits.h.
pub const EXIT_STATUS: u8 = 78;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
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
    /// The way to HQ and to the collector of traces.
    pub proxies: Proxies,
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
    /// One client, over standard input and output. There is no sign-in: who starts the process is
    /// the caller.
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
    /// Whether the server does not start if the admin port is taken: it was configured. The default
    /// port may be another program's.
    pub admin_required: bool,
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
        reader.refuse_unknown_names();
        let (mut settings, effective) = reader.finish(read)?;
        settings.warnings.extend(variables.warnings());
        settings.effective = effective;
        Ok(settings)
    }

    /// The settings in effect, one to a line, as a settings file would hold them, secrets hidden;
    /// and as comments, which proxy is used for what.
    #[must_use]
    pub fn effective(&self) -> impl fmt::Display {
        let lines = self.effective.iter().map(ToString::to_string);
        lines.chain(self.routes().map(|route| format!("# {route}"))).collect::<Vec<_>>().join("\n")
    }

    /// How each address is reached, if there are proxies.
    pub fn routes(&self) -> impl Iterator<Item = String> {
        let introspection = match &self.transport {
            Transport::Http(http) => match &http.sign_in {
                SignIn::OAuth(oauth) => Some(&oauth.introspection.url),
                SignIn::ApiKey { .. } => None,
            },
            Transport::Stdio { .. } => None,
        };
        let collector = self.traces.as_ref().and_then(|traces| match &traces.exporter {
            Exporter::Otlp { endpoint, .. } => Some(endpoint),
            Exporter::Console => None,
        });
        let addresses =
            [Some(&self.lenses_url), Some(&self.lenses_websocket_url), introspection, collector];
        let addresses: BTreeSet<_> = addresses.into_iter().flatten().collect();
        let addresses = addresses.into_iter().filter(|_| !self.proxies.is_empty());
        addresses.map(|address| match self.proxies.of(address) {
            Some(proxy) => format!("{address} is reached through the proxy {proxy}"),
            None => format!("{address} is reached without a proxy"),
        })
    }
}

fn read_all(reader: &mut Reader<'_>) -> Result<Settings, Invalid> {
    let mut warnings = Vec::new();
    // Each is read before any is used, so that a fault in one does not hide those of the others.
    let lenses = lenses::read(reader);
    let lenses_trust = tls::read_trust(reader);
    let proxies = proxies::read(reader);
    let policy = policy::read(reader);
    let confirm = policy::read_confirm(reader);
    let limits = limits::read(reader);
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
    warnings.extend(container::lenses_warning(reader, &lenses.http));
    Ok(Settings {
        lenses_url: lenses.http,
        lenses_websocket_url: lenses.websocket,
        lenses_trust: lenses_trust?,
        proxies: proxies?,
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
