//! What a tool's function works with.

use std::{sync::Arc, time::Duration};

use super::{
    asked::{Checks, Offer},
    progress::Progress,
};
use crate::{identity::Identity, lenses};

/// Limits of one call's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most rows of a query.
    pub sql_rows: usize,
    /// Longest time of a query.
    pub sql_time: Duration,
    /// Bytes after which a result is cut at a record. One record is always given whole.
    pub bytes: usize,
}

/// What a tool's function works with: Lenses as the caller sees it, the limits, and who is told how
/// far it is.
#[derive(Debug, Clone)]
pub struct Call {
    /// Lenses HQ with the caller's credential.
    pub lenses: lenses::CallerClient,
    /// Who calls.
    pub identity: Identity,
    /// What this server offers.
    pub policy: Arc<dyn Offer>,
    /// Whether HQ is as this server needs it.
    pub diagnostics: Arc<dyn Checks>,
    /// Limits of the result.
    pub limits: Limits,
    /// Where to say how far the call is.
    pub progress: Progress,
}
