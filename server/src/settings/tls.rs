//! TLS files: read and checked here, and read again by whoever uses them, because they may change.

use super::{
    SettingsError,
    reader::{Invalid, Reader, shown},
    variable::{self as var, Variable},
};
use crate::tls::{self, KeyPairFiles, Trust};

pub(super) fn read_trust(reader: &mut Reader<'_>) -> Result<Trust, Invalid> {
    let authorities = reader.file(&var::LENSES_CA_FILE, |pem| {
        tls::add_authorities(&mut rustls::RootCertStore::empty(), pem)
            .map_err(|error| error.to_string())
    });
    let client = read_key_pair(reader, &var::LENSES_CLIENT_CERT_FILE, &var::LENSES_CLIENT_KEY_FILE);
    Ok(Trust { authorities: authorities?.map(|(path, ())| path), client: client? })
}

pub(super) fn read_key_pair(
    reader: &mut Reader<'_>,
    certificate: &'static Variable,
    key: &'static Variable,
) -> Result<Option<KeyPairFiles>, Invalid> {
    let chain = reader.file(certificate, |pem| match tls::certificates(pem) {
        Ok(_) => Ok(pem.to_owned()),
        Err(error) => Err(error.to_string()),
    });
    let key_file = reader.file(key, |pem| Ok(pem.to_owned()));
    match (chain?, key_file?) {
        (Some((certificate, chain)), Some((key_path, key_pem))) => {
            match tls::certified_key(&chain, &key_pem) {
                Ok(_) => Ok(Some(KeyPairFiles { certificate, key: key_path })),
                Err(error) => Err(reader.fault(SettingsError::Invalid {
                    variable: key.name,
                    found: shown(&key_path.to_string_lossy()),
                    remedy: error.to_string(),
                })),
            }
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(reader.missing(key, format!("{} needs it", certificate.name))),
        (None, Some(_)) => Err(reader.missing(certificate, format!("{} needs it", key.name))),
    }
}
