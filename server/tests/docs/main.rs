//! Pages under `docs/` that are made from the code: what is committed is what the code says.
//! `make generate` writes them, by running this with `UPDATE_DOCS=1`.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by panicking")]

mod audit;
mod operation;
mod settings;
mod tools;

use std::{fs, path::Path};

/// Holds `docs/<file>` against `made`, or writes it.
fn check(file: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, made).unwrap();
    } else {
        let committed = fs::read_to_string(path).unwrap_or_default();
        assert!(committed == made, "docs/{file} is out of date: run `make generate`");
    }
}

/// Text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}
