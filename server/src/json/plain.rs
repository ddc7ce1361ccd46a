//! A tree that says what its text says. `serde_json::Value` alone keeps the last of two members of
//! one name, and changes numbers that a double does not hold.

use std::{error::Error, fmt};

use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Number, Value};

use super::{Parts, is_space, number::is_wide, structure::string_end};

/// The value that `text` is.
///
/// # Errors
///
/// The text is not JSON, an object in it repeats a member, or a number in it is one that a
/// [`Value`] changes.
pub fn plain(text: &str) -> Result<Value, Box<dyn Error + Send + Sync>> {
    let Plain(value) = serde_json::from_str(text)?;
    match changed_number(text.as_bytes()) {
        None => Ok(value),
        Some(place) => {
            let what = "a number has more digits than a double holds: send it as text, or with \
                        fewer digits";
            Err(format!("{place}{what}").into())
        }
    }
}

/// The beginning of a message about the first number in `text` that a [`Value`] changes: with the
/// member of `text` that it stands in.
fn changed_number(text: &[u8]) -> Option<String> {
    if !has_changed_number(text) {
        return None;
    }
    let member = Parts::of_object(text)
        .map_while(Result::ok)
        .find(|part| text.get(part.value.clone()).is_some_and(has_changed_number));
    let name = member.and_then(|part| super::text(text.get(part.key)?).map(|name| shown(&name)));
    Some(name.map_or_else(String::new, |name| format!("`{name}`: ")))
}

/// Whether a number in `text`, which is JSON, is not the same as a [`Value`].
fn has_changed_number(text: &[u8]) -> bool {
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at = string_end(text, at).unwrap_or(text.len()),
            b'-' | b'0'..=b'9' => {
                let rest = text.get(at..).unwrap_or_default();
                let ends = |byte: &u8| is_space(*byte) || matches!(byte, b',' | b']' | b'}');
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                let literal = rest.get(..length).map(str::from_utf8);
                if literal.is_some_and(|literal| literal.is_ok_and(is_changed)) {
                    return true;
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    false
}

/// An integer of 64 bits stays as it is, whatever a double holds.
fn is_changed(literal: &str) -> bool {
    is_wide(literal) && literal.parse::<i64>().is_err() && literal.parse::<u64>().is_err()
}

/// Longest name of a member in a message, in characters.
const NAME_MAX: usize = 64;

fn shown(name: &str) -> String {
    name.chars().take(NAME_MAX).collect()
}

/// A value in which no object repeats a member.
struct Plain(Value);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainVisitor).map(Self)
    }
}

struct PlainVisitor;

impl<'de> de::Visitor<'de> for PlainVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        number.map(Value::Number).ok_or_else(|| E::custom("a number is no finite double"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Plain(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Plain(value))) = members.next_entry::<String, _>()? {
            if object.contains_key(&name) {
                let name = shown(&name);
                return Err(de::Error::custom(format_args!("`{name}` is given twice")));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_tree_is_the_tree_of_its_text() {
        for text in [
            "null",
            r#"{"a":[1,-2,1e2,1.0,0.1,true,"\u0061",{"a":{}}],"b":9007199254740993}"#,
            r#"{"a":18446744073709551615,"b":-9223372036854775808,"c":"12345678901234567890123"}"#,
            r#"{"\"1":"0.12345678901234567890","a":{"a":1},"b":[{"a":1},{"a":1}]}"#,
        ] {
            assert_eq!(
                plain(text).unwrap(),
                serde_json::from_str::<Value>(text).unwrap(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_a_tree_would_change_is_named() {
        for (text, message) in [
            (r#"{"a":1,"a":1}"#, "`a` is given twice"),
            (r#"{"a":1,"\u0061":1}"#, "`a` is given twice"),
            (r#"{"a":[{"b":{"c":1,"c":2}}]}"#, "`c` is given twice"),
            (r#"{"x":1,"a":[{"b":12345678901234567890123}]}"#, "`a`: a number has more digits"),
            (r#"{"a":0.12345678901234567890}"#, "`a`: a number has more digits"),
            ("[18446744073709551616]", "a number has more digits"),
            (r#"{"a":1e400}"#, "number out of range"),
            ("{", "EOF"),
        ] {
            let error = plain(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{text}: {error}");
        }
    }
}
