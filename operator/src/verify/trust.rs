//! Which certificates are trusted: those of the machine's authorities, and of the spec's own.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// The certificates of private authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities(Vec<CertificateDer<'static>>);

/// Why trust could not be set up. Shows nothing of what was read.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// No certificate, or one that is torn.
    #[error("write certificates in PEM: -----BEGIN CERTIFICATE-----, base64, -----END CERTIFICATE-----")]
    Certificates,
    /// A certificate that no chain can end with.
    #[error("certificate {position} can't be used as an authority's: {source}")]
    Authority {
        /// Which, counted from 1.
        position: usize,
        /// Why.
        source: rustls::Error,
    },
    /// The TLS library refused the configuration.
    #[error(transparent)]
    Config(#[from] rustls::Error),
}

impl Authorities {
    /// The certificates of a PEM text. Keys and whatever else is in it are not kept.
    ///
    /// # Errors
    /// When there is none, or one that can't be an authority's.
    pub fn parse(pem: &[u8]) -> Result<Self, TrustError> {
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| TrustError::Certificates)?;
        if certificates.is_empty() {
            return Err(TrustError::Certificates);
        }
        let mut roots = RootCertStore::empty();
        for (position, certificate) in (1..).zip(&certificates) {
            roots.add(certificate.clone()).map_err(|source| TrustError::Authority { position, source })?;
        }
        Ok(Self(certificates))
    }
}

/// A configuration that trusts the machine's authorities and these.
///
/// # Errors
/// When the TLS library has no protocol version to speak, which its features decide.
pub(super) fn client_config(authorities: Option<&Authorities>) -> Result<ClientConfig, TrustError> {
    let mut roots = machine().clone();
    roots.add_parsable_certificates(authorities.into_iter().flat_map(|authorities| authorities.0.iter().cloned()));
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    Ok(builder.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth())
}

/// The machine's authorities, read once: an image does not change while it runs.
fn machine() -> &'static RootCertStore {
    static MACHINE: OnceLock<RootCertStore> = OnceLock::new();
    MACHINE.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_taken_and_anything_else_is_refused_without_showing_it() {
        let made = rcgen::generate_simple_self_signed(["hq".to_owned()]).unwrap();
        let pem = made.cert.pem();
        assert_eq!(Authorities::parse(pem.as_bytes()).unwrap().0.len(), 1);
        let two = format!("a comment\n{pem}{pem}");
        assert_eq!(Authorities::parse(two.as_bytes()).unwrap().0.len(), 2);
        let with_key = format!("{}{pem}", made.signing_key.serialize_pem());
        assert_eq!(Authorities::parse(with_key.as_bytes()).unwrap().0.len(), 1);

        let torn = pem.replace("-----END CERTIFICATE-----", "");
        let nonsense = "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n";
        for bad in ["", "secret", torn.as_str(), nonsense] {
            let error = Authorities::parse(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("certificate") && !error.contains("c2VjcmV0"), "{error}");
        }
    }
}
