//! The completions of a word, in the form in which kubectl reads them from a plugin: a candidate a
//! line, a tab before its description, and at the end a directive of the library Cobra.

use std::ffi::OsString;

use clap::{Arg, Command};

/// The command by which `kubectl_complete-lmcp` asks.
pub(super) const COMMAND: &str = "__complete";

/// Cobra's directive "complete no file names" and "complete file names".
const NO_FILES: u8 = 4;
const FILES: u8 = 0;

/// What the last of `words` can be completed to.
pub(super) fn candidates(mut definition: Command, words: &[OsString]) -> String {
    definition.build();
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let Some((last, before)) = words.split_last() else { return directive(NO_FILES) };
    let mut command = &definition;
    for word in before {
        command = command.find_subcommand(word.as_ref()).unwrap_or(command);
    }
    let takes_value = before.last().and_then(|word| option(command, word));
    let (found, files) = match takes_value {
        Some(argument) => {
            let values = argument.get_possible_values();
            let is_file = values.is_empty();
            let values = values.iter().map(|value| {
                let help = value.get_help().map(ToString::to_string).unwrap_or_default();
                (value.get_name().to_owned(), help)
            });
            (values.collect(), is_file)
        }
        None if last.starts_with('-') => (options(command), false),
        None => (subcommands(command), !command.has_subcommands()),
    };
    let fits = found.iter().filter(|(name, _)| name.starts_with(last.as_ref()));
    let lines: String = fits.flat_map(|(name, help)| [name, "\t", help, "\n"]).collect();
    lines + &directive(if files { FILES } else { NO_FILES })
}

fn directive(number: u8) -> String {
    format!(":{number}\n")
}

/// The option that `word` is, if it takes a value.
fn option<'a>(command: &'a Command, word: &str) -> Option<&'a Arg> {
    let is = |argument: &&Arg| {
        argument.get_long().is_some_and(|long| word == format!("--{long}"))
            || argument.get_short().is_some_and(|short| word == format!("-{short}"))
    };
    command.get_arguments().find(is).filter(|argument| argument.get_action().takes_values())
}

fn options(command: &Command) -> Vec<(String, String)> {
    let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let named = shown.filter_map(|argument| {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        Some((format!("--{}", argument.get_long()?), help))
    });
    named.collect()
}

fn subcommands(command: &Command) -> Vec<(String, String)> {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    let named = shown.map(|command| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        (command.get_name().to_owned(), about)
    });
    named.collect()
}
