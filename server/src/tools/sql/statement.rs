//! What a statement does, and so which scopes it needs.
//!
//! | statement | scopes |
//! |---|---|
//! | `SELECT`, `SHOW`, `DESCRIBE`, `DESC` | read |
//! | `SET`, `USE` | read: they only set up the connection of this one query |
//! | `EXPLAIN …` | read and what the explained statement needs |
//! | `WITH …` | read and what follows its tables |
//! | `INSERT`, `UPSERT`, `UPDATE`, `CREATE` | write; and read where a `SELECT` feeds them |
//! | `ALTER` | write; and delete where it drops something |
//! | `DELETE`, `DROP`, `TRUNCATE`, `KILL` | delete; and read where a `SELECT` picks what |
//! | several with `;` between them | all that any of them needs |
//! | anything else, or a text that can be read in two ways | all three |
//!
//! Lenses' permissions hold beneath this: a scope never gives a right that the user lacks.

use super::tokens::{Token, tokens};
use crate::scope::{Scope, ScopeSet};

/// The scopes that running `sql` needs. Never empty.
pub(in crate::tools) fn required_scopes(sql: &str) -> ScopeSet {
    let Ok(tokens) = tokens(sql) else { return ScopeSet::ALL };
    let scopes = tokens
        .split(|token| *token == Token::Semicolon)
        .filter(|statement| !statement.is_empty())
        .map(of_statement)
        .fold(ScopeSet::NONE, ScopeSet::union);
    // Nothing but comments: Lenses will refuse it, whatever it is.
    if scopes.is_empty() { Scope::Read.into() } else { scopes }
}

fn of_statement(statement: &[Token]) -> ScopeSet {
    // Parentheses around a whole statement change nothing.
    let start = statement.iter().position(|token| *token != Token::Open).unwrap_or(0);
    let statement = statement.get(start..).unwrap_or_default();
    let Some(Token::Word(verb)) = statement.first() else { return ScopeSet::ALL };
    let rest = statement.get(1..).unwrap_or_default();
    let own = match verb.as_str() {
        "SELECT" | "SHOW" | "DESCRIBE" | "DESC" | "SET" | "USE" => Scope::Read.into(),
        "WITH" => ScopeSet::from(Scope::Read).union(after_with(rest)),
        "EXPLAIN" => return ScopeSet::from(Scope::Read).union(of_statement(rest)),
        "ALTER" if has_word(rest, "DROP") => [Scope::Write, Scope::Delete].into_iter().collect(),
        "INSERT" | "UPSERT" | "UPDATE" | "CREATE" | "ALTER" => Scope::Write.into(),
        "DELETE" | "DROP" | "TRUNCATE" | "KILL" => Scope::Delete.into(),
        _ => return ScopeSet::ALL,
    };
    own.union(inside(rest))
}

/// What a query inside a statement adds: `… AS SELECT`, `INSERT INTO t SELECT`, `WHERE x IN (SELECT …)`. A verb that
/// changes something counts too, where it stands as a statement does: after `(`, with a word or a quoted name after it.
fn inside(tokens: &[Token]) -> ScopeSet {
    let nested = tokens.windows(3).filter_map(|window| match window {
        [Token::Open, Token::Word(verb), Token::Word(_) | Token::Quoted] => Some(changes(verb)),
        _ => None,
    });
    let reads = if has_word(tokens, "SELECT") { Scope::Read.into() } else { ScopeSet::NONE };
    nested.fold(reads, ScopeSet::union)
}

/// What follows the tables of a `WITH`: the statement after the `)` that ends the last of them. `WITH t AS (…)` alone
/// only names a query.
fn after_with(tokens: &[Token]) -> ScopeSet {
    let mut depth = 0_usize;
    let mut scopes = ScopeSet::NONE;
    for (position, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close => {
                depth = depth.saturating_sub(1);
                if let (0, Some(Token::Word(verb))) = (depth, tokens.get(position + 1)) {
                    scopes = scopes.union(changes(verb));
                }
            }
            _ => {}
        }
    }
    scopes
}

/// What a verb in the middle of a statement needs beyond reading.
fn changes(verb: &str) -> ScopeSet {
    match verb {
        "INSERT" | "UPSERT" | "UPDATE" | "CREATE" | "ALTER" | "MERGE" | "REPLACE" => Scope::Write.into(),
        "DELETE" | "DROP" | "TRUNCATE" | "KILL" => Scope::Delete.into(),
        _ => ScopeSet::NONE,
    }
}

fn has_word(tokens: &[Token], wanted: &str) -> bool {
    tokens.iter().any(|token| matches!(token, Token::Word(word) if word == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_needs_the_scopes_of_its_class() {
        for (scopes, statements) in [
            (
                "read",
                &[
                    "SELECT * FROM orders",
                    "select stream a from t where b = 'DROP TABLE x'",
                    "  \n-- first\nSELECT 1;",
                    "/* DROP TABLE x; */ SELECT 1 ; ; ",
                    "SET max.size='1m'; SET live.aggs=true; SELECT * FROM t",
                    "SET max.size='1m'",
                    "USE `kafka`; SHOW TABLES",
                    "SHOW QUERIES",
                    "DESCRIBE TABLE `t`",
                    "EXPLAIN SELECT 1",
                    "WITH a AS (SELECT * FROM t) SELECT * FROM a",
                    "WITH a AS (SELECT STREAM * FROM t);",
                    "WITH a AS (SELECT 1), b AS (SELECT 2) SELECT * FROM a",
                    "(SELECT 1)",
                    "((SELECT 1) UNION (SELECT 2))",
                    "SELECT delete, update, `drop` FROM t WHERE truncate(x) > 1",
                    "SELECT (truncate(x)) FROM t",
                    "",
                    "-- nothing",
                ][..],
            ),
            (
                "write",
                &[
                    "INSERT INTO t(key, value) VALUES ('a', 'DELETE FROM x')",
                    "INSERT INTO t(delete, kill) VALUES (1, 2)",
                    "CREATE TABLE t(_key string, a int) FORMAT (string, json)",
                    "ALTER TABLE t SET compaction = true",
                    "UPDATE t SET a = 1 WHERE b = 2",
                    "UPSERT INTO t VALUES (1)",
                ],
            ),
            (
                "read write",
                &[
                    "INSERT INTO a SELECT * FROM b",
                    "INSERT INTO a SELECT STREAM * FROM b",
                    "CREATE TABLE a AS SELECT * FROM b",
                    "create table a as (select * from b)",
                    "SET defaults.topic.autocreate=true; INSERT INTO a SELECT STREAM * FROM b;",
                    "WITH b AS (SELECT STREAM * FROM c); INSERT INTO a SELECT STREAM * FROM b",
                    "WITH b AS (SELECT * FROM c) INSERT INTO a SELECT * FROM b",
                    "EXPLAIN INSERT INTO a VALUES (1)",
                    "UPDATE t SET a = (SELECT 1)",
                    "SELECT 1; CREATE TABLE t(a int)",
                ],
            ),
            (
                "delete",
                &["DROP TABLE t", "DELETE FROM t WHERE a = 1", "TRUNCATE TABLE t", "KILL QUERY 17", "drop table t;;"],
            ),
            (
                "read delete",
                &[
                    "DELETE FROM t WHERE a IN (SELECT b FROM c)",
                    "SELECT 1; DROP TABLE t",
                    "/**/SELECT 1;/**/DROP TABLE t",
                    "SELECT ';'; DROP TABLE t; SELECT ';'",
                    "EXPLAIN DROP TABLE t",
                    "WITH a AS (DELETE FROM t RETURNING x) SELECT * FROM a",
                    "WITH a AS (SELECT 1) DELETE FROM t",
                ],
            ),
            ("write delete", &["ALTER TABLE t DROP COLUMN a", "INSERT INTO t VALUES (1); TRUNCATE TABLE t"]),
            (
                "read write delete",
                &[
                    "FROBNICATE t",
                    "SELECT 1; FROBNICATE t",
                    "MERGE INTO t USING s",
                    "BEGIN; SELECT 1",
                    "EXPLAIN",
                    "'SELECT 1'",
                    "`SELECT` 1",
                    "1",
                    ")",
                    "SELECT 'open",
                    "/* open",
                    r"SELECT 'a\'; DROP TABLE t; --'",
                    "SELECT\u{200b} 1; \u{200b}DROP TABLE t",
                ],
            ),
        ] {
            for sql in statements {
                assert_eq!(required_scopes(sql).to_string(), scopes, "{sql}");
            }
        }
    }
}
