//! Secrets in JSON, hidden where they stand: order and notation of all else stay, and no tree is
//! built.

use std::{borrow::Cow, ops::Range};

use super::{
    MASK,
    name::{is_harmless, is_secret},
    text::{masked_text, shows_nothing},
    verdict::{ABOUT_SETTING, VALUE_FIELDS, Verdict},
};
use crate::json::{self, MAX_DEPTH, Part, Parts};

/// What objects of settings are called, in lower case.
const SETTINGS: &[&str] =
    &["config", "configs", "configuration", "connectorconfig", "properties", "settings"];

/// A value that must not be shown as it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Secret {
    /// Where the value stands.
    pub(super) range: Range<usize>,
    /// The text that is shown in its place.
    pub(super) shown: String,
}

/// Hides the secrets in what HQ or Kafka Connect says about connectors. `text` is JSON that passed
/// [`json::check()`].
pub(in crate::tools) fn mask_json(text: String) -> String {
    let secrets = secrets(&text);
    if secrets.is_empty() {
        return text;
    }
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for Secret { range, shown } in secrets {
        masked.push_str(text.get(end..range.start).unwrap_or_default());
        json::push_string(&shown, &mut masked);
        end = range.end;
    }
    masked.push_str(text.get(end..).unwrap_or_default());
    masked
}

/// The secrets in `text`, in the order in which they stand.
pub(super) fn secrets(text: &str) -> Vec<Secret> {
    let mut search = Search { text: text.as_bytes(), found: Vec::new() };
    let start = text.len() - text.trim_ascii_start().len();
    search.value(start..text.trim_ascii_end().len(), false, 0);
    search.found
}

struct Search<'a> {
    text: &'a [u8],
    found: Vec<Secret>,
}

impl<'a> Search<'a> {
    fn at(&self, range: &Range<usize>) -> &'a [u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn hide(&mut self, range: Range<usize>) {
        self.found.push(Secret { range, shown: MASK.to_owned() });
    }

    /// The parts of the array or object at `range`, with their places in the whole text.
    fn parts(&self, range: &Range<usize>) -> impl Iterator<Item = Part> + use<'a> {
        let text = self.at(range);
        let parts =
            if text.starts_with(b"{") { Parts::of_object(text) } else { Parts::of_array(text) };
        let start = range.start;
        let moved = move |range: Range<usize>| range.start + start..range.end + start;
        parts
            .map_while(Result::ok)
            .map(move |Part { key, value }| Part { key: moved(key), value: moved(value) })
    }

    /// Looks through a value of no name, or of a harmless one. `settings` if objects in it hold
    /// settings.
    fn value(&mut self, range: Range<usize>, settings: bool, depth: u32) {
        let value = self.at(&range);
        match value.first() {
            // What is nested deeper than anything that passed is not looked through.
            Some(b'{' | b'[') if depth > MAX_DEPTH => self.hide(range),
            Some(b'{') => self.members(&range, None, settings, depth),
            Some(b'[') => {
                for part in self.parts(&range) {
                    self.value(part.value, settings, depth + 1);
                }
            }
            Some(b'"') => {
                let shown = json::text(value).unwrap_or(Cow::Borrowed(MASK));
                if let Cow::Owned(masked) = masked_text(&shown)
                    && masked != shown
                {
                    self.found.push(Secret { range, shown: masked });
                }
            }
            _ => {}
        }
    }

    /// Looks through the value of a setting of which nothing is known: objects in it tell what they
    /// hold, all else is hidden.
    fn unknown(&mut self, range: Range<usize>, depth: u32) {
        match self.at(&range).first() {
            Some(b'{') if depth <= MAX_DEPTH => self.members(&range, None, true, depth),
            Some(b'[') if depth <= MAX_DEPTH => {
                for part in self.parts(&range) {
                    self.unknown(part.value, depth + 1);
                }
            }
            _ => self.hide_all(range, depth),
        }
    }

    /// Looks through the object at `range`. `outer` is what is around it knows of its value.
    fn members(
        &mut self,
        range: &Range<usize>,
        outer: Option<Verdict>,
        settings: bool,
        depth: u32,
    ) {
        let verdict = Verdict::of_object(self.at(range), outer);
        let is_about_setting = |key: &str| verdict.is_some() && ABOUT_SETTING.contains(&key);
        let mut keys = self.parts(range).map(|part| json::text(self.at(&part.key)));
        let settings = settings || keys.any(|key| key.is_some_and(|key| key.contains('.')));
        for Part { key, value } in self.parts(range) {
            let key = json::text(self.at(&key)).unwrap_or_default();
            let of_value = verdict.filter(|_| VALUE_FIELDS.contains(&&*key));
            let is_object = self.at(&value).starts_with(b"{") && depth <= MAX_DEPTH;
            if is_secret(&key) {
                self.hide_all(value, depth + 1);
            } else if of_value.is_some() && is_object {
                // Kafka Connect's validation: {"definition": {"type": "PASSWORD"}, "value":
                // {"value": "…"}}.
                self.members(&value, of_value, settings, depth + 1);
            } else if let Some(Verdict::Unknown | Verdict::Secret) = of_value {
                self.hide_all(value, depth + 1);
            } else if of_value.is_none()
                && settings
                && !is_about_setting(&key)
                && !is_harmless(&key)
            {
                self.unknown(value, depth + 1);
            } else {
                let named = SETTINGS.contains(&&*key.to_lowercase());
                self.value(value, settings || named, depth + 1);
            }
        }
    }

    /// Hides every value in the value at `range`.
    fn hide_all(&mut self, range: Range<usize>, depth: u32) {
        let value = self.at(&range);
        match value.first() {
            Some(b'{' | b'[') if depth <= MAX_DEPTH => {
                for part in self.parts(&range) {
                    self.hide_all(part.value, depth + 1);
                }
            }
            Some(b'"') if json::text(value).is_some_and(|text| shows_nothing(&text)) => {}
            // true, false and null.
            Some(b't' | b'f' | b'n') => {}
            _ => self.hide(range),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn order_digits_and_white_space_of_all_else_stay() {
        let text = concat!(
            r#" { "z":1.50, "password" : "x", "a":[{"value":7,"name":"api.key"},1E2], "#,
            r#""b":"\u00e9" } "#,
        );
        let masked = concat!(
            r#" { "z":1.50, "password" : "********", "a":[{"value":"********","#,
            r#""name":"api.key"},1E2], "b":"\u00e9" } "#,
        );
        assert_eq!(mask_json(text.to_owned()), masked);
    }

    #[test]
    fn a_secret_is_hidden_however_its_name_is_written() {
        for text in [
            r#"{"p\u0061ssword":"hunter2"}"#,
            r#"{"value":"hunter2","name":"db.p\u0061ssword"}"#,
            r#"{"value":{"value":"hunter2"},"definition":{"type":"PASS\u0057ORD"}}"#,
            r#"{"name":"a","name":"password","value":"hunter2"}"#,
            r#"{"url":"jdbc:x?p\u0061ssword=hunter2"}"#,
        ] {
            assert!(!mask_json(text.to_owned()).contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_to_look_through_is_hidden() {
        for (open, close) in
            [("[", "]"), ("{\"a\":", "}"), ("{\"name\":\"password\",\"value\":", "}")]
        {
            let text = open.repeat(10_000) + "\"password=hunter2\"" + &close.repeat(10_000);
            assert!(!mask_json(text).contains("hunter2"));
        }
    }

    #[test]
    fn kafka_connects_type_tells_of_secrets_whose_names_do_not() {
        let validated = json!({ "configs": [
            {
                "definition": {
                    "name": "db.pass", "type": "PASSWORD", "default_value": "changeit",
                    "required": true
                },
                "value": {
                    "name": "db.pass", "value": "hunter2", "recommended_values": ["hunter3"],
                    "errors": ["short"]
                },
            },
            {
                "definition": { "name": "tasks.max", "type": "INT" },
                "value": { "name": "tasks.max", "value": "2" }
            },
        ]});
        assert_eq!(
            serde_json::from_str::<Value>(&mask_json(validated.to_string())).unwrap(),
            json!({ "configs": [
                {
                    "definition": {
                        "name": "db.pass", "type": "PASSWORD", "default_value": MASK,
                        "required": true
                    },
                    "value": {
                        "name": "db.pass", "value": MASK, "recommended_values": [MASK],
                        "errors": ["short"]
                    },
                },
                {
                    "definition": { "name": "tasks.max", "type": "INT" },
                    "value": { "name": "tasks.max", "value": "2" }
                },
            ]})
        );
    }
}
