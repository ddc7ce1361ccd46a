//! The files that trust and identity are read from. They are read again as they change.

use std::path::PathBuf;

/// The files of a certificate chain and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPairFiles {
    /// The chain, this side's own certificate first.
    pub certificate: PathBuf,
    /// The key of the first certificate.
    pub key: PathBuf,
}

/// What is trusted in Lenses HQ, and what is shown to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// CA certificates besides the machine's, in PEM.
    pub authorities: Option<PathBuf>,
    /// This server's certificate as a client.
    pub client: Option<KeyPairFiles>,
}
