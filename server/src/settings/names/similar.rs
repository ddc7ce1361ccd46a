//! How similar two names are: by letters, for misspelt ones, and by words, for guessed ones.

use std::cmp::Reverse;

/// Of so many characters of a name with a setting's prefix, one may differ.
const CHARACTERS_PER_TYPO: usize = 6;
/// Names without such a prefix in which two characters may differ have at least so many.
const LONG: usize = 12;
/// Names in which none may differ have at most so many: `HOSTS` and `POST` are not `HOST` and
/// `PORT`.
const SHORT: usize = 4;
/// Words that people write for those of a setting's name.
const SYNONYMS: &[(&str, &str)] = &[
    ("BLOCK", "DENY"),
    ("BLOCKED", "DENY"),
    ("DENIED", "DENY"),
    ("DISABLED", "DENY"),
    ("DISALLOWED", "DENY"),
    ("EXCLUDED", "DENY"),
    ("ENABLED", "ALLOW"),
    ("ENV", "ENVIRONMENT"),
    ("ENVS", "ENVIRONMENTS"),
    ("LOG", "AUDIT"),
    ("RATE", "CALLS"),
];
/// Letters that two words share at least if they are forms of one: CONFIRM and CONFIRMATION.
const STEM: usize = 4;

/// The one of `known` of which `name` is a misspelling. `has_prefix` says whether it begins as only
/// settings do.
pub(super) fn misspelt(
    name: &str,
    has_prefix: bool,
    known: impl Iterator<Item = String>,
) -> Option<String> {
    let most_typos = |known: &str| match known.len() {
        ..=SHORT => 0,
        length if has_prefix => (length / CHARACTERS_PER_TYPO).max(1),
        length if length >= LONG => 2,
        _ => 1,
    };
    known
        .filter(|known| known.len().abs_diff(name.len()) <= most_typos(known))
        .map(|known| (distance(&known, name), known))
        .filter(|(typos, known)| *typos <= most_typos(known))
        .min()
        .map(|(_, known)| known)
}

/// The one of `known` that shares the largest part of its words with `name`, more than the first.
pub(super) fn most_similar(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let given: Vec<_> = name.split('_').collect();
    known
        .filter_map(|known| {
            let words: Vec<_> = known.split('_').collect();
            let shared = words.iter().filter(|word| given.iter().any(|given| is_one(given, word)));
            let shared = shared.count();
            // Thousandths, so that they can be compared.
            let part = 2_000 * shared / (words.len() + given.len());
            let typos = strsim::osa_distance(&known, name);
            let is_similar = shared > 1 || (shared == 1 && words.len() == 1);
            is_similar.then_some((part, Reverse(typos), Reverse(known)))
        })
        .max()
        .map(|(_, _, Reverse(known))| known)
}

/// Whether `given` stands for `word`.
fn is_one(given: &str, word: &str) -> bool {
    let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == given);
    let is_form = |given: &str| {
        given.len().min(word.len()) >= STEM && (given.starts_with(word) || word.starts_with(given))
    };
    given == word || is_form(given) || synonym.is_some_and(|(_, meant)| *meant == word)
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
