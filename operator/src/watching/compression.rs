//! Objects in little space.
//!
//! Read into its type, an object takes some five times the space of its JSON, nearly all of it for fields that are not set; and the
//! objects of a kind are alike. So each is kept as its JSON, compressed against the first one of its kind, and read when a reconcile
//! needs it: that takes some microseconds, and a Deployment of 20 KB becomes 400 bytes.

use std::sync::OnceLock;

use lz4_flex::block::{
    DecompressError, compress_prepend_size_with_dict, decompress_size_prepended_with_dict,
};
use serde::{Serialize, de::DeserializeOwned};

/// Packs the objects of one kind, and unpacks what it has compressed.
#[derive(Debug)]
pub(crate) struct Codec {
    /// The JSON of the first one.
    first: OnceLock<Vec<u8>>,
}

/// An object, compressed.
pub(crate) type Compressed = Box<[u8]>;

/// What was compressed cannot be read. The same codec having compressed it, this says that the type does not read what it writes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Codec {
    /// A codec that has seen nothing.
    pub(crate) const fn new() -> Self {
        Self { first: OnceLock::new() }
    }

    /// # Errors
    /// When the object cannot be written as JSON.
    pub(crate) fn encode(&self, object: &impl Serialize) -> Result<Compressed, serde_json::Error> {
        let json = serde_json::to_vec(object)?;
        let first = self.first.get_or_init(|| json.clone());
        Ok(compress_prepend_size_with_dict(&json, first).into_boxed_slice())
    }

    /// # Errors
    /// When it is not what this codec has compressed, or of another type.
    pub(crate) fn decode<T: DeserializeOwned>(&self, compressed: &[u8]) -> Result<T, DecodeError> {
        let first = self.first.get().map(Vec::as_slice).unwrap_or_default();
        Ok(serde_json::from_slice(&decompress_size_prepended_with_dict(compressed, first)?)?)
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::Deployment;

    use super::*;
    use crate::controller::{
        build,
        fixtures::{oauth_server, valid},
    };

    fn deployment(name: &str) -> Deployment {
        let mut server = oauth_server();
        server.metadata.name = Some(name.to_owned());
        build::deployment(&valid(&server), "uid")
    }

    #[test]
    fn what_was_encoded_is_decoded_as_it_was() {
        let codec = Codec::new();
        for name in ["first", "second", "a-third-with-a-longer-name"] {
            let object = deployment(name);
            let bytes = codec.encode(&object).unwrap();
            assert_eq!(codec.decode::<Deployment>(&bytes).unwrap(), object);
        }
    }

    #[test]
    fn objects_of_a_kind_take_a_tenth_of_their_json() {
        let codec = Codec::new();
        codec.encode(&deployment("first")).unwrap();
        let another = deployment("another");
        let (bytes, json) =
            (codec.encode(&another).unwrap(), serde_json::to_vec(&another).unwrap());
        assert!(bytes.len() * 10 < json.len(), "{} of {}", bytes.len(), json.len());
    }

    #[test]
    fn what_was_not_encoded_here_is_an_error() {
        let codec = Codec::new();
        let bytes = codec.encode(&deployment("first")).unwrap();
        for other in [&b""[..], b"\x01", &bytes[..bytes.len() - 1]] {
            assert!(codec.decode::<Deployment>(other).is_err(), "{other:?}");
        }
    }
}
