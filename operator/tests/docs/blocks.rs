//! The code spans and the fenced blocks of the pages, and the comments that say what tests each
//! block. `.ci/blocks` demands that each block has one, or needs none.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A fenced block.
pub(crate) struct Block {
    /// The page, from the root of the repository.
    pub(crate) page: String,
    /// The line of its fence.
    pub(crate) line: usize,
    pub(crate) language: String,
    pub(crate) text: String,
    /// The file that tests it: by a comment above it, or by one for the page.
    pub(crate) test: Option<String>,
    /// Why nothing does.
    pub(crate) no_test: Option<String>,
}

impl Block {
    /// Where it is, as `PAGE:LINE`.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.page, self.line)
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// README.md, the pages in docs/ and the charts' READMEs.
pub(crate) fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    for (directory, file) in [("docs", ""), ("charts", "/README.md")] {
        let entries = fs::read_dir(root().join(directory)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        pages.extend(names.map(|name| format!("{directory}/{name}{file}")));
    }
    pages.retain(|page| Path::new(page).extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    pages
}

/// Every code span outside fenced blocks, with the page that has it.
pub(crate) fn spans() -> Vec<(String, String)> {
    let mut spans = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(root().join(&page)).unwrap();
        let mut in_block = false;
        for line in text.lines() {
            if line.starts_with("```") {
                in_block = !in_block;
            } else if !in_block {
                let found = line.split('`').skip(1).step_by(2);
                spans.extend(found.map(|span| (page.clone(), span.to_owned())));
            }
        }
    }
    spans
}

/// The blocks of all pages.
pub(crate) fn all() -> Vec<Block> {
    pages().iter().flat_map(|page| of_page(page)).collect()
}

fn of_page(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(root().join(page)).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let mut blocks = Vec::new();
    let mut of_page = None;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let above = at.checked_sub(1).map_or("", |above| lines[above]);
        let next = lines.get(at + 1).unwrap_or(&"");
        if let Some(test) = comment(line, "test") {
            if !next.starts_with("```") {
                of_page = Some(test);
            }
        } else if let Some(language) = line.strip_prefix("```") {
            let length = lines[at + 1..].iter().position(|line| *line == "```").unwrap();
            blocks.push(Block {
                page: page.to_owned(),
                line: at + 1,
                language: language.to_owned(),
                text: lines[at + 1..=at + length].join("\n") + "\n",
                test: comment(above, "test").or_else(|| of_page.clone()),
                no_test: comment(above, "no test"),
            });
            at += length + 1;
        }
        at += 1;
    }
    blocks
}

/// What `<!-- KIND: … -->` says.
fn comment(line: &str, kind: &str) -> Option<String> {
    let said = line.strip_prefix("<!-- ")?.strip_prefix(kind)?.strip_prefix(": ")?;
    Some(said.strip_suffix(" -->")?.to_owned())
}
