//! What a statement does and to which tables, for the record of who did what.
//!
//! It is a record and no check: what a statement needs is decided in [`super::required_scopes`]. A
//! text in quotes is a name only in double quotes or backticks, so that no value is recorded. Of an
//! ambiguous text, only what stands before the ambiguity is read.

use std::{borrow::Cow, ops::Range};

use super::{MAX_CHARACTERS, Token, tokens::scan, with_tables};

/// Most classes that are recorded.
const CLASSES_MAX: usize = 8;
const OTHER: &str = "OTHER";
const AMBIGUOUS: &str = "AMBIGUOUS";

const VERBS: &[&str] = &[
    "SELECT", "SHOW", "DESCRIBE", "DESC", "SET", "USE", "EXPLAIN", "WITH", "INSERT", "UPSERT",
    "UPDATE", "CREATE", "ALTER", "DELETE", "DROP", "TRUNCATE", "KILL", "MERGE", "REPLACE",
];
/// Words before a table's name.
const BEFORE_TABLE: &[&str] =
    &["FROM", "JOIN", "INTO", "TABLE", "UPDATE", "TRUNCATE", "DESCRIBE", "DESC"];
/// Words between those and the name.
const SKIPPED: &[&str] =
    &["TABLE", "IF", "NOT", "EXISTS", "OVERWRITE", "FORMATTED", "EXTENDED", "STREAM", "ONLY"];
/// Words that are no table's name.
const NO_TABLE: &[&str] = &["SELECT", "VALUES", "WHERE", "SET", "AS", "ON", "FROM", "INTO"];

type Placed = (Token, Range<usize>);

/// The classes of the statements in `sql`; each table that they name is given to `table`.
pub(in crate::tools) fn mentions<'a>(
    sql: &'a str,
    mut table: impl FnMut(Cow<'a, str>),
) -> Vec<&'static str> {
    let mut classes = Vec::new();
    if sql.chars().nth(MAX_CHARACTERS).is_some() {
        // It will never run: the argument is refused.
        return classes;
    }
    let mut tokens = Vec::new();
    let ambiguous = scan(sql, |token, place| {
        // A string, and so a value.
        let is_string = sql.as_bytes().get(place.start) == Some(&b'\'');
        tokens.push((if is_string { Token::Other('\'') } else { token }, place));
    })
    .is_err();
    for statement in tokens.split(|(token, _)| *token == Token::Semicolon) {
        if !statement.is_empty() {
            classify(statement, &mut classes);
            tables(sql, statement, &mut table);
        }
    }
    if ambiguous {
        // It is worth more than the last of many others.
        classes.truncate(CLASSES_MAX - 1);
        classes.push(AMBIGUOUS);
    }
    classes
}

fn classify(statement: &[Placed], classes: &mut Vec<&'static str>) {
    let tokens: Vec<_> = statement.iter().map(|(token, _)| token.clone()).collect();
    let mut add = |class| {
        if classes.len() < CLASSES_MAX && !classes.contains(&class) {
            classes.push(class);
        }
    };
    let mut rest = &tokens[..];
    loop {
        match rest {
            [Token::Open, after @ ..] => rest = after,
            [Token::Word(verb), after @ ..] => {
                let class = class_of(verb).unwrap_or(OTHER);
                add(class);
                rest = match class {
                    "EXPLAIN" => after,
                    "WITH" => with_tables(after).map_or(&[][..], |(_, after)| after),
                    _ => break,
                };
            }
            [] => break,
            _ => {
                add(OTHER);
                break;
            }
        }
    }
    // A change inside a query.
    for window in tokens.windows(3) {
        if let [Token::Open, Token::Word(verb), Token::Word(_) | Token::Quoted(_)] = window
            && let Some(class) = class_of(verb)
        {
            add(class);
        }
    }
}

fn class_of(verb: &str) -> Option<&'static str> {
    VERBS.iter().find(|known| **known == verb).copied()
}

fn tables<'a>(sql: &'a str, statement: &[Placed], table: &mut impl FnMut(Cow<'a, str>)) {
    let mut position = 0;
    while let Some(at) = statement.get(position..).and_then(|rest| rest.iter().position(before)) {
        position += at + 1;
        while statement.get(position).is_some_and(|(token, _)| is_one_of(token, SKIPPED)) {
            position += 1;
        }
        while let Some(end) = name_end(statement, position) {
            let (Some((_, first)), Some((_, last))) =
                (statement.get(position), statement.get(end - 1))
            else {
                return;
            };
            let written = sql.get(first.start..last.end).unwrap_or_default();
            table(if written.contains(['`', '"']) {
                written.replace(['`', '"'], "").into()
            } else {
                written.into()
            });
            position = end;
            // `FROM a, b` and `FROM a AS x, b y`.
            let alias = statement.get(position..).unwrap_or_default().iter().map(|(it, _)| it);
            let comma = alias.take(3).position(|token| *token == Token::Other(','));
            let Some(comma) = comma else { break };
            let is_alias = |(token, _): &Placed| matches!(token, Token::Word(_) | Token::Quoted(_));
            let aliases = statement.get(position..position + comma).unwrap_or_default();
            if !aliases.iter().all(is_alias) {
                break;
            }
            position += comma + 1;
        }
    }
}

fn before((token, _): &Placed) -> bool {
    is_one_of(token, BEFORE_TABLE)
}

fn is_one_of(token: &Token, words: &[&str]) -> bool {
    matches!(token, Token::Word(word) if words.contains(&word.as_str()))
}

/// Where the name ends that begins at `start`: parts with `.` or `-` and nothing else between them.
fn name_end(statement: &[Placed], start: usize) -> Option<usize> {
    match statement.get(start)? {
        (Token::Quoted(_), _) => {}
        // A number is a value.
        (Token::Word(word), _)
            if !word.starts_with(|c: char| c.is_ascii_digit())
                && !NO_TABLE.contains(&word.as_str()) => {}
        _ => return None,
    }
    let mut end = start + 1;
    while let Some(
        [(_, before), (Token::Other('.' | '-'), dot), (Token::Word(_) | Token::Quoted(_), after)],
    ) = statement.get(end - 1..end + 2)
        && before.end == dot.start
        && dot.end == after.start
    {
        end += 2;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_names_its_verbs_and_tables_and_no_value() {
        for (sql, classes, tables) in [
            ("DROP TABLE payments", &["DROP"][..], &["payments"][..]),
            ("drop table if exists `a-b`.`c`", &["DROP"], &["a-b.c"]),
            ("TRUNCATE TABLE Orders", &["TRUNCATE"], &["Orders"]),
            ("TRUNCATE orders", &["TRUNCATE"], &["orders"]),
            ("DELETE FROM t WHERE k = 'secret'", &["DELETE"], &["t"]),
            ("INSERT INTO t(k) VALUES ('from alice')", &["INSERT"], &["t"]),
            ("UPDATE t SET a = 'x' WHERE b = 1", &["UPDATE"], &["t"]),
            ("ALTER TABLE eu.pay-ments DROP COLUMN c", &["ALTER"], &["eu.pay-ments"]),
            (
                "SELECT * FROM a x, b AS y, `c` JOIN d ON x.i = d.i",
                &["SELECT"],
                &["a", "b", "c", "d"],
            ),
            ("SELECT * FROM a LIMIT 10, 20", &["SELECT"], &["a"]),
            ("INSERT INTO t SELECT STREAM * FROM u", &["INSERT"], &["t", "u"]),
            ("CREATE TABLE a AS SELECT 1 FROM \"b\"", &["CREATE"], &["a", "b"]),
            ("SELECT 1; DROP TABLE t", &["SELECT", "DROP"], &["t"]),
            ("EXPLAIN (DELETE FROM t)", &["EXPLAIN", "DELETE"], &["t"]),
            ("WITH x AS (DELETE FROM t) SELECT 1", &["WITH", "SELECT", "DELETE"], &["t"]),
            ("SHOW TABLES", &["SHOW"], &[]),
            ("DESCRIBE TABLE t", &["DESCRIBE"], &["t"]),
            ("DESC t", &["DESC"], &["t"]),
            ("KILL QUERY 7", &["KILL"], &[]),
            ("FROBNICATE t", &["OTHER"], &[]),
            ("SELECT extract(DAY FROM 'secret'), substr(a FROM 5)", &["SELECT"], &[]),
            ("SELECT * FROM 'secret'", &["SELECT"], &[]),
            ("DROP TABLE t; SELECT 'a\\' FROM secret'", &["DROP", "SELECT", "AMBIGUOUS"], &["t"]),
            ("'secret", &["AMBIGUOUS"], &[]),
            ("'secret'", &["OTHER"], &[]),
            ("-- DROP TABLE t", &[], &[]),
            ("", &[], &[]),
        ] {
            let mut named = Vec::new();
            let found = mentions(sql, |table| named.push(table.into_owned()));
            assert_eq!(
                (&found[..], &named[..]),
                (classes, &tables.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>()[..]),
                "{sql}"
            );
        }
    }
}
