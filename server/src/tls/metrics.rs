//! What is counted of TLS files.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::instruments::label_values;

label_values! {
    /// Which TLS files.
    TlsFiles {
        /// Those of the MCP endpoint.
        Listener = "listener",
        /// Those for connections to HQ.
        Lenses = "lenses",
    }
}

label_values! {
    /// What became of changed files.
    Reload {
        /// They are in use.
        Success = "success",
        /// They can't be used.
        Failure = "failure",
    }
}

/// Changes of TLS files.
#[derive(Debug)]
pub struct TlsMetrics {
    tls_reloads: Family<TlsReloadLabels, Counter>,
}

impl TlsMetrics {
    /// All at zero, registered in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self { tls_reloads: Family::default() };
        // Counters that alerts watch are there from the start: a rate needs a zero to rise from.
        for &files in TlsFiles::ALL {
            for &outcome in Reload::ALL {
                metrics.tls_reloads.get_or_create(&TlsReloadLabels { files, outcome }).inc_by(0);
            }
        }
        registry.register(
            "tls_reloads",
            "Changes of TLS files, by outcome; failure: what was there before stays in use, and the log says why",
            metrics.tls_reloads.clone(),
        );
        metrics
    }

    /// TLS files changed.
    pub fn tls_reloaded(&self, files: TlsFiles, outcome: Reload) {
        self.tls_reloads.get_or_create(&TlsReloadLabels { files, outcome }).inc();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TlsReloadLabels {
    files: TlsFiles,
    outcome: Reload,
}
