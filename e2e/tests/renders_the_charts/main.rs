//! The charts render what their values ask for, and refuse values that are wrong. `make charts`
//! runs this with Helm 3 and 4, and needs no cluster. `UPDATE_CHARTS=1` writes what is expected.

mod refusals;
mod rendering;

/// The charts' directory.
const CHARTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../charts");
/// The directory of these tests.
const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/renders_the_charts");
