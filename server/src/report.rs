//! What checks of Lenses HQ found: the data, for whoever makes, publishes or tells it.

use schemars::JsonSchema;
use serde::Serialize;

/// What was found. Holds no secret and no caller's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// Whether no check failed.
    pub healthy: bool,
    /// When HQ was asked, as RFC 3339 has it.
    pub checked_at: String,
    /// HQ's version; null if HQ does not tell it.
    pub lenses_version: Option<LensesVersion>,
    /// Every check, in the order in which a sign-in meets them.
    pub checks: Vec<Check>,
}

/// The version of Lenses HQ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LensesVersion {
    /// The release: `6.3.0`.
    pub version: String,
    /// The build, if HQ tells it.
    pub build_id: Option<String>,
}

/// One link or setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What was checked.
    pub check: &'static str,
    /// How it ended.
    pub result: CheckResult,
    /// Why, in one word for programs.
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
    /// What to change; only where something is to be changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// As it should be.
    Ok,
    /// It works, but not as well as it could.
    Warning,
    /// Callers can't be served until it is mended.
    Failed,
    /// It could not be looked at, because another check failed.
    Skipped,
}
