//! What a statement does, and so which scopes it needs.
//!
//! | statement | scopes |
//! |---|---|
//! | `SELECT`, `SHOW`, `DESCRIBE`, `DESC` | read; and write where it selects `INTO` something |
//! | `SET`, `USE` | read: they only set up the connection of this one query |
//! | `EXPLAIN …` | read and what the explained statement needs: some engines run it |
//! | `WITH …` | read and what follows its tables |
//! | `INSERT`, `UPSERT`, `UPDATE`, `CREATE` | write; read for a `SELECT`; delete to replace |
//! | `ALTER` | write; and delete where it drops something |
//! | `DELETE`, `DROP`, `TRUNCATE`, `KILL` | delete; and read where a `SELECT` picks what |
//! | several with `;` between them | all that any of them needs |
//! | anything else, or a text that can be read in two ways | all three |
//!
//! Lenses' permissions hold beneath this: a scope never gives a right that the user lacks.

mod mentions;
mod summary;
#[cfg(test)]
mod tests;
mod tokens;

use serde_json::{Map, Value};

pub use self::summary::StatementSummary;
pub(super) use self::{
    mentions::mentions,
    tokens::{Token, tokens},
};
use crate::scope::{Scope, ScopeSet};

/// The longest statement, in characters.
pub(super) const MAX_CHARACTERS: usize = 100_000;

/// The scopes that the statement in the argument `sql` needs; none without one, as the call will
/// fail on its arguments.
pub(super) fn scopes_of_argument(arguments: &Map<String, Value>) -> ScopeSet {
    let sql = arguments.get("sql").and_then(Value::as_str);
    sql.map_or(ScopeSet::NONE, required_scopes)
}

/// The scopes that running `sql` needs. Never empty.
pub(super) fn required_scopes(sql: &str) -> ScopeSet {
    if sql.chars().nth(MAX_CHARACTERS).is_some() {
        // It will never run: the argument is refused. Reading all of it would be work without
        // bound.
        return Scope::Read.into();
    }
    let Ok(tokens) = tokens(sql) else { return ScopeSet::ALL };
    let scopes = tokens
        .split(|token| *token == Token::Semicolon)
        .filter(|statement| !statement.is_empty())
        .map(of_statement)
        .fold(ScopeSet::NONE, ScopeSet::union);
    // Nothing but comments: Lenses will refuse it, whatever it is.
    if scopes.is_empty() { Scope::Read.into() } else { scopes }
}

/// A loop and no recursion: how often `EXPLAIN` or `(` is repeated is the caller's choice, and the
/// stack is ours.
fn of_statement(mut statement: &[Token]) -> ScopeSet {
    let mut scopes = ScopeSet::NONE;
    loop {
        let [first, rest @ ..] = statement else { return ScopeSet::ALL };
        let verb = match first {
            Token::Word(verb) => verb.as_str(),
            // Parentheses around a whole statement change nothing.
            Token::Open => {
                statement = rest;
                continue;
            }
            _ => return ScopeSet::ALL,
        };
        let own = match verb {
            "EXPLAIN" => {
                scopes = scopes.union(Scope::Read.into());
                statement = rest;
                continue;
            }
            "WITH" => {
                let Some((tables, after)) = with_tables(rest) else { return ScopeSet::ALL };
                scopes = scopes.union(Scope::Read.into()).union(inside(tables));
                if after.is_empty() {
                    // A name for a query, for the statements that follow.
                    return scopes;
                }
                statement = after;
                continue;
            }
            "SELECT" | "SHOW" | "DESCRIBE" | "DESC" if has_word(rest, &["INTO"]) => {
                both(Scope::Read, Scope::Write)
            }
            "SELECT" | "SHOW" | "DESCRIBE" | "DESC" | "SET" | "USE" => Scope::Read.into(),
            "INSERT" | "CREATE"
                if has_word(rest.get(..2).unwrap_or(rest), &["REPLACE", "OVERWRITE"]) =>
            {
                both(Scope::Write, Scope::Delete)
            }
            "ALTER" if has_word(rest, &["DROP", "DELETE", "TRUNCATE"]) => {
                both(Scope::Write, Scope::Delete)
            }
            "INSERT" | "UPSERT" | "UPDATE" | "CREATE" | "ALTER" => Scope::Write.into(),
            "DELETE" | "DROP" | "TRUNCATE" | "KILL" => Scope::Delete.into(),
            _ => return ScopeSet::ALL,
        };
        return scopes.union(own).union(inside(rest));
    }
}

/// What a query inside a statement adds: `… AS SELECT`, `INSERT INTO t SELECT`,
/// `WHERE x IN (SELECT …)`. A verb that changes something counts too, where it stands as a
/// statement does: after `(`, with a word or a quoted name after it.
fn inside(tokens: &[Token]) -> ScopeSet {
    let nested = tokens.windows(3).filter_map(|window| match window {
        [Token::Open, Token::Word(verb), Token::Word(_) | Token::Quoted(_)] => Some(changes(verb)),
        _ => None,
    });
    let reads = if has_word(tokens, &["SELECT"]) { Scope::Read.into() } else { ScopeSet::NONE };
    nested.fold(reads, ScopeSet::union)
}

/// What a verb in the middle of a statement needs beyond reading.
fn changes(verb: &str) -> ScopeSet {
    match verb {
        "INSERT" | "UPSERT" | "UPDATE" | "CREATE" | "ALTER" => Scope::Write.into(),
        "MERGE" | "REPLACE" => both(Scope::Write, Scope::Delete),
        "DELETE" | "DROP" | "TRUNCATE" | "KILL" => Scope::Delete.into(),
        _ => ScopeSet::NONE,
    }
}

/// The tables of a `WITH` (`name [(columns)] AS (query), …`) and the statement after them; `None`
/// for anything else.
fn with_tables(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    let mut rest = tokens;
    if is_word(rest.first(), "RECURSIVE") {
        rest = rest.get(1..)?;
    }
    loop {
        let [Token::Word(_) | Token::Quoted(_), after @ ..] = rest else { return None };
        rest = if after.first() == Some(&Token::Open) { after_parentheses(after)? } else { after };
        if !is_word(rest.first(), "AS") {
            return None;
        }
        rest = after_parentheses(rest.get(1..)?)?;
        match rest {
            [Token::Other(','), after @ ..] => rest = after,
            _ => return Some((tokens.get(..tokens.len() - rest.len())?, rest)),
        }
    }
}

/// What follows the `)` that belongs to the `(` in front.
fn after_parentheses(tokens: &[Token]) -> Option<&[Token]> {
    let mut depth = 0_usize;
    for (position, token) in tokens.iter().enumerate() {
        match token {
            Token::Open => depth += 1,
            Token::Close => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return if position > 0 { tokens.get(position + 1..) } else { None };
        }
    }
    None
}

fn has_word(tokens: &[Token], wanted: &[&str]) -> bool {
    tokens.iter().any(|token| matches!(token, Token::Word(word) if wanted.contains(&word.as_str())))
}

fn is_word(token: Option<&Token>, wanted: &str) -> bool {
    matches!(token, Some(Token::Word(word)) if word == wanted)
}

fn both(one: Scope, other: Scope) -> ScopeSet {
    ScopeSet::from(one).union(other.into())
}
