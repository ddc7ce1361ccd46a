//! The commands of this program: each that a page shows can be read, and those that need no cluster
//! print what is shown.

use std::{path::Path, process::Command};

use clap::error::ErrorKind;
use lenses_mcp_operator::cli;

use crate::blocks::{self, root};

/// What names this file above a block.
const THIS: &str = "operator/tests/docs/commands.rs";

/// The commands that a page has, as `(place, command)`: those in a block, after `$ ` if a line has
/// it, since output follows then, and those in code spans.
fn commands() -> Vec<(String, String)> {
    let mut commands = blocks::spans();
    for block in blocks::all() {
        if !["sh", "console"].contains(&block.language.as_str()) {
            continue;
        }
        let whole = block.text.replace("\\\n", " ");
        let prompted = whole.lines().any(|line| line.starts_with("$ "));
        let lines = whole
            .lines()
            .filter_map(|line| if prompted { line.strip_prefix("$ ") } else { Some(line) });
        commands.extend(lines.map(|line| (block.place(), line.to_owned())));
    }
    commands
}

#[test]
fn every_command_of_this_program_has_arguments_that_it_takes() {
    let mut read = 0;
    for (place, line) in commands() {
        let parts = line.split(" | ").filter_map(|part| {
            // The first word is the name of the program.
            let lmcp = part.strip_prefix("kubectl ").filter(|rest| rest.starts_with("lmcp "));
            lmcp.or_else(|| part.starts_with("lenses-mcp-operator ").then_some(part))
        });
        // Where the text speaks of any command.
        for part in parts.filter(|part| !part.contains(" COMMAND")) {
            let part = part.split(" >").next().unwrap();
            let part = part.replace("NAMESPACE", "namespace").replace("NAME", "name");
            let words = shlex::split(&part).unwrap_or_else(|| panic!("{place}: {part}"));
            let refused = cli::plugin().try_get_matches_from(words).err().filter(|error| {
                // The text may name a command without its arguments.
                !matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::DisplayHelp)
            });
            assert!(refused.is_none(), "{place}: {line}: {}", refused.unwrap());
            read += 1;
        }
    }
    assert!(read >= 30, "{read} were read");
}

#[test]
fn commands_without_a_cluster_print_what_the_pages_show() {
    let program = Path::new(env!("CARGO_BIN_EXE_lenses-mcp-operator"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let mut run = 0;
    for block in blocks::all().iter().filter(|block| block.test.as_deref() == Some(THIS)) {
        let (command, shown) = block.text.split_once('\n').unwrap();
        let command = command.strip_prefix("$ ").unwrap_or_else(|| panic!("{}", block.place()));
        let mut shell = Command::new("sh");
        // Both outputs, as a terminal shows them.
        shell.args(["-c", &format!("{command} 2>&1")]);
        let output = shell.current_dir(root()).env_clear().env("PATH", &path).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}: {printed}", block.place());
        if !shown.is_empty() {
            assert_eq!(printed, shown, "{}", block.place());
        }
        run += 1;
    }
    assert!(run >= 3, "{run} were run");
}
