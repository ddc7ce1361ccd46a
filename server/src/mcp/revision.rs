//! The revisions of MCP that this server speaks.

use http::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::json_rpc::RpcError;

/// The header that names the revision of a request.
pub const PROTOCOL_VERSION: &str = "mcp-protocol-version";
/// Longest part of an unknown version that an error repeats, in characters.
const SHOWN_MAX: usize = 64;

/// A revision of MCP, in the order of their dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Revision {
    /// 2024-11-05.
    V2024_11_05,
    /// 2025-03-26: what a request without a version is read as.
    V2025_03_26,
    /// 2025-06-18.
    V2025_06_18,
    /// 2025-11-25: the last that begins with `initialize`.
    V2025_11_25,
    /// 2026-07-28: stateless; each request says its version and the client's capabilities.
    V2026_07_28,
}

impl Revision {
    /// All of them, the oldest first.
    pub const ALL: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// The revision's date, as it is sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision called `text`; `None` for one that this server does not speak.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// Whether each request stands alone: no `initialize`, and results say what they are.
    #[must_use]
    pub fn is_stateless(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// The revision that `initialize` answers a client with that asks for `requested`.
    #[must_use]
    pub fn negotiated(requested: &str) -> Self {
        Self::parse(requested)
            .filter(|revision| !revision.is_stateless())
            .unwrap_or(Self::V2025_11_25)
    }
}

/// The one value of `header` as text; `None` if it is absent.
///
/// # Errors
///
/// -32020 for several values, or one that is not text.
pub(super) fn single<'a>(
    headers: &'a HeaderMap,
    header: &str,
) -> Result<Option<&'a str>, RpcError> {
    let mut values = headers.get_all(header).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = HeaderValue::to_str(value).ok().filter(|_| values.next().is_none());
    text.map(Some)
        .ok_or_else(|| RpcError::header_mismatch(format!("send one {header} header, in ASCII")))
}

/// The revision of a message that names `version`.
///
/// # Errors
///
/// -32022 for a version that this server does not speak.
pub(super) fn named(version: &str) -> Result<Revision, RpcError> {
    Revision::parse(version).ok_or_else(|| unsupported(version))
}

/// The error for a version that this server does not speak. It lists those that it does.
fn unsupported(requested: &str) -> RpcError {
    let requested: String = requested.chars().take(SHOWN_MAX).collect();
    RpcError::unsupported_version(
        json!({ "requested": requested, "supported": Revision::ALL.map(Revision::as_str) }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initialize_never_negotiates_a_stateless_revision() {
        for (requested, negotiated) in [
            ("2024-11-05", "2024-11-05"),
            ("2025-11-25", "2025-11-25"),
            ("2026-07-28", "2025-11-25"),
            ("2099-01-01", "2025-11-25"),
            ("", "2025-11-25"),
        ] {
            assert_eq!(Revision::negotiated(requested).as_str(), negotiated, "{requested}");
        }
    }
}
