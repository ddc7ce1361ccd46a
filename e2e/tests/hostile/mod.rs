//! Parts of the test of hostile manifests.

pub(crate) mod corpus;
pub(crate) mod recorder;
