//! Secrets in YAML, hidden where they stand: order and notation of all else stay.

#[cfg(test)]
mod tests;

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
