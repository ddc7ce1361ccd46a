//! SQL as tokens: just enough to tell what a text does, with quotes and comments told apart from words.
//!
//! Lenses' own lexer is not public. Where two reasonable lexers would read a text differently, one could see a string
//! where the other sees a statement; such a text is [`Ambiguous`], and its caller is asked for every scope.

/// One token that matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// An unquoted word or number, in ASCII upper case.
    Word(String),
    /// A string or a quoted name; its content does not matter.
    Quoted,
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
pub(super) struct Ambiguous;

/// Splits `sql` into tokens.
pub(super) fn tokens(sql: &str) -> Result<Vec<Token>, Ambiguous> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        rest = if let Some(comment) = rest.strip_prefix("--") {
            after_line_comment(comment)?
        } else if let Some(comment) = rest.strip_prefix("/*") {
            after_block_comment(comment)?
        } else if matches!(first, '\'' | '"' | '`') {
            tokens.push(Token::Quoted);
            after_quoted(rest.get(1..).unwrap_or_default(), first)?
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            tokens.push(Token::Word(word.to_ascii_uppercase()));
            after
        } else {
            match first {
                '(' => tokens.push(Token::Open),
                ')' => tokens.push(Token::Close),
                ';' => tokens.push(Token::Semicolon),
                // A comment in one dialect, an escape in another.
                '#' | '\\' => return Err(Ambiguous),
                c if c.is_whitespace() => {}
                c => tokens.push(Token::Other(c)),
            }
            rest.get(first.len_utf8()..).unwrap_or_default()
        };
    }
    Ok(tokens)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// What follows a comment to the end of the line. Some dialects want white space after `--` and take the rest for
/// arithmetic otherwise: it makes no difference only while the rest holds nothing that opens or ends anything.
fn after_line_comment(comment: &str) -> Result<&str, Ambiguous> {
    let end = comment.find(['\n', '\r']).unwrap_or(comment.len());
    let (comment, after) = comment.split_at(end);
    let is_plain = comment.is_empty() || comment.starts_with(char::is_whitespace);
    if !is_plain && comment.contains(['\'', '"', '`', ';', '/', '\\']) {
        return Err(Ambiguous);
    }
    Ok(after)
}

/// What follows a block comment. Some dialects nest them, and some run those that begin with `!` or `+`.
fn after_block_comment(comment: &str) -> Result<&str, Ambiguous> {
    let (comment, after) = comment.split_once("*/").ok_or(Ambiguous)?;
    if comment.contains("/*") || comment.starts_with(['!', '+']) {
        return Err(Ambiguous);
    }
    Ok(after)
}

/// What follows a quoted text. A doubled quote inside reads as two quoted texts side by side, which is all the same
/// here. A backslash before a quote ends the text in one dialect and not in another.
fn after_quoted(text: &str, quote: char) -> Result<&str, Ambiguous> {
    let (quoted, after) = text.split_once(quote).ok_or(Ambiguous)?;
    if quoted.ends_with('\\') {
        return Err(Ambiguous);
    }
    Ok(after)
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
            ("--drop\rselect", vec!["SELECT"]),
            ("/* drop\n; */select/**/x", vec!["SELECT", "X"]),
            ("'drop; --' select", vec!["SELECT"]),
            (r#""drop" select `kill`"#, vec!["SELECT"]),
            ("'it''s; drop' select", vec!["SELECT"]),
            ("'/*' select '*/'", vec!["SELECT"]),
            ("'' select", vec!["SELECT"]),
            ("größe ſelect", vec!["GRößE", "ſELECT"]),
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
        ] {
            assert_eq!(tokens(sql), Err(Ambiguous), "{sql}");
        }
    }
}
