//! Files of environment variables: docker's, and those that the Python server loads.

use super::variables::{Source, Variable};

/// The variables of a file; each key says where it stands.
pub(super) fn variables(text: &str, file: &str) -> Vec<Variable> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let variables = lines.map(|line| {
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        let (name, source) = match line.split_once('=') {
            Some((name, value)) => (name.trim_end(), Source::Value(unquoted(value.trim_start()))),
            None => (line, Source::Shell),
        };
        Variable { name: name.to_owned(), key: format!("{file}: {name}"), source }
    });
    variables.collect()
}

/// Without quotes, or without a comment behind a value that has none.
fn unquoted(value: &str) -> String {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote))
        {
            return inside.to_owned();
        }
    }
    let end = value.find(" #").unwrap_or(value.len());
    value.get(..end).unwrap_or(value).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_docker_and_dotenv_read_them() {
        let text = "# comment\n\nA=1\nexport B='x y' # c\nC=\"a#b\"\nD=a #c\nE\n F = g=h \r\n";
        let read: Vec<_> = variables(text, ".env")
            .into_iter()
            .map(|variable| (variable.name, variable.key, variable.source))
            .collect();
        let value = |name: &str, value: &str| {
            (name.to_owned(), format!(".env: {name}"), Source::Value(value.to_owned()))
        };
        let shell = ("E".to_owned(), ".env: E".to_owned(), Source::Shell);
        assert_eq!(
            read,
            [
                value("A", "1"),
                value("B", "x y"),
                value("C", "a#b"),
                value("D", "a"),
                shell,
                value("F", "g=h")
            ]
        );
    }
}
