//! Which way a list is sorted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::tools) enum SortOrder {
    #[default]
    Asc,
    Desc,
}

impl SortOrder {
    /// The word that HQ knows it by.
    pub(in crate::tools) fn as_str(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}
