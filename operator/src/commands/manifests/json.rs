//! A document of YAML as kubectl reads it. The API server takes JSON, so kubectl makes JSON of it:
//! keys become text, and a number without a fraction is an integer however it is written.

use std::fmt::{Display, Formatter, Result as FmtResult};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};

/// A document.
#[derive(Debug)]
pub(super) struct Json(pub(super) Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Node).map(Self)
    }
}

struct Node;

impl<'de> Visitor<'de> for Node {
    type Value = Value;

    fn expecting(&self, f: &mut Formatter<'_>) -> FmtResult {
        f.write_str("a value that JSON has")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // Rust writes 1e3 as 1000, as Go does.
        value.to_string().parse::<Number>().map(Value::Number).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Json(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            map.insert(key, entries.next_value::<Json>()?.0);
        }
        Ok(Value::Object(map))
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Key {
    type Value = String;

    fn expecting(&self, f: &mut Formatter<'_>) -> FmtResult {
        f.write_str("a key: text, a number or a boolean")
    }

    fn visit_bool<E: Error>(self, key: bool) -> Result<String, E> {
        text(key)
    }

    fn visit_i64<E: Error>(self, key: i64) -> Result<String, E> {
        text(key)
    }

    fn visit_u64<E: Error>(self, key: u64) -> Result<String, E> {
        text(key)
    }

    fn visit_f64<E: Error>(self, key: f64) -> Result<String, E> {
        text(key)
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<String, E> {
        text(key)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "each key is visited so")]
fn text<E>(key: impl Display) -> Result<String, E> {
    Ok(key.to_string())
}

#[cfg(test)]
mod tests {
    use lenses_mcp_crds::yaml;
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_is_read_as_kubectl_reads_it() {
        for (text, read) in [
            (
                "[yes, No, ON, off, y, n, true]",
                json!([true, false, true, false, true, false, true]),
            ),
            (
                "['yes', \"1\", !!str 1, 1.0.0, 2024-01-01]",
                json!(["yes", "1", "1", "1.0.0", "2024-01-01"]),
            ),
            (
                "[0644, 0o644, 0x1f, 1_000, 1e3, 0.5, -1.5e3]",
                json!([420, 420, 31, 1000, 1000, 0.5, -1500]),
            ),
            ("[~, null, '', ]", json!([null, null, ""])),
            (
                "{1: a, yes: b, 1e3: c, 0x10: d, 0.5: e}",
                json!({"1": "a", "true": "b", "1000": "c", "16": "d", "0.5": "e"}),
            ),
            (
                "{a: &a {b: 1, c: 2}, d: {<<: *a, c: 3}}",
                json!({"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
            ),
            ("{a: 1, a: 2}", json!({"a": 2})),
        ] {
            let mut documents = yaml::from_documents::<Json>(text).unwrap();
            assert_eq!(documents.pop().unwrap().0, read, "{text}");
        }
    }
}
