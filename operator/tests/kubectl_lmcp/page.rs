//! `docs/kubectl.md`: made from the command line's definition. `make generate` writes it, by running
//! this with `UPDATE_DOCS=1`.

use std::{fmt::Write, fs};

use clap::{Arg, Command};

use crate::root;

const HEAD: &str = "\
# Reference of kubectl lmcp

`make generate` makes this page from the program. `kubectl lmcp COMMAND --help` prints the same.
[Commands](commands.md) shows examples. The operator's image has the same commands, under the name
`lenses-mcp-operator`.

";

#[test]
fn the_reference_of_kubectl_lmcp_has_every_command_and_option() {
    let mut plugin = lenses_mcp_operator::cli::plugin();
    plugin.build();
    let mut page = HEAD.to_owned();
    let shown = plugin.get_subcommands().filter(|command| !command.is_hide_set());
    for command in shown.filter(|command| command.get_name() != "help") {
        write_command(&mut page, command);
    }
    let path = root().join("docs/kubectl.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, page).unwrap();
    } else {
        let committed = fs::read_to_string(path).unwrap_or_default();
        assert!(committed == page, "docs/kubectl.md is out of date: run `make generate`");
    }
}

fn write_command(page: &mut String, command: &Command) {
    let about = command.get_long_about().or(command.get_about()).unwrap().to_string();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    writeln!(page, "## {}\n\n{about}\n\n```text\n{usage}\n```\n", command.get_name()).unwrap();
    let arguments = command.get_arguments().filter(|argument| {
        !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str())
    });
    let rows: Vec<_> = arguments.map(row).collect();
    if !rows.is_empty() {
        writeln!(page, "| argument | default | meaning |\n|---|---|---|").unwrap();
        writeln!(page, "{}\n", rows.join("\n")).unwrap();
    }
    while page.ends_with("\n\n\n") {
        page.pop();
    }
}

fn row(argument: &Arg) -> String {
    let value = argument.get_value_names().unwrap_or_default().first().map(ToString::to_string);
    let value = value.filter(|_| argument.get_action().takes_values());
    let mut names = Vec::new();
    names.extend(argument.get_short().map(|short| format!("`-{short}`")));
    let name = argument.get_long().map(|long| match &value {
        Some(value) => format!("`--{long} {value}`"),
        None => format!("`--{long}`"),
    });
    names.extend(name.or_else(|| value.map(|value| format!("`{value}`"))));
    let defaults = argument.get_default_values().iter();
    let defaults: Vec<_> = defaults
        .map(|default| default.to_string_lossy())
        .filter(|default| !default.is_empty() && argument.get_action().takes_values())
        .map(|default| format!("`{default}`"))
        .collect();
    let help = argument.get_long_help().or(argument.get_help()).unwrap().to_string();
    let mut help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let values: Vec<_> = argument
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !help.ends_with('.') {
        help.push('.');
    }
    if !values.is_empty() && argument.get_action().takes_values() {
        write!(help, " One of {}.", values.join(", ")).unwrap();
    }
    if let Some(variable) = argument.get_env() {
        write!(help, " Environment variable: `{}`.", variable.to_string_lossy()).unwrap();
    }
    format!("| {} | {} | {} |", names.join(", "), defaults.join(", "), help.replace('|', "\\|"))
}
