//! Which page of a list that HQ gives in pages itself.

use super::Int;

/// Number of a page, from 1.
pub(in crate::tools) type Page = Int<1, 1_000_000>;
/// Entries on a page. HQ gives all of it in one reply, and that has a limit.
pub(in crate::tools) type PageSize = Int<1, 1_000>;

pub(in crate::tools) fn first_page() -> Page {
    Int::clamped(1)
}

pub(in crate::tools) fn usual_page_size() -> PageSize {
    Int::clamped(25)
}
