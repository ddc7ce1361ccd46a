//! `docs/settings.md`.

use std::fmt::Write;

use lenses_mcp_server::settings::variable::{GROUPS, Variable};

use crate::{cell, check};

const HEAD: &str = "\
# Settings of the server

Made from the code by `make generate`; `lenses-mcp-server --help` prints the same. On Kubernetes the operator writes them.

Each is an environment variable, or a line `NAME='value'` of the settings file, where the environment wins. An empty value counts as
not set. A secret `X` may also be in a file that `X_FILE` names. `lenses-mcp-server --check` says what is wrong with the settings, all of it at
once, or prints those in effect with secrets hidden.
";

#[test]
fn the_page_of_settings_is_what_the_code_reads() {
    let mut page = HEAD.to_owned();
    for group in GROUPS {
        writeln!(page, "\n## {}\n\n| setting | default | meaning |\n|---|---|---|", group.title)
            .unwrap();
        for Variable { name, default, secret, meaning } in group.variables {
            let default = default.map(|default| format!("`{default}`")).unwrap_or_default();
            let secret = if *secret { " (secret)" } else { "" };
            writeln!(page, "| `{name}`{secret} | {default} | {} |", cell(meaning)).unwrap();
        }
    }
    check("settings.md", &page);
}
