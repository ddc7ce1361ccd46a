//! Rules of OAuth that the server and the operator both follow as clients of Lenses HQ. No IO: what
//! to send, and where to.

mod client_authentication;
mod metadata_location;

pub use self::{
    client_authentication::basic,
    metadata_location::{WELL_KNOWN, location, locations},
};
