//! The result of a call.

use std::ops::Range;

/// What a tool gives: JSON for programs, and texts for models. The text of the records is a part of
/// the JSON, so that no record is kept twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    structured: Option<String>,
    blocks: Vec<Block>,
    is_wrapped: bool,
    is_error: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Block {
    /// A part of the structured content.
    Part(Range<usize>),
    /// A text of its own.
    Note(String),
}

impl ToolResult {
    /// A failure that is told in words.
    #[must_use]
    pub fn error(text: String) -> Self {
        Self {
            structured: None,
            blocks: vec![Block::Note(text)],
            is_wrapped: false,
            is_error: true,
        }
    }

    /// A success: `structured` is a JSON object on one line, which is the text too.
    pub(super) fn object(structured: String) -> Self {
        let blocks = vec![Block::Part(0..structured.len())];
        Self { structured: Some(structured), blocks, is_wrapped: false, is_error: false }
    }

    /// A success: `structured` is a JSON object on one line whose member `result` stands at `range`
    /// and is the text.
    pub(super) fn wrapped(structured: String, range: Range<usize>) -> Self {
        let blocks = vec![Block::Part(range)];
        Self { structured: Some(structured), blocks, is_wrapped: true, is_error: false }
    }

    /// A success that is a text: `structured` has it in `result`.
    pub(super) fn text(structured: String, text: String) -> Self {
        let blocks = vec![Block::Note(text)];
        Self { structured: Some(structured), blocks, is_wrapped: true, is_error: false }
    }

    /// The same with one more text.
    pub(super) fn with_note(mut self, note: String) -> Self {
        self.blocks.push(Block::Note(note));
        self
    }

    /// `structuredContent`: the text of a JSON object without line breaks. Failures have none.
    #[must_use]
    pub fn structured(&self) -> Option<&str> {
        self.structured.as_deref()
    }

    /// The texts for `content`, in their order.
    pub fn blocks(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().map(|block| match block {
            Block::Part(range) => {
                self.structured().and_then(|json| json.get(range.clone())).unwrap_or_default()
            }
            Block::Note(text) => text,
        })
    }

    /// Whether the result proper stands in the member `result` of [`Self::structured`], for which
    /// the contract has the mark `fastmcp.wrap_result` in `_meta`.
    #[must_use]
    pub fn is_wrapped(&self) -> bool {
        self.is_wrapped
    }

    /// Whether the call failed.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.is_error
    }
}
