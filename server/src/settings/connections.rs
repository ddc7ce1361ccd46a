//! The bounds on connections.

use std::{sync::Arc, time::Duration};

use super::{
    HOUR, SECOND, parse,
    reader::{Invalid, Reader},
    variable as var,
};
use crate::client_address::{TrustedProxies, TrustedProxy};

/// The bounds on connections to the MCP endpoint; the times hold for the admin endpoints too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connections {
    /// Connections that one address may have open.
    pub per_address: usize,
    /// The proxies that are not bounded so, and are believed about their clients' addresses.
    pub trusted_proxies: Arc<TrustedProxies>,
    /// Longest time for a request's head, and for a TLS handshake.
    pub head_timeout: Duration,
    /// Longest time in which a client takes nothing of a response.
    pub write_timeout: Duration,
    /// Longest time from a response to the next request.
    pub idle_timeout: Duration,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Connections, Invalid> {
    let per_address = reader.value(&var::MCP_CONNECTIONS_PER_ADDRESS, parse::count(1, 1 << 18));
    let trusted_proxies = reader.optional(&var::MCP_TRUSTED_PROXIES, parse::list::<TrustedProxy>);
    let head_timeout = reader.value(&var::MCP_HEAD_TIMEOUT, parse::duration(SECOND, HOUR));
    let write_timeout = reader.value(&var::MCP_WRITE_TIMEOUT, parse::duration(SECOND, HOUR));
    let idle_timeout = reader.value(&var::MCP_IDLE_TIMEOUT, parse::duration(SECOND, HOUR));
    Ok(Connections {
        per_address: per_address?,
        trusted_proxies: Arc::new(TrustedProxies::new(trusted_proxies?.unwrap_or_default())),
        head_timeout: head_timeout?,
        write_timeout: write_timeout?,
        idle_timeout: idle_timeout?,
    })
}
