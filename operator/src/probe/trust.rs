//! Which certificates are trusted: those of the machine's authorities, and of the spec's own.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
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

/// What is trusted in a server, and what is shown to it.
#[derive(Debug, Default)]
pub struct Trust<'a> {
    /// Private authorities, besides the machine's.
    pub authorities: Option<&'a Authorities>,
    /// What is shown to a server that asks for a certificate.
    pub identity: Option<Identity>,
    /// A host, and a second name that its certificate may be for: of a Service, the host of the
    /// public URL.
    pub alias: Option<(String, String)>,
}

/// Why trust could not be set up. Shows nothing of what was read.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
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
        /// How many begin in the text.
        written: usize,
    },
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
    let certificates = certificates.map_err(|_| TrustError::Certificates)?;
    match (certificates.len(), begun(pem)) {
        (read, written) if read < written => Err(TrustError::Dropped { read, written }),
        (0, _) => Err(TrustError::Certificates),
        _ => Ok(certificates),
    }
}

/// How many certificates begin. The parser passes over one whose first line begins with something
/// else, such as the end of another or a byte order mark, and over OpenSSL's own form.
fn begun(pem: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pem);
    let labels = text.split("-----BEGIN ").skip(1).filter_map(|rest| rest.split_once("-----"));
    labels.filter(|(label, _)| label.ends_with("CERTIFICATE")).count()
}

/// A configuration that trusts the machine's authorities and those of `trust`, or, if nothing is
/// `encrypted`, nobody.
///
/// # Errors
/// When the key is not the certificate's.
pub(super) fn client_config(
    encrypted: bool,
    Trust { authorities, identity, alias }: Trust<'_>,
) -> Result<ClientConfig, TrustError> {
    let mut roots = if encrypted { machine().clone() } else { RootCertStore::empty() };
    roots.add_parsable_certificates(
        authorities.into_iter().flat_map(|authorities| authorities.0.iter().cloned()),
    );
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    let alias = alias.filter(|_| !roots.is_empty());
    let builder = match alias.and_then(|(host, name)| AliasVerifier::new(&roots, &host, &name)) {
        Some(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        None => builder.with_root_certificates(roots),
    };
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

/// Verifies as rustls does. A certificate of `host` may be for `name`, too.
#[derive(Debug)]
struct AliasVerifier {
    verifier: Arc<WebPkiServerVerifier>,
    host: ServerName<'static>,
    name: ServerName<'static>,
}

impl AliasVerifier {
    /// `None` if one of the names is none that a certificate can have.
    fn new(roots: &RootCertStore, host: &str, name: &str) -> Option<Self> {
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::new(roots.clone());
        Some(Self {
            verifier: WebPkiServerVerifier::builder_with_provider(roots, provider).build().ok()?,
            host: ServerName::try_from(host.to_owned()).ok()?,
            name: ServerName::try_from(name.to_owned()).ok()?,
        })
    }
}

impl ServerCertVerifier for AliasVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verify = |name: &ServerName<'_>| {
            self.verifier.verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
        };
        match verify(server_name) {
            Err(_) if *server_name == self.host => verify(&self.name),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
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

        for (text, read) in
            [(format!("{}{pem}", pem.trim_end()), 1), (format!("\u{feff}{pem}{pem}"), 1)]
        {
            let error = Authorities::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("only {read} of 2 certificates")), "{error}");
        }

        let torn = pem.replace("-----END CERTIFICATE-----", "");
        let nonsense = "-----BEGIN CERTIFICATE-----\nc2VjcmV0\n-----END CERTIFICATE-----\n";
        for bad in ["", "secret", torn.as_str(), nonsense] {
            let error = Authorities::parse(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("certificate") && !error.contains("c2VjcmV0"), "{error}");
        }
    }
}
