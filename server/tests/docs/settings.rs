//! `docs/settings.md`.

use std::fmt::Write;

use lenses_mcp_server::settings::variable::{GROUPS, Variable};

use crate::{cell, check};

const HEAD: &str = include_str!("settings.md.in");

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
