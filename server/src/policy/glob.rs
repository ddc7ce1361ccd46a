//! Patterns of environments' names.

use std::{fmt, str::FromStr};

/// Longest pattern, in characters: HQ's names have at most 63.
const MAX: usize = 63;

/// A pattern: `*` stands for any text, `?` for one character. Case makes no difference, so that a
/// name in another case does not get past a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no pattern of an environment's name: write 1 to {MAX} letters, digits, \"-\", \"_\", \
     \".\", \"*\" (any text) and \"?\" (any character)"
)]
pub struct GlobError(String);

impl FromStr for Glob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.*?".contains(c);
        if text.is_empty() || text.len() > MAX || !text.chars().all(is_plain) {
            return Err(GlobError(text.chars().take(MAX).collect()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Glob {
    /// Whether it matches every name.
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'*')
    }

    /// Whether it matches `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name): (Vec<char>, Vec<char>) =
            (self.0.chars().collect(), name.chars().collect());
        let (mut at, mut position) = (0, 0);
        // Where the last `*` is, and how much of the name it has taken.
        let mut star = None;
        while let Some(letter) = name.get(position) {
            match pattern.get(at) {
                Some('*') => {
                    star = Some((at, position));
                    at += 1;
                }
                Some(wanted) if *wanted == '?' || wanted.eq_ignore_ascii_case(letter) => {
                    at += 1;
                    position += 1;
                }
                _ => {
                    // The last `*` takes one more.
                    let Some((starred, taken)) = star else { return false };
                    star = Some((starred, taken + 1));
                    (at, position) = (starred + 1, taken + 1);
                }
            }
        }
        pattern.iter().skip(at).all(|rest| *rest == '*')
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_names_in_any_case() {
        for (pattern, names, others) in [
            ("prod", &["prod", "PROD"][..], &["prod-eu", "a-prod", ""][..]),
            ("prod*", &["prod", "Prod-eu"], &["a-prod", "pro"]),
            ("*-eu", &["a-eu", "-eu", "a-eu-eu"], &["eu", "a-eu-x"]),
            ("a*b*c", &["abc", "axxbxxc", "abbcc"], &["ab", "acb"]),
            ("?-eu", &["a-eu"], &["-eu", "ab-eu"]),
            ("**", &["", "a"], &[]),
            ("a?*", &["ab", "abc"], &["a"]),
        ] {
            let glob: Glob = pattern.parse().unwrap();
            assert!(names.iter().all(|name| glob.matches(name)), "{pattern}");
            assert!(!others.iter().any(|name| glob.matches(name)), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_matched_in_no_time() {
        let glob: Glob = "*a".repeat(31).parse().unwrap();
        assert!(!glob.matches(&"a".repeat(200).replace('a', "b")));
        assert!(!glob.matches(&format!("{}b", "a".repeat(10_000))));
    }

    #[test]
    fn what_is_in_no_name_is_no_pattern() {
        for text in ["", "a b", "prod;", "a:b", "a,b", "é", "a'", &"x".repeat(64)] {
            assert!(text.parse::<Glob>().is_err(), "{text}");
        }
    }
}
