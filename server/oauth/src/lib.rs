//! Rules of OAuth that the server and the operator both follow as clients of Lenses HQ. No IO: what
//! to send, and where to.

mod bearer_token;
mod client_authentication;
mod metadata_location;

pub use self::{
    bearer_token::{
        SHARED_TOKEN_MIN, SHARED_TOKEN_REMEDY, TOKEN_MAX, is_b64token, shared_token_fault,
    },
    client_authentication::basic,
    metadata_location::{WELL_KNOWN, location, locations},
};
