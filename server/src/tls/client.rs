//! Trust towards Lenses HQ: one TLS configuration, for HTTP, websockets and introspection alike.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        ResolvesClientCert, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::CertifiedKey,
};
use url::Url;

use super::{
    Certificate, MaterialError, Reloading, TlsError, TlsFiles, TlsMetrics, Trust, add_authorities,
    certificates, certified_key, provider,
};

/// The configuration for `addresses`: the machine's roots and `trust.authorities`, and the
/// certificate in `trust.client` where HQ asks for one. Files are followed as they change, so it is
/// to be called on a runtime when there are any. Nothing is read where no address is encrypted.
///
/// # Errors
///
/// [`TlsError`], when a file or the machine's trust store can't be used.
pub fn client_config<'a>(
    trust: &Trust,
    addresses: impl IntoIterator<Item = &'a Url>,
    metrics: Arc<TlsMetrics>,
) -> Result<ClientConfig, TlsError> {
    let builder =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    if !addresses.into_iter().any(|address| matches!(address.scheme(), "https" | "wss")) {
        return Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth());
    }
    let has_authorities = trust.authorities.is_some();
    let client = trust.client.iter().flat_map(|files| [&files.certificate, &files.key]);
    let files = trust.authorities.iter().chain(client).cloned().collect();
    let counting = metrics.clone();
    let peer = Reloading::load(TlsFiles::Lenses, files, move |texts| {
        let (authorities, client) = texts.split_at(usize::from(has_authorities));
        let peer = Peer::new(authorities.first(), client)?;
        if let Some(authorities) = authorities.first() {
            counting.in_use(Certificate::LensesAuthority, &certificates(authorities)?);
        }
        if let Some(client) = &peer.client {
            counting.in_use(Certificate::LensesClient, &client.cert);
        }
        Ok(peer)
    });
    let peer = peer.map_err(|error| match error {
        TlsError::Material { source: MaterialError::NoRoots, .. } => TlsError::NoRoots,
        error => error,
    })?;
    peer.follow(metrics);
    let peer = Arc::new(Current(peer));
    // "Dangerous" is what verifies by rules of its own; this one hands everything on to webpki.
    let builder = builder.dangerous().with_custom_certificate_verifier(peer.clone());
    Ok(builder.with_client_cert_resolver(peer))
}

/// What is trusted in HQ, and what is shown to it.
struct Peer {
    verifier: Arc<WebPkiServerVerifier>,
    client: Option<Arc<CertifiedKey>>,
}

impl Peer {
    fn new(authorities: Option<&String>, client: &[String]) -> Result<Self, MaterialError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(authorities) = authorities {
            add_authorities(&mut roots, authorities)?;
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let verifier = verifier.map_err(|_| MaterialError::NoRoots)?;
        let client = match client {
            [chain, key] => Some(Arc::new(certified_key(chain, key)?)),
            _ => None,
        };
        Ok(Self { verifier, client })
    }
}

/// The peer that is in effect when a connection begins.
#[derive(Debug)]
struct Current(Arc<Reloading<Peer>>);

impl ServerCertVerifier for Current {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let peer = self.0.current();
        peer.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.current().verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.current().verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.current().verifier.supported_verify_schemes()
    }
}

impl ResolvesClientCert for Current {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.current().client.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.current().client.is_some()
    }
}
