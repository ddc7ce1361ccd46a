//! The table of values in a chart's README.

use std::fmt::Write as _;

use super::values::Documented;

const BEGIN: &str = "<!-- Made from values.yaml by `make generate`. -->\n";
const END: &str = "<!-- End of the values. -->\n";

/// The text with its table of values replaced.
pub(super) fn with_table(readme: &str, values: &[Documented]) -> String {
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let mut table = "| value | default | description |\n|---|---|---|\n".to_owned();
    rows(&mut table, "", values);
    format!("{before}{BEGIN}\n{table}\n{END}{after}")
}

fn rows(table: &mut String, parent: &str, values: &[Documented]) {
    for value in values {
        let path = format!("{parent}{}", value.name);
        let default =
            if value.children.is_empty() { format!("`{}`", value.default) } else { String::new() };
        let cell = |text: &str| text.replace('|', "\\|");
        writeln!(table, "| `{path}` | {} | {} |", cell(&default), cell(&value.description))
            .unwrap();
        rows(table, &format!("{path}."), &value.children);
    }
}
