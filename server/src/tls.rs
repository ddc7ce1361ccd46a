//! TLS material: certificates and keys from PEM files, followed as the files change.
//!
//! ```text
//! files ─▶ Reloading ─▶ listener     what this server shows to its clients
//!                    └▶ client       what it trusts in Lenses HQ, and shows to it
//! ```
//!
//! Who renews a certificate replaces its file (Kubernetes swaps a link); connections that are there
//! stay as they are, new ones use what is new. Files that can't be used change nothing but a log
//! line and a count.

mod client;
mod files;
pub mod listener;
mod metrics;
mod reloading;

use std::{io, path::PathBuf, sync::Arc};

use rustls::{
    RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

pub(crate) use self::reloading::Reloading;
pub use self::{
    client::client_config,
    files::{KeyPairFiles, Trust},
    metrics::{Certificate, Reload, TlsFiles, TlsMetrics},
};

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The trust store has no certificate that can be used.
    #[error(
        "the machine's trust store holds no CA certificate; mount one and name it in SSL_CERT_FILE \
         or SSL_CERT_DIR, or name HQ's in LENSES_CA_FILE"
    )]
    NoRoots,
    /// A file can't be read.
    #[error("failed to read {path:?}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else than it should.
    #[error("{files:?} can't be used: {source}")]
    Material {
        /// The files that belong together.
        files: Vec<PathBuf>,
        /// What is wrong with one of them.
        source: MaterialError,
    },
    /// The TLS library refused the configuration.
    #[error(transparent)]
    Config(#[from] rustls::Error),
}

/// What is wrong with a certificate or key. Says what to write, and shows nothing of the file.
#[derive(Debug, thiserror::Error)]
pub enum MaterialError {
    /// No certificate, or one that is torn.
    #[error(
        "write certificates in PEM: -----BEGIN CERTIFICATE-----, base64, -----END CERTIFICATE-----"
    )]
    Certificates,
    /// Certificates that the parser passed over.
    #[error(
        "only {read} of {written} certificates can be read: write each -----BEGIN CERTIFICATE----- \
         on a line of its own, and no byte order mark"
    )]
    Dropped {
        /// How many the parser found.
        read: usize,
        /// How many begin in the file.
        written: usize,
    },
    /// A certificate that no chain can end with.
    #[error("certificate {position} can't be used as a CA's: {source}")]
    Authority {
        /// Which in the file, counted from 1.
        position: usize,
        /// Why.
        source: rustls::Error,
    },
    /// No key, or one that is encrypted.
    #[error("write one unencrypted private key in PEM (PKCS#8, PKCS#1 or SEC1)")]
    Key,
    /// A key of another certificate, or of a kind that is not known.
    #[error(
        "the private key can't be used with the certificate ({0}); write the key of the file's \
         first certificate"
    )]
    Pair(rustls::Error),
    /// There is nothing to trust.
    #[error("no CA certificate is left to trust")]
    NoRoots,
}

/// The cryptography of all connections.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The certificates of a PEM file, in its order.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, MaterialError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let certificates = certificates.map_err(|_| MaterialError::Certificates)?;
    match (certificates.len(), begun(pem)) {
        (read, written) if read < written => Err(MaterialError::Dropped { read, written }),
        (0, _) => Err(MaterialError::Certificates),
        _ => Ok(certificates),
    }
}

/// How many certificates begin. The parser passes over one whose first line begins with something
/// else, such as the end of another or a byte order mark, and over OpenSSL's own form.
fn begun(pem: &str) -> usize {
    let labels = pem.split("-----BEGIN ").skip(1).filter_map(|rest| rest.split_once("-----"));
    labels.filter(|(label, _)| label.ends_with("CERTIFICATE")).count()
}

/// The CA certificates of a PEM file, added to `roots`.
pub(crate) fn add_authorities(roots: &mut RootCertStore, pem: &str) -> Result<(), MaterialError> {
    for (position, certificate) in (1..).zip(certificates(pem)?) {
        roots.add(certificate).map_err(|source| MaterialError::Authority { position, source })?;
    }
    Ok(())
}

/// A certificate chain with its key, each from its PEM file.
pub(crate) fn certified_key(chain_pem: &str, key_pem: &str) -> Result<CertifiedKey, MaterialError> {
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| MaterialError::Key)?;
    CertifiedKey::from_der(certificates(chain_pem)?, key, &provider()).map_err(MaterialError::Pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_would_be_dropped_in_silence_is_refused() {
        let pem = rcgen::generate_simple_self_signed(["hq".to_owned()]).unwrap().cert.pem();
        assert_eq!(certificates(&format!("# HQ's\n{pem}\n{pem}")).unwrap().len(), 2);
        let trusted = pem.replace("BEGIN ", "BEGIN TRUSTED ").replace("END ", "END TRUSTED ");
        for (text, read) in [
            (format!("{}{pem}", pem.trim_end()), 1),
            (format!("\u{feff}{pem}{pem}"), 1),
            (format!("\u{feff}{pem}"), 0),
            (format!("{pem}{trusted}"), 1),
        ] {
            let error = certificates(&text).unwrap_err().to_string();
            let said = format!(
                "only {read} of {} certificates can be read",
                text.matches("BEGIN").count()
            );
            assert!(error.starts_with(&said), "{error}");
        }
    }
}
