//! Secrets in YAML, hidden where they stand: order and notation of all else stay.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use serde_json::{Map, Value};

use super::{MASK, mask, masked_text};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// Why a text could not be masked. Nothing of it may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools) struct MaskError;

/// Hides the secrets in the YAML documents of `text`.
///
/// The documents are read into JSON with every scalar a text; what masking changes there is written over in `text`, each
/// at its place.
///
/// # Errors
///
/// [`MaskError`] when `text` is not YAML, or YAML whose values can't be told apart: with aliases, with repeated keys or
/// keys that are no text.
pub(in crate::tools) fn mask_yaml(text: &str) -> Result<String, MaskError> {
    let mut reader =
        Reader { events: Parser::new_from_str(text), scalars: Vec::new(), edits: Vec::new() };
    let mut documents = reader.documents()?;
    mask(&mut documents);
    let Reader { scalars, mut edits, .. } = reader;
    for Scalar { pointer, range, content, is_block } in scalars {
        let shown = documents.pointer(&pointer).and_then(Value::as_str).ok_or(MaskError)?;
        if shown == content {
            continue;
        }
        let shown = if is_block {
            // Its header stays, and its lines would have to be indented as they were: nothing of it is shown.
            let old = text.get(range.clone()).ok_or(MaskError)?;
            format!("{MASK}{}", old.get(old.trim_end().len()..).unwrap_or_default())
        } else {
            // JSON's strings are YAML's too.
            Value::from(shown).to_string()
        };
        edits.push((range, shown));
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for (range, shown) in edits {
        masked.push_str(text.get(end..range.start).ok_or(MaskError)?);
        masked.push_str(&shown);
        end = range.end;
    }
    masked.push_str(text.get(end..).ok_or(MaskError)?);
    Ok(masked)
}

/// A text in the documents.
struct Scalar {
    /// The documents' member that it is (RFC 6901).
    pointer: String,
    /// Where it stands.
    range: Range<usize>,
    content: String,
    /// Whether it is written as lines under `|` or `>`.
    is_block: bool,
}

struct Reader<I> {
    events: I,
    scalars: Vec<Scalar>,
    /// What comments become.
    edits: Vec<(Range<usize>, String)>,
}

impl<'a, I: Iterator<Item = Result<(Event<'a>, Span), ScanError>>> Reader<I> {
    fn next(&mut self) -> Result<(Event<'a>, Range<usize>), MaskError> {
        loop {
            let (event, span) = self.events.next().ok_or(MaskError)?.map_err(|_| MaskError)?;
            let range = span.byte_range().ok_or(MaskError)?;
            let Event::Comment(comment, _) = event else { return Ok((event, range)) };
            self.edits.push((range, format!("#{}", masked_text(&comment))));
        }
    }

    fn documents(&mut self) -> Result<Value, MaskError> {
        let mut documents = Vec::new();
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(Value::Array(documents)),
                (Event::DocumentStart(..), _) => {
                    let first = self.next()?;
                    documents.push(self.node(first, &format!("/{}", documents.len()), 0)?);
                }
                (Event::StreamStart | Event::DocumentEnd, _) => {}
                _ => return Err(MaskError),
            }
        }
    }

    fn node(
        &mut self,
        (event, range): (Event<'a>, Range<usize>),
        pointer: &str,
        depth: usize,
    ) -> Result<Value, MaskError> {
        if depth > MAX_DEPTH {
            return Err(MaskError);
        }
        match event {
            Event::Scalar(content, ScalarStyle::Plain, ..)
                if matches!(&*content, "" | "~" | "null") =>
            {
                Ok(Value::Null)
            }
            Event::Scalar(content, style, ..) => {
                let content = content.into_owned();
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                self.scalars.push(Scalar {
                    pointer: pointer.to_owned(),
                    range,
                    content: content.clone(),
                    is_block,
                });
                Ok(content.into())
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                        item => items.push(self.node(
                            item,
                            &format!("{pointer}/{}", items.len()),
                            depth + 1,
                        )?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut members = Map::new();
                loop {
                    let key = match self.next()? {
                        (Event::MappingEnd, _) => return Ok(Value::Object(members)),
                        (Event::Scalar(key, ..), _) => key.into_owned(),
                        _ => return Err(MaskError),
                    };
                    let pointer =
                        format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                    let first = self.next()?;
                    let value = self.node(first, &pointer, depth + 1)?;
                    if members.insert(key, value).is_some() {
                        return Err(MaskError);
                    }
                }
            }
            _ => Err(MaskError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_28_secrets_in_every_notation_are_hidden_and_all_else_stays_as_it_is() {
        let text = r#"# exported by Lenses
name: pg-source   # a comment
cluster: "dev"
config:
  connector.class: io.debezium.connector.postgresql.PostgresConnector
  tasks.max: 1
  database.user: 'orders'
  database.password: hunter2
  plain.password: a plain
    password in two lines
  quoted.password: "hunter \"2\""
  single.password: 'hunter''3'
  reference.password: "${file:/opt/x:pw}"
  empty.password:
  sasl.jaas.config: >-
    org.apache.kafka.Login required
    password="hunter4";

  ssl.keystore.key: |
    -----BEGIN PRIVATE KEY-----
    hunter5
    -----END PRIVATE KEY-----
  connection.url: jdbc:postgresql://u:hunter6@db/x
  # password=hunter7 was the old one
  after: ü
flow: {api.key: hunter8, topics: [a, "b"], credentials: [hunter9]}
settings:
- name: auth.token
  value: hunter10
- {"key": "auth.token", "value": "hunter11"}
---
second: {password: hunter12}
"#;
        let expected = r#"# exported by Lenses
name: pg-source   # a comment
cluster: "dev"
config:
  connector.class: io.debezium.connector.postgresql.PostgresConnector
  tasks.max: 1
  database.user: 'orders'
  database.password: "********"
  plain.password: "********"
  quoted.password: "********"
  single.password: "********"
  reference.password: "${file:/opt/x:pw}"
  empty.password:
  sasl.jaas.config: >-
    ********

  ssl.keystore.key: |
    ********
  connection.url: "jdbc:postgresql://u:********@db/x"
  # password=******** was the old one
  after: ü
flow: {api.key: "********", topics: [a, "b"], credentials: ["********"]}
settings:
- name: auth.token
  value: "********"
- {"key": "auth.token", "value": "********"}
---
second: {password: "********"}
"#;
        assert_eq!(mask_yaml(text).unwrap(), expected);
    }

    #[test]
    fn what_is_masked_is_yaml_still() {
        let text = "a: |2-\n    x\n  password=hunter2\nb:\n  password: |+\n    hunter3\n\n  c: 1\n\"password\": !!str hunter4\n";
        let masked = mask_yaml(text).unwrap();
        assert!(!masked.contains("hunter"), "{masked}");
        let again = mask_yaml(&masked);
        assert_eq!(again.as_deref(), Ok(masked.as_str()), "{masked}");
        assert!(masked.ends_with("\"password\": !!str \"********\"\n"), "{masked}");
    }

    #[test]
    fn json_is_yaml() {
        assert_eq!(
            mask_yaml(r#"{"password":"x","n":1}"#).unwrap(),
            r#"{"password":"********","n":1}"#
        );
        assert_eq!(mask_yaml("").unwrap(), "");
        assert_eq!(mask_yaml("password=hunter2").unwrap(), "\"password=********\"");
    }

    #[test]
    fn what_cannot_be_told_apart_is_not_shown() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in [
            "a: &x hunter2\npassword: *x",
            "password: 1\npassword: 2",
            "? [a]\n: b",
            "a: b: c",
            "a: \"unclosed",
            "- a\nb: c",
            &deep,
        ] {
            assert_eq!(mask_yaml(text), Err(MaskError), "{text}");
        }
    }
}
