//! SQL as tokens: just enough to tell what a text does, with quotes and comments told apart from
//! words.
//!
//! Lenses' own lexer is not public. Where two reasonable lexers would read a text differently, one
//! could see a string where the other sees a statement; such a text is [`Ambiguous`], and its
//! caller is asked for every scope.

use std::ops::Range;

/// One token that matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tools) enum Token {
    /// An unquoted word or number, in upper case: `ı` and `ſ` are `I` and `S` there, as some lexers
    /// read them.
    Word(String),
    /// What stands in quotes: a string or a name.
    Quoted(String),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `;`
    Semicolon,
    /// Any other character.
    Other(char),
}

/// A text that lexers may read differently, or that ends inside a string or comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tools) struct Ambiguous;

/// Splits `sql` into tokens.
pub(in crate::tools) fn tokens(sql: &str) -> Result<Vec<Token>, Ambiguous> {
    let mut tokens = Vec::new();
    scan(sql, |token, _| tokens.push(token))?;
    Ok(tokens)
}

/// Gives each token of `sql` to `found`, with its place, up to where the text is ambiguous.
pub(super) fn scan(sql: &str, mut found: impl FnMut(Token, Range<usize>)) -> Result<(), Ambiguous> {
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let start = sql.len() - rest.len();
        let mut token = None;
        rest = if let Some(comment) = rest.strip_prefix("--") {
            after_line_comment(comment)?
        } else if let Some(comment) = rest.strip_prefix("/*") {
            after_block_comment(comment)?
        } else if rest.starts_with("//") {
            // A comment in one dialect, two divisions in another.
            return Err(Ambiguous);
        } else if matches!(first, '\'' | '"' | '`') {
            let (quoted, after) = quoted(rest.get(1..).unwrap_or_default(), first)?;
            token = Some(Token::Quoted(quoted.to_owned()));
            after
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            token = Some(Token::Word(word.to_lowercase().to_uppercase()));
            after
        } else {
            token = match first {
                '(' => Some(Token::Open),
                ')' => Some(Token::Close),
                ';' => Some(Token::Semicolon),
                // A comment, an escape or a quote in one dialect, something else in another.
                '#' | '\\' | '$' => return Err(Ambiguous),
                c if c.is_whitespace() => None,
                c => Some(Token::Other(c)),
            };
            rest.get(first.len_utf8()..).unwrap_or_default()
        };
        if let Some(token) = token {
            found(token, start..sql.len() - rest.len());
        }
    }
    Ok(())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What follows a comment to the end of the line. Dialects differ in which characters besides a
/// line feed end a line. Some want white space after `--` and take the rest for arithmetic
/// otherwise: it makes no difference only while the rest holds nothing that opens or ends anything.
fn after_line_comment(comment: &str) -> Result<&str, Ambiguous> {
    let (comment, after) = comment.split_once('\n').unwrap_or((comment, ""));
    let comment = comment.strip_suffix('\r').unwrap_or(comment);
    if comment.contains(['\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
        return Err(Ambiguous);
    }
    let is_plain = comment.is_empty() || comment.starts_with(char::is_whitespace);
    if !is_plain && comment.contains(['\'', '"', '`', ';', '/', '\\']) {
        return Err(Ambiguous);
    }
    Ok(after)
}

/// What follows a block comment. Some dialects nest them, some run those that begin with `!` or
/// `+`, and some take `/*/` for a whole one.
fn after_block_comment(comment: &str) -> Result<&str, Ambiguous> {
    let (comment, after) = comment.split_once("*/").ok_or(Ambiguous)?;
    if comment.contains("/*") || comment.starts_with(['!', '+', '/']) {
        return Err(Ambiguous);
    }
    Ok(after)
}

/// A quoted text and what follows it. A doubled quote inside reads as two quoted texts side by
/// side, which is all the same here. A backslash before a quote ends the text in one dialect and
/// not in another.
fn quoted(text: &str, quote: char) -> Result<(&str, &str), Ambiguous> {
    let (quoted, after) = text.split_once(quote).ok_or(Ambiguous)?;
    if quoted.ends_with('\\') {
        return Err(Ambiguous);
    }
    Ok((quoted, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sql: &str) -> Result<Vec<String>, Ambiguous> {
        Ok(tokens(sql)?
            .into_iter()
            .filter_map(|token| match token {
                Token::Word(word) => Some(word),
                _ => None,
            })
            .collect())
    }

    #[test]
    fn comments_and_quotes_hide_their_words() {
        for (sql, expected) in [
            ("select a", vec!["SELECT", "A"]),
            ("-- drop\nselect", vec!["SELECT"]),
            ("--drop\r\nselect", vec!["SELECT"]),
            ("/* drop\n; */select/**/x", vec!["SELECT", "X"]),
            ("'drop; --' select", vec!["SELECT"]),
            (r#""drop" select `kill`"#, vec!["SELECT"]),
            ("'it''s; drop' select", vec!["SELECT"]),
            ("'/*' select '*/'", vec!["SELECT"]),
            ("'' select", vec!["SELECT"]),
            ("größe ſelect ınto \u{212a}ill", vec!["GRÖSSE", "SELECT", "INTO", "KILL"]),
            ("a-b 1.5", vec!["A", "B", "1", "5"]),
        ] {
            assert_eq!(words(sql).unwrap(), expected, "{sql}");
        }
    }

    #[test]
    fn what_dialects_read_differently_is_ambiguous() {
        for sql in [
            "select 'open",
            "select \"open",
            "select `open",
            "/* open",
            "/* /* nested */ */",
            "/*! drop */ select 1",
            "/*+ hint */ select 1",
            r"select 'a\' ; drop table x; --'",
            r"select \; drop",
            "select 1 # comment",
            "select 1 --1; drop table x",
            "select 1 --'\n; drop table x --'",
            "select 1 -- x\r'\n; drop table x --'",
            "select 1 -- \u{2028}; drop table x",
            "select 1 -- \u{b}; drop table x",
            "select 1 // '\n; drop table x --'",
            "select $$ ' $$; drop table x --'",
            "/*/ drop */ select 1",
        ] {
            assert_eq!(tokens(sql), Err(Ambiguous), "{sql}");
        }
    }
}
