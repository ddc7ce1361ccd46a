//! Secrets in connectors' settings, hidden from models.
//!
//! Kafka Connect gives a connector's settings as they were written, passwords included, and Lenses
//! passes them on. What settings mean is each connector's business. Therefore the value of a
//! setting is shown only if its name, or the type that Kafka Connect gives it, is known to be
//! harmless, and what looks like a secret inside a shown value is hidden there. What is around
//! settings (a connector's name, its state, the error of a task) is hidden only if its name says
//! that it is a secret. A setting that points to a secret (`${file:…}`, `${secret:…}`) is none and
//! stays.

mod json;
mod log;
mod name;
#[cfg(test)]
mod settings_tests;
#[cfg(test)]
mod tests;
mod text;
mod verdict;
mod yaml;

pub(super) use self::{json::mask_json, log::mask_log, yaml::mask_yaml};
#[cfg(test)]
pub(super) use self::{name::is_secret, text::shows_nothing};

use crate::lenses::Error;

/// What stands in place of a secret.
pub(super) const MASK: &str = "********";

/// Hides the secrets in what HQ, an agent or Kafka Connect gives as the reason of an error: it
/// often repeats the setting that it refuses.
pub(super) fn mask_error(error: Error) -> Error {
    error.map_reasons(text::masked_reason)
}
