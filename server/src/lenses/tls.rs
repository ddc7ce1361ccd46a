//! Trust towards Lenses HQ: one TLS configuration, for HTTP and websockets alike.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The trust store has no certificate that can be used.
    #[error(
        "the machine's trust store holds no CA certificate; mount one and name it in SSL_CERT_FILE or SSL_CERT_DIR"
    )]
    NoRoots,
    /// The TLS library refused the configuration.
    #[error(transparent)]
    Config(#[from] rustls::Error),
}

/// The configuration for addresses of `scheme`. The trust store is read only where it is used: `http` needs none.
pub(crate) fn client_config(scheme: &str) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    if scheme == "https" {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(TlsError::NoRoots);
        }
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
