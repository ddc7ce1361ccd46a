//! Who wrote a settings file.
//!
//! The operator writes its version into the first line. A file of an operator that is newer than
//! this server may have settings that this server does not know: a resource may pin an older image.
//! That is no misspelling, and no reason not to start.

use std::path::Path;

use semver::Version;

/// What the first line begins with, before the version.
const MARK: &str = "# Written by lenses-mcp-operator ";
/// How many names the warning has at most, and how many characters of each.
const NAMES: usize = 10;
const NAME_CHARACTERS: usize = 64;

/// The version of the operator that wrote a file with this text, if it is newer than this server.
pub(super) fn newer(text: &str) -> Option<Version> {
    let writer = Version::parse(text.lines().next()?.strip_prefix(MARK)?.trim()).ok()?;
    let own = Version::parse(env!("CARGO_PKG_VERSION")).ok()?;
    (writer > own).then_some(writer)
}

/// What to say about settings that this server does not know.
pub(super) fn warning<'a>(
    path: &Path,
    writer: &Version,
    names: impl ExactSizeIterator<Item = &'a String>,
) -> String {
    let more = names.len().saturating_sub(NAMES);
    let names: Vec<String> =
        names.take(NAMES).map(|name| name.chars().take(NAME_CHARACTERS).collect()).collect();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!(
        "{}{more} in {} have no effect: lenses-mcp-operator {writer} wrote them, and this server \
         is {}; run a server image of the operator's version",
        names.join(", "),
        path.display(),
        env!("CARGO_PKG_VERSION"),
    )
}
