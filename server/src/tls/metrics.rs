//! What is counted of TLS files.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use rustls::pki_types::CertificateDer;

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

label_values! {
    /// Which certificates of the TLS files.
    Certificate {
        /// The chain that this server shows to its clients (`TLS_CERT_FILE`).
        Listener = "listener",
        /// The chain that this server shows to HQ (`LENSES_CLIENT_CERT_FILE`).
        LensesClient = "lenses_client",
        /// The CAs that are trusted in HQ (`LENSES_CA_FILE`).
        LensesAuthority = "lenses_authority",
    }
}

/// Changes of TLS files, and how long they can be used.
#[derive(Debug)]
pub struct TlsMetrics {
    tls_reloads: Family<TlsReloadLabels, Counter>,
    expiration: Family<CertificateLabel, Gauge>,
}

impl TlsMetrics {
    /// All at zero, registered in `registry`.
    #[must_use]
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self { tls_reloads: Family::default(), expiration: Family::default() };
        // Counters that alerts watch are there from the start: a rate needs a zero to rise from.
        for &files in TlsFiles::ALL {
            for &outcome in Reload::ALL {
                metrics.tls_reloads.get_or_create(&TlsReloadLabels { files, outcome }).inc_by(0);
            }
        }
        registry.register(
            "tls_reloads",
            "Changes of TLS files, by outcome; failure: what was there before stays in use, and \
             the log says why",
            metrics.tls_reloads.clone(),
        );
        registry.register_with_unit(
            "tls_certificate_expiration_timestamp",
            "When the first of the certificates in use expires, since 1970, by certificate",
            Unit::Seconds,
            metrics.expiration.clone(),
        );
        metrics
    }

    /// The certificates that are in use from here on, in DER.
    pub fn in_use(&self, certificate: Certificate, chain: &[CertificateDer<'_>]) {
        let expiration = |der: &CertificateDer<'_>| {
            let (_, parsed) = x509_parser::parse_x509_certificate(der).ok()?;
            Some(parsed.validity().not_after.timestamp())
        };
        // What this parser can't read has no date; rustls judges whether it can be used.
        if let Some(first) = chain.iter().filter_map(expiration).min() {
            self.expiration.get_or_create(&CertificateLabel { certificate }).set(first);
        }
    }

    /// TLS files changed.
    pub fn tls_reloaded(&self, files: TlsFiles, outcome: Reload) {
        self.tls_reloads.get_or_create(&TlsReloadLabels { files, outcome }).inc();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CertificateLabel {
    certificate: Certificate,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TlsReloadLabels {
    files: TlsFiles,
    outcome: Reload,
}
