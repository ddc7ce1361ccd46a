//! Why there is no running server.

use std::{io, net::SocketAddr};

use crate::{
    landing::LandingPageError,
    lenses,
    settings::{OVER_STDIO, WITH_API_KEY},
    tls::TlsError,
};

/// Why the server could not start, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address can't be listened on.
    #[error("failed to listen on {address} ({variables}): {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The variables that set it.
        variables: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The client of HQ can't be made.
    #[error("failed to set up the client of Lenses HQ: {0}")]
    Lenses(#[from] lenses::ClientError),
    /// A TLS file or the machine's trust store can't be used.
    #[error("failed to set up TLS: {0}")]
    Tls(#[from] TlsError),
    /// The client of HQ's OAuth endpoints can't be made.
    #[error("failed to set up the client of the OAuth endpoints of Lenses HQ: {0}")]
    BackChannel(#[source] reqwest::Error),
    /// The landing page can't be made.
    #[error(transparent)]
    LandingPage(#[from] LandingPageError),
    /// Signals can't be taken over.
    #[error("failed to take over signals: {0}")]
    Signals(#[source] io::Error),
    /// Standard input held nothing: nobody is there to serve.
    #[error(
        "standard input ended before the first message, and TRANSPORT=stdio serves the client \
         there: {OVER_STDIO}; to serve HTTP instead: {WITH_API_KEY}"
    )]
    NoInput,
    /// Standard input or output failed.
    #[error("serving MCP over standard input and output failed: {0}")]
    Stdio(#[source] io::Error),
    /// What the server says about itself can't be made, which no setting can cause.
    #[error("failed to set up the MCP server: {0}")]
    Server(#[from] serde_json::Error),
}
