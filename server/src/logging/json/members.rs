//! The members of a JSON object, bounded in length.

use std::fmt::{self, Write as _};

use serde::Serialize;
use tracing::field::{Field, Visit};

use crate::logging::text::Bounded;

/// Most values that are printed are shorter, in bytes.
const USUAL_VALUE: usize = 64;
/// Ends a text that was cut.
pub(super) const CUT: &str = "…";
/// The longest escape of a byte: `\u001b`.
const ESCAPE_MAX: usize = 6;

/// Members of a JSON object, each after a comma: `,"id":"7","status":200`. So fields that a span
/// learns later are put behind those that it has.
pub(super) struct Members {
    pub(super) bytes: Vec<u8>,
    /// How long they may become, in bytes. A text is cut, anything else left out.
    pub(super) max: usize,
    pub(super) is_cut: bool,
}

impl Members {
    pub(super) fn new(usual: usize, max: usize) -> Self {
        Self { bytes: Vec::with_capacity(usual), max, is_cut: false }
    }

    /// How much still fits, in bytes.
    fn room(&self) -> usize {
        self.max.saturating_sub(self.bytes.len())
    }

    pub(super) fn scalar(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        let before = self.bytes.len();
        self.name(name);
        self.value(value);
        if self.bytes.len() > self.max {
            self.bytes.truncate(before);
            self.is_cut = true;
        }
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        let before = self.bytes.len();
        self.name(name);
        let quotes = 2;
        let Some(room) = self.room().checked_sub(quotes + CUT.len()) else {
            self.bytes.truncate(before);
            self.is_cut = true;
            return;
        };
        let fits = fitting(text, room);
        self.value(text.get(..fits).unwrap_or_default());
        if fits < text.len() {
            self.bytes.pop();
            self.bytes.extend_from_slice(CUT.as_bytes());
            self.bytes.push(b'"');
            self.is_cut = true;
        }
    }

    fn name(&mut self, name: &str) {
        self.bytes.push(b',');
        self.value(name);
        self.bytes.push(b':');
    }

    pub(super) fn value(&mut self, value: &(impl Serialize + ?Sized)) {
        // Texts and numbers are always JSON, and memory can be written.
        let _written = serde_json::to_writer(&mut self.bytes, value);
    }
}

/// How much of `text` takes up at most `room` bytes in JSON, in bytes of its own.
fn fitting(text: &str, room: usize) -> usize {
    if text.len() <= room / ESCAPE_MAX {
        return text.len();
    }
    let mut taken = 0;
    let too_much = |(_, letter): &(usize, char)| {
        taken += match letter {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '\0'..'\u{20}' => ESCAPE_MAX,
            letter => letter.len_utf8(),
        };
        taken > room
    };
    text.char_indices().find(too_much).map_or(text.len(), |(end, _)| end)
}

impl Visit for Members {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // More than fits shows that something was cut.
        let room = self.room() + char::MAX.len_utf8();
        let out = String::with_capacity(USUAL_VALUE);
        let mut text = Bounded { out, room, is_cut: false };
        // What fails to print stays as far as it came. serde_json would panic.
        let _as_far = write!(text, "{value:?}");
        self.text(field.name(), &text.out);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.scalar(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.scalar(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.scalar(field.name(), &value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.scalar(field.name(), &value);
    }
}
