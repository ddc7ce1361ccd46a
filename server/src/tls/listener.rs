//! TLS on the MCP port: `TLS_CERT_FILE` and `TLS_KEY_FILE`.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Certificate, KeyPairFiles, Reloading, TlsError, TlsFiles, TlsMetrics, certified_key, provider,
};

/// What takes connections with the certificate in `files`, and with its successors as the files
/// change. To be called on a runtime.
///
/// # Errors
///
/// [`TlsError`], when the files can't be used.
pub fn acceptor(files: &KeyPairFiles, metrics: Arc<TlsMetrics>) -> Result<TlsAcceptor, TlsError> {
    let files = vec![files.certificate.clone(), files.key.clone()];
    let counting = metrics.clone();
    let key = Reloading::load(TlsFiles::Listener, files, move |texts| match texts {
        [chain, key] => {
            let key = certified_key(chain, key)?;
            counting.in_use(Certificate::Listener, &key.cert);
            Ok(Arc::new(key))
        }
        _ => Err(super::MaterialError::Key),
    })?;
    key.follow(metrics);
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Shown(key)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Shows the certificate that is in effect, whatever name the client asks for.
#[derive(Debug)]
struct Shown(Arc<Reloading<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.current()))
    }
}
