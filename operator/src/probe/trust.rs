//! Which certificates are trusted: those of the machine's authorities, and of the spec's own.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// The certificates of private authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities(Vec<CertificateDer<'static>>);

/// A certificate with its key, for a server that asks its clients for one.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why trust could not be set up. Shows nothing of what was read.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// No certificate, or one that is torn.
    #[error(
        "write certificates in PEM: -----BEGIN CERTIFICATE-----, base64, -----END CERTIFICATE-----"
    )]
    Certificates,
    /// A certificate that no chain can end with.
    #[error("certificate {position} can't be used as an authority's: {source}")]
    Authority {
        /// Which, counted from 1.
        position: usize,
        /// Why.
        source: rustls::Error,
    },
    /// No key, or one that is encrypted.
    #[error("write one unencrypted private key in PEM")]
    Key,
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
        let certificates = certificates(pem)?;
        let mut roots = RootCertStore::empty();
        for (position, certificate) in (1..).zip(&certificates) {
            roots
                .add(certificate.clone())
                .map_err(|source| TrustError::Authority { position, source })?;
        }
        Ok(Self(certificates))
    }
}

impl Identity {
    /// What a Secret of type `kubernetes.io/tls` holds: the chain and the key, in PEM.
    ///
    /// # Errors
    /// When one of them is missing or torn.
    pub fn parse(chain: &[u8], key: &[u8]) -> Result<Self, TrustError> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TrustError::Key)?;
        Ok(Self { chain: certificates(chain)?, key })
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    certificates
        .ok()
        .filter(|certificates| !certificates.is_empty())
        .ok_or(TrustError::Certificates)
}

/// A configuration that trusts the machine's authorities and these, or, where nothing is `encrypted`, nobody.
///
/// # Errors
/// When the key is not the certificate's.
pub(super) fn client_config(
    encrypted: bool,
    authorities: Option<&Authorities>,
    identity: Option<Identity>,
) -> Result<ClientConfig, TrustError> {
    let mut roots = if encrypted { machine().clone() } else { RootCertStore::empty() };
    roots.add_parsable_certificates(
        authorities.into_iter().flat_map(|authorities| authorities.0.iter().cloned()),
    );
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots);
    Ok(match identity {
        Some(Identity { chain, key }) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    })
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

        let key = made.signing_key.serialize_pem();
        assert!(Identity::parse(pem.as_bytes(), key.as_bytes()).is_ok());
        for (chain, key) in [("", key.as_str()), (pem.as_str(), ""), (pem.as_str(), "c2VjcmV0")] {
            let error = Identity::parse(chain.as_bytes(), key.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("PEM") && !error.contains("c2VjcmV0"), "{error}");
        }

        let torn = pem.replace("-----END CERTIFICATE-----", "");
        let nonsense = "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n";
        for bad in ["", "secret", torn.as_str(), nonsense] {
            let error = Authorities::parse(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("certificate") && !error.contains("c2VjcmV0"), "{error}");
        }
    }
}
