//! A `docker run` command: its variables, its memory, and what a cluster has in place of the rest.

mod options;

use std::{io, path::Path};

use serde_json::json;

use self::options::{DROPPED, FLAGS, OPEN};
use super::{
    conversion::Conversion,
    env_file, environment, steps,
    variables::{Origin, Source, Variable},
};

/// Why a command cannot be converted.
#[derive(Debug, thiserror::Error)]
pub(super) enum DockerError {
    #[error("--docker has a quote without an end: give the whole command in one pair of quotes")]
    Quotes,
    #[error("--docker is not a `docker run` command: give one, in quotes")]
    NotRun,
    #[error("--docker: the option {0} is not known: leave it out")]
    Option(String),
    #[error("--docker: {0} has no value")]
    NoValue(String),
    #[error("--docker names no image")]
    NoImage,
    #[error(
        "--docker runs {0}, which is neither lensesio/mcp nor lensesio/lenses-mcp-server: if it is \
         a mirror, write the image's own name"
    )]
    Image(String),
    #[error("--docker: failed to read {path} (--env-file): {source}")]
    EnvFile { path: String, source: io::Error },
}

/// What the options say.
#[derive(Default)]
struct Run {
    variables: Vec<Variable>,
    /// Path on the machine and path in the container.
    mounts: Vec<(String, String)>,
}

type Read<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

pub(super) fn convert(
    conversion: &mut Conversion,
    command: &str,
    read: Read<'_>,
) -> Result<(), DockerError> {
    let command = command.replace("\\\r\n", " ").replace("\\\n", " ");
    let words = shlex::split(&command).ok_or(DockerError::Quotes)?;
    let is_run = |words: &[String]| {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["docker" | "podman" | "nerdctl", "run", ..] => Some(2),
            ["docker", "container", "run", ..] => Some(3),
            _ => None,
        }
    };
    let start = is_run(&words).ok_or(DockerError::NotRun)?;
    let mut words = words.into_iter().skip(start);
    let mut run = Run::default();
    let image = loop {
        let word = words.next().ok_or(DockerError::NoImage)?;
        if !word.starts_with('-') {
            break word;
        }
        option(conversion, &mut run, &word, &mut words, read)?;
    };
    let name = image.split(['@', ':']).next().unwrap_or_default();
    if !["lensesio/mcp", "lensesio/lenses-mcp-server"].iter().any(|known| name.ends_with(known)) {
        return Err(DockerError::Image(image));
    }
    conversion.drop_key(image, "the operator has the image of its own version");
    let arguments: Vec<_> = words.collect();
    if !arguments.is_empty() {
        conversion.leave_open("the command's arguments", "the operator starts the server");
    }
    for variable in &mut run.variables {
        on_machine(variable, &run.mounts);
    }
    environment::convert(conversion, run.variables, &Origin::Container);
    steps::of_container(conversion);
    Ok(())
}

fn option(
    conversion: &mut Conversion,
    run: &mut Run,
    word: &str,
    words: &mut impl Iterator<Item = String>,
    read: Read<'_>,
) -> Result<(), DockerError> {
    if FLAGS.contains(&word) || is_flags(word) {
        return Ok(());
    }
    let (name, value) = match word.split_once('=') {
        Some((name, value)) if word.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
        _ if !word.starts_with("--") && word.len() > 2 && word.is_char_boundary(2) => {
            let (name, value) = word.split_at(2);
            (name.to_owned(), Some(value.trim_start_matches('=').to_owned()))
        }
        _ => (word.to_owned(), None),
    };
    // A flag may be given as --rm=true.
    if FLAGS.contains(&name.as_str()) {
        return Ok(());
    }
    let known = |list: &[(&str, &'static str)]| {
        list.iter().find(|(known, _)| *known == name).map(|(_, why)| *why)
    };
    let mut value =
        || value.clone().or_else(|| words.next()).ok_or_else(|| DockerError::NoValue(name.clone()));
    match name.as_str() {
        "-e" | "--env" => run.variables.push(variable(&value()?)),
        "--env-file" => {
            let path = value()?;
            let text = read(Path::new(&path))
                .map_err(|source| DockerError::EnvFile { path: path.clone(), source })?;
            run.variables.extend(env_file::variables(&text, &path));
        }
        "-v" | "--volume" => {
            let value = value()?;
            let mut parts = value.split(':');
            if let (Some(machine), Some(container)) = (parts.next(), parts.next()) {
                run.mounts.push((machine.to_owned(), container.to_owned()));
            }
        }
        "-m" | "--memory" => memory(conversion, &value()?),
        "--cpus" => {
            conversion.set("resources.limits.cpu", value()?);
        }
        _ => match (known(&DROPPED), known(&OPEN)) {
            (Some(why), _) => {
                value()?;
                conversion.drop_key(name, why);
            }
            (None, Some(what)) => {
                value()?;
                conversion.leave_open(name, what);
            }
            (None, None) => return Err(DockerError::Option(name)),
        },
    }
    Ok(())
}

/// Several flags in one word, such as `-it`.
fn is_flags(word: &str) -> bool {
    let letters = word.strip_prefix('-').unwrap_or_default();
    !letters.is_empty() && letters.chars().all(|letter| "dit".contains(letter))
}

fn variable(text: &str) -> Variable {
    let (name, source) = match text.split_once('=') {
        Some((name, value)) => (name, Source::Value(value.to_owned())),
        None => (text, Source::Shell),
    };
    Variable { name: name.to_owned(), key: format!("-e {name}"), source }
}

/// A file of the container is on the machine where it is mounted from.
fn on_machine(variable: &mut Variable, mounts: &[(String, String)]) {
    let Source::Value(path) = &mut variable.source else { return };
    let is_file = variable.name.ends_with("_FILE") || variable.name.ends_with("_BUNDLE");
    let mount = mounts.iter().find_map(|(machine, container)| {
        let rest = path.strip_prefix(container.as_str())?;
        (rest.is_empty() || rest.starts_with('/') || container.ends_with('/'))
            .then(|| format!("{machine}{rest}"))
    });
    if let (true, Some(on_machine)) = (is_file, mount) {
        *path = on_machine;
    }
}

/// Docker's units are powers of two.
fn memory(conversion: &mut Conversion, text: &str) {
    let lower = text.to_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match lower.strip_prefix(digits) {
        Some("" | "b") => "",
        Some("k" | "kb") => "Ki",
        Some("m" | "mb") => "Mi",
        Some("g" | "gb") => "Gi",
        _ => return conversion.leave_open("--memory", "write spec.resources.limits.memory"),
    };
    conversion.set("resources.limits", json!({ "memory": format!("{digits}{unit}") }));
}
