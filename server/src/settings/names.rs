//! Names that look like a setting's and are none: a policy with a misspelt name would not be in
//! effect, and nobody would know.

use super::variable;

/// What the names begin with that only this server's settings have.
const OWN_PREFIXES: [&str; 4] = ["MCP_", "LENSES_", "INTROSPECTION_", "OAUTH_"];
/// Of so many characters, one may differ.
const CHARACTERS_PER_TYPO: usize = 6;

/// Whether a setting has this name, or it names the file of a secret.
pub(super) fn is_known(name: &str) -> bool {
    known().any(|known| known == name)
}

/// Whether `name` is of those that only settings have.
pub(super) fn looks_like_a_setting(name: &str) -> bool {
    OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The setting that was most likely meant by `name`, which no setting has. Of names without one of
/// the prefixes, which may be another program's, only those that differ in one character.
pub(super) fn meant(name: &str) -> Option<String> {
    let name = name.to_ascii_uppercase().replace('-', "_");
    let is_own = looks_like_a_setting(&name);
    // A setting with a prefix that it does not have: MCP_LOG_LEVEL.
    let prefixed = OWN_PREFIXES
        .iter()
        .filter_map(|prefix| name.strip_prefix(prefix))
        .find(|rest| is_known(rest));
    if let Some(rest) = prefixed {
        return Some(rest.to_owned());
    }
    let most_typos = |known: &str| if is_own { known.len() / CHARACTERS_PER_TYPO } else { 1 };
    known()
        .filter(|known| looks_like_a_setting(known))
        .filter(|known| known.len().abs_diff(name.len()) <= most_typos(known))
        .map(|known| (distance(&known, &name), known))
        .filter(|(typos, known)| *typos <= most_typos(known))
        .min()
        .map(|(_, known)| known)
}

fn known() -> impl Iterator<Item = String> {
    variable::ALL.iter().flat_map(|known| {
        let file = known.secret.then(|| format!("{}_FILE", known.name));
        [known.name.to_owned()].into_iter().chain(file)
    })
}

/// How many typos are between two names, whatever the order of their words.
fn distance(a: &str, b: &str) -> usize {
    let sorted = |name: &str| {
        let mut words: Vec<_> = name.split('_').collect();
        words.sort_unstable();
        words.join("_")
    };
    strsim::osa_distance(a, b).min(strsim::osa_distance(&sorted(a), &sorted(b)))
}
