//! JSON that stays as it was written: found, checked and copied as slices of a text, never as a
//! tree but for what a client sends.
//!
//! ```text
//! structure  where a value ends, and the parts of an array or object: by brackets and quotes
//! check      whether every JSON reader takes a value: syntax, surrogates, depth, UTF-8
//! copy       a value as a client reads it: wide numbers as strings, one line
//! size       how many values a text holds, before it is parsed
//! plain      a tree, if it says all that its text says
//! ```
//!
//! All of it works on bytes that anyone may have written: nothing recurses, and nothing panics.

mod check;
#[cfg(test)]
mod check_tests;
mod copy;
mod number;
mod plain;
mod size;
mod structure;

use std::borrow::Cow;

pub use self::{
    check::{Fault, MAX_DEPTH, Need, check},
    copy::{copy, push_string},
    plain::plain,
    size::{DEPTH_MAX, NODES_MAX, TooLarge, measure},
    structure::{Checked, Malformed, Part, Parts, checked_elements, end_of},
};

/// The value of the member `name` of `object`, the first one if there are several.
#[must_use]
pub fn member<'a>(object: &'a [u8], name: &str) -> Option<&'a [u8]> {
    Parts::of_object(object)
        .map_while(Result::ok)
        .find(|part| is_key(object.get(part.key.clone()).unwrap_or_default(), name))
        .and_then(|part| object.get(part.value))
}

/// The text that the string `value` stands for; `None` if it is no string or can't be read.
#[must_use]
pub fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if plain_length(inner) < inner.len() {
        return serde_json::from_slice(value).ok().map(Cow::Owned);
    }
    std::str::from_utf8(inner).ok().map(Cow::Borrowed)
}

/// Whether the string `key` stands for `name`.
fn is_key(key: &[u8], name: &str) -> bool {
    let inner = key.strip_prefix(b"\"").and_then(|key| key.strip_suffix(b"\""));
    inner.is_some_and(|inner| {
        inner == name.as_bytes()
            || inner.contains(&b'\\') && text(key).is_some_and(|key| key == name)
    })
}

/// How many bytes at the beginning of `text` stand for themselves in a string: all before the first
/// quote, backslash or control character. Eight at a time, because most of JSON is in strings.
fn plain_length(text: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The high bit of each byte that is zero; above the lowest such byte, of others too.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let found = control | zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c));
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let is_plain = |byte: &u8| *byte >= b' ' && !matches!(byte, b'"' | b'\\');
    words.len() * 8 + rest.iter().position(|byte| !is_plain(byte)).unwrap_or(rest.len())
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_by_what_its_key_stands_for() {
        let object = br#" { "a" : {"name":"inner"}, "n\u0061me":"x", "name":"y", "n":[1 ] } "#;
        assert_eq!(member(object, "name"), Some(&br#""x""#[..]));
        assert_eq!(member(object, "n"), Some(&b"[1 ]"[..]));
        assert_eq!(member(object, "b"), None);
        // What stands before the fault is found.
        assert_eq!(member(br#"{"a":1,"b":"#, "a"), Some(&b"1"[..]));
        for odd in ["", "[]", "7", "{", "\"a\"", "{\"a\"}", "{a:1}"] {
            assert_eq!(member(odd.as_bytes(), "a"), None, "{odd}");
        }
    }

    #[test]
    fn a_plain_prefix_ends_at_each_byte_that_needs_escaping() {
        for byte in 0..=u8::MAX {
            for before in 0..20 {
                for after in [0, 1, 9] {
                    let text = [vec![b'\x7f'; before], vec![byte], vec![b'"'; after]].concat();
                    let is_plain = byte >= b' ' && !matches!(byte, b'"' | b'\\');
                    assert_eq!(plain_length(&text), before + usize::from(is_plain), "{text:?}");
                }
            }
        }
        assert_eq!(plain_length("größer als 😀 \u{80}".as_bytes()), "größer als 😀 \u{80}".len());
        assert_eq!(plain_length(b""), 0);
    }

    #[test]
    fn a_text_is_what_its_string_stands_for() {
        for (value, expected) in [
            (r#""plain é""#, Some("plain é")),
            (r#""a\n\u00e9\ud83d\ude00\"""#, Some("a\né😀\"")),
            (r#""""#, Some("")),
            (r#""\ud800""#, None),
            ("\"a\nb\"", None),
            ("7", None),
            ("\"", None),
            (r#""a"b""#, None),
        ] {
            assert_eq!(text(value.as_bytes()).as_deref(), expected, "{value}");
        }
        assert_eq!(text(b"\"\xff\""), None);
    }
}
