//! What can be asked, once it is read.

use serde_json::Value;

use super::limits::Limits;
use crate::hq::kafka::Field;

/// One statement with the engine limits that were set before it.
#[derive(Debug, PartialEq)]
pub(crate) struct Script {
    pub(crate) limits: Limits,
    pub(crate) statement: Statement,
}

/// What the evaluator knows how to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Statement {
    Select(Select),
    ShowTables,
    ShowQueries,
    DescribeTable(String),
    KillQuery(u64),
    Insert {
        table: String,
        fields: Vec<String>,
        rows: Vec<Vec<Value>>,
    },
    CreateTable {
        table: String,
        fields: Vec<Field>,
        key_type: String,
        value_type: String,
        partitions: i64,
        replication: i64,
    },
    DropTable(String),
}

/// `SELECT … FROM … [WHERE …] [LIMIT …]`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Select {
    /// Empty for `*`. Each a field's path and the name that it gets.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) table: String,
    /// All must hold.
    pub(crate) conditions: Vec<Condition>,
    pub(crate) limit: Option<u64>,
}

/// A comparison of a field with a literal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) field: String,
    pub(crate) comparison: Comparison,
    pub(crate) literal: Value,
}

/// How they are compared. `IS NULL` is equality with null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
