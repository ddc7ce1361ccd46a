//! Secrets in YAML, hidden where they stand: order and notation of all else stay.

use std::{collections::HashSet, ops::Range};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use super::{
    MASK,
    json::{Secret, secrets},
    text::masked_comment,
};
use crate::json::push_string;

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// Why a text could not be masked. Nothing of it may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools) struct MaskError;

/// Hides the secrets in the YAML documents of `text`.
///
/// The documents are written as JSON with every scalar a text; what is a secret there is written
/// over in `text`, each at its place.
///
/// # Errors
///
/// [`MaskError`] when `text` is not YAML, or YAML whose values can't be told apart: with aliases,
/// with repeated keys or keys that are no text.
pub(in crate::tools) fn mask_yaml(text: &str) -> Result<String, MaskError> {
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        json: String::new(),
        scalars: Vec::new(),
        edits: Vec::new(),
    };
    reader.documents()?;
    let Reader { json, scalars, mut edits, .. } = reader;
    for Secret { range, shown } in secrets(&json) {
        let found = scalars.binary_search_by_key(&range.start, |scalar| scalar.start);
        let scalar = found.ok().and_then(|index| scalars.get(index)).ok_or(MaskError)?;
        let shown = if scalar.is_block {
            // Its header stays, and its lines would have to be indented as they were: nothing of it
            // is shown.
            let old = text.get(scalar.range.clone()).ok_or(MaskError)?;
            old.replacen(old.trim(), MASK, 1)
        } else {
            // JSON's strings are YAML's too.
            let mut string = String::new();
            push_string(&shown, &mut string);
            string
        };
        edits.push((scalar.range.clone(), shown));
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
    /// Where it begins in the JSON.
    start: usize,
    /// Where it stands in the YAML.
    range: Range<usize>,
    /// Whether it is written as lines under `|` or `>`.
    is_block: bool,
}

struct Reader<I> {
    events: I,
    /// The documents as JSON: an array.
    json: String,
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
            self.edits.push((range, format!("#{}", masked_comment(&comment))));
        }
    }

    fn documents(&mut self) -> Result<(), MaskError> {
        let mut separator = '[';
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => {
                    self.json.push_str(if separator == '[' { "[]" } else { "]" });
                    return Ok(());
                }
                (Event::DocumentStart(..), _) => {
                    self.json.push(separator);
                    separator = ',';
                    let first = self.next()?;
                    self.node(first, 0)?;
                }
                (Event::StreamStart | Event::DocumentEnd, _) => {}
                _ => return Err(MaskError),
            }
        }
    }

    fn node(
        &mut self,
        (event, range): (Event<'a>, Range<usize>),
        depth: usize,
    ) -> Result<(), MaskError> {
        if depth > MAX_DEPTH {
            return Err(MaskError);
        }
        match event {
            Event::Scalar(content, ScalarStyle::Plain, ..)
                if matches!(&*content, "" | "~" | "null") =>
            {
                self.json.push_str("null");
            }
            Event::Scalar(content, style, ..) => {
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                self.scalars.push(Scalar { start: self.json.len(), range, is_block });
                // One of blanks alone hides nothing. It has no line to write over: its range is its
                // header's.
                let is_blank = is_block && content.trim().is_empty();
                push_string(if is_blank { "" } else { &content }, &mut self.json);
            }
            Event::SequenceStart(..) => self.sequence(depth)?,
            Event::MappingStart(..) => self.mapping(depth)?,
            _ => return Err(MaskError),
        }
        Ok(())
    }

    fn sequence(&mut self, depth: usize) -> Result<(), MaskError> {
        self.json.push('[');
        let mut is_first = true;
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => break,
                item => {
                    if !std::mem::take(&mut is_first) {
                        self.json.push(',');
                    }
                    self.node(item, depth + 1)?;
                }
            }
        }
        self.json.push(']');
        Ok(())
    }

    fn mapping(&mut self, depth: usize) -> Result<(), MaskError> {
        self.json.push('{');
        let mut keys = HashSet::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd, _) => break,
                (Event::Scalar(key, ..), _) => key.into_owned(),
                _ => return Err(MaskError),
            };
            if !keys.is_empty() {
                self.json.push(',');
            }
            push_string(&key, &mut self.json);
            self.json.push(':');
            if !keys.insert(key) {
                return Err(MaskError);
            }
            let first = self.next()?;
            self.node(first, depth + 1)?;
        }
        self.json.push('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_every_notation_are_hidden_and_nothing_else_changes() {
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
  topic: ü
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
  # password=********
  topic: ü
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
        let text = "a: |2-\n    x\n  password=hunter2\nb:\n  password: |+\n    hunter3\n\n  c: 1\n\
                    \"password\": !!str hunter4\n";
        let masked = mask_yaml(text).unwrap();
        assert!(!masked.contains("hunter"), "{masked}");
        let again = mask_yaml(&masked);
        assert_eq!(again.as_deref(), Ok(masked.as_str()), "{masked}");
        assert!(masked.ends_with("\"password\": !!str \"********\"\n"), "{masked}");
    }

    #[test]
    fn a_block_without_text_hides_nothing_and_stays() {
        for text in ["password: |+\n ", "password: |+\n\n \n", "password: >\n", "password: |"] {
            assert_eq!(mask_yaml(text).as_deref(), Ok(text), "{text:?}");
        }
        let after_blanks = mask_yaml("password: |\n\n \n  hunter2\na: 1\n");
        assert_eq!(after_blanks.as_deref(), Ok("password: |\n\n \n  ********\na: 1\n"));
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
