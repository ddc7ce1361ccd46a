//! From tokens to a [`Script`]: the part of Lenses SQL that the stand-in evaluates.
//!
//! ```text
//! {SET name = value;} statement [;]
//! SELECT * | field [AS name], … FROM table
//!     [WHERE field op literal | field IS [NOT] NULL {AND …}] [LIMIT n]
//! SHOW TABLES | SHOW QUERIES | DESCRIBE TABLE table | KILL QUERY id | DROP TABLE table
//! INSERT INTO table (field, …) VALUES (literal, …), …
//! CREATE TABLE table (field type, …) [FORMAT (key, value)]
//!     [PROPERTIES (partitions = n, replication = n)]
//! ```

use serde_json::Value;

use super::lexer::{Placed, Token, tokens};
use super::limits::Limits;
use super::statement::{Comparison, Condition, Script, Select, Statement};
use crate::hq::kafka::Field;

/// # Errors
/// A sentence for the ERROR frame, with line and column.
pub(crate) fn parse(sql: &str) -> Result<Script, String> {
    let mut parser = Parser { tokens: tokens(sql)?, at: 0 };
    let mut limits = Limits::default();
    while parser.keyword("SET") {
        parser.set(&mut limits)?;
    }
    let statement = parser.statement()?;
    parser.symbol(";");
    match parser.peek() {
        None => Ok(Script { limits, statement }),
        Some(_) => Err(parser.expected("the end of the statement")),
    }
}

struct Parser {
    tokens: Vec<Placed>,
    at: usize,
}

impl Parser {
    fn statement(&mut self) -> Result<Statement, String> {
        if self.keyword("SELECT") {
            self.select()
        } else if self.keyword("SHOW") {
            if self.keyword("TABLES") {
                Ok(Statement::ShowTables)
            } else {
                self.keywords(&["QUERIES"]).map(|()| Statement::ShowQueries)
            }
        } else if self.keyword("DESCRIBE") {
            self.keywords(&["TABLE"])?;
            self.name("a table").map(Statement::DescribeTable)
        } else if self.keyword("KILL") {
            self.keywords(&["QUERY"])?;
            self.whole_number().map(Statement::KillQuery)
        } else if self.keyword("INSERT") {
            self.insert()
        } else if self.keyword("CREATE") {
            self.create_table()
        } else if self.keyword("DROP") {
            self.keywords(&["TABLE"])?;
            self.name("a table").map(Statement::DropTable)
        } else {
            Err(self.expected("SELECT, SHOW, DESCRIBE, INSERT, CREATE, DROP, KILL or SET"))
        }
    }

    fn set(&mut self, limits: &mut Limits) -> Result<(), String> {
        let name = self.name("a setting")?;
        self.expect_symbol("=")?;
        let text = match self.literal()? {
            Value::String(text) => text,
            literal => literal.to_string(),
        };
        limits.set(&name, &text)?;
        self.expect_symbol(";")
    }

    fn select(&mut self) -> Result<Statement, String> {
        let mut fields = Vec::new();
        if !self.symbol("*") {
            fields = self.list(Self::field)?;
        }
        self.keywords(&["FROM"])?;
        let table = self.name("a table")?;
        let mut conditions = Vec::new();
        if self.keyword("WHERE") {
            conditions.push(self.condition()?);
            while self.keyword("AND") {
                conditions.push(self.condition()?);
            }
        }
        let limit = if self.keyword("LIMIT") { Some(self.whole_number()?) } else { None };
        Ok(Statement::Select(Select { fields, table, conditions, limit }))
    }

    fn field(&mut self) -> Result<(String, String), String> {
        let path = self.name("a field")?;
        let alias = if self.keyword("AS") {
            self.name("an alias")?
        } else {
            path.rsplit('.').next().unwrap_or(&path).to_owned()
        };
        Ok((path, alias))
    }

    fn condition(&mut self) -> Result<Condition, String> {
        let field = self.name("a field")?;
        if self.keyword("IS") {
            let comparison =
                if self.keyword("NOT") { Comparison::NotEqual } else { Comparison::Equal };
            self.keywords(&["NULL"])?;
            return Ok(Condition { field, comparison, literal: Value::Null });
        }
        let comparison = if self.symbol("=") {
            Comparison::Equal
        } else if self.symbol("!=") || self.symbol("<>") {
            Comparison::NotEqual
        } else if self.symbol("<=") {
            Comparison::LessOrEqual
        } else if self.symbol(">=") {
            Comparison::GreaterOrEqual
        } else if self.symbol("<") {
            Comparison::Less
        } else if self.symbol(">") {
            Comparison::Greater
        } else {
            return Err(self.expected("a comparison"));
        };
        Ok(Condition { field, comparison, literal: self.literal()? })
    }

    fn insert(&mut self) -> Result<Statement, String> {
        self.keywords(&["INTO"])?;
        let table = self.name("a table")?;
        self.expect_symbol("(")?;
        let fields = self.list(|parser| parser.name("a field"))?;
        self.expect_symbol(")")?;
        self.keywords(&["VALUES"])?;
        let rows = self.list(|parser| {
            parser.expect_symbol("(")?;
            let row = parser.list(Self::literal)?;
            parser.expect_symbol(")")?;
            Ok(row)
        })?;
        match rows.iter().find(|row| row.len() != fields.len()) {
            None => Ok(Statement::Insert { table, fields, rows }),
            Some(row) => Err(format!("a row has {} values for {} fields", row.len(), fields.len())),
        }
    }

    fn create_table(&mut self) -> Result<Statement, String> {
        self.keywords(&["TABLE"])?;
        let table = self.name("a table")?;
        self.expect_symbol("(")?;
        let fields = self.list(|parser| {
            Ok(Field { name: parser.name("a field")?, kind: parser.name("a type")? })
        })?;
        self.expect_symbol(")")?;
        let (mut key_type, mut value_type) = ("STRING".to_owned(), "JSON".to_owned());
        if self.keyword("FORMAT") {
            self.expect_symbol("(")?;
            key_type = self.name("a format")?.to_uppercase();
            self.expect_symbol(",")?;
            value_type = self.name("a format")?.to_uppercase();
            self.expect_symbol(")")?;
        }
        let (mut partitions, mut replication) = (1, 1);
        if self.keyword("PROPERTIES") {
            self.expect_symbol("(")?;
            let properties = self.list(|parser| {
                let name = parser.name("a property")?;
                parser.expect_symbol("=")?;
                Ok((name, i64::try_from(parser.whole_number()?).unwrap_or(i64::MAX)))
            })?;
            self.expect_symbol(")")?;
            for (name, value) in properties {
                match name.as_str() {
                    "partitions" => partitions = value,
                    "replication" => replication = value,
                    _ => return Err(format!("unknown property [{name}]")),
                }
            }
        }
        Ok(Statement::CreateTable { table, fields, key_type, value_type, partitions, replication })
    }

    /// One or more, parted by commas.
    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        let mut items = vec![item(self)?];
        while self.symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A name, possibly of several parts joined by dots.
    fn name(&mut self, what: &str) -> Result<String, String> {
        let mut name = String::new();
        loop {
            match self.peek() {
                Some(Token::Word(part) | Token::Name(part)) => name.push_str(part),
                _ => return Err(self.expected(what)),
            }
            self.at += 1;
            if !self.symbol(".") {
                return Ok(name);
            }
            name.push('.');
        }
    }

    fn literal(&mut self) -> Result<Value, String> {
        let negative = self.symbol("-");
        let literal = match self.peek() {
            Some(Token::Number(digits)) => {
                let digits = if negative { format!("-{digits}") } else { digits.clone() };
                serde_json::from_str::<serde_json::Number>(&digits).ok().map(Value::Number)
            }
            _ if negative => None,
            Some(Token::Text(text)) => Some(Value::String(text.clone())),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => {
                Some(Value::Bool(false))
            }
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("null") => Some(Value::Null),
            _ => None,
        };
        let literal = literal
            .ok_or_else(|| self.expected("text in single quotes, a number, true, false or null"))?;
        self.at += 1;
        Ok(literal)
    }

    fn whole_number(&mut self) -> Result<u64, String> {
        let number = match self.peek() {
            Some(Token::Number(digits) | Token::Text(digits)) => digits.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.expected("a whole number"))?;
        self.at += 1;
        Ok(number)
    }

    fn keywords(&mut self, words: &[&str]) -> Result<(), String> {
        words
            .iter()
            .try_for_each(|word| if self.keyword(word) { Ok(()) } else { Err(self.expected(word)) })
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found =
            matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn expect_symbol(&mut self, symbol: &'static str) -> Result<(), String> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.expected(symbol)) }
    }

    fn symbol(&mut self, symbol: &'static str) -> bool {
        let found = self.peek() == Some(&Token::Symbol(symbol));
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|placed| &placed.token)
    }

    fn expected(&self, what: &str) -> String {
        match self.tokens.get(self.at) {
            None => format!("syntax error: expected {what} but the statement ends"),
            Some(Placed { token, line, column }) => {
                let found = match token {
                    Token::Word(text)
                    | Token::Name(text)
                    | Token::Text(text)
                    | Token::Number(text) => text.as_str(),
                    Token::Symbol(symbol) => symbol,
                };
                format!(
                    "syntax error at line {line}, column {column}: expected {what} but found \
                     {found:?}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(
        fields: &[(&str, &str)],
        table: &str,
        conditions: Vec<Condition>,
        limit: Option<u64>,
    ) -> Statement {
        let fields =
            fields.iter().map(|(path, alias)| ((*path).to_owned(), (*alias).to_owned())).collect();
        Statement::Select(Select { fields, table: table.to_owned(), conditions, limit })
    }

    fn condition(field: &str, comparison: Comparison, literal: impl Into<Value>) -> Condition {
        Condition { field: field.to_owned(), comparison, literal: literal.into() }
    }

    #[test]
    fn good_statements_are_read_as_meant() {
        use Comparison::{Equal, GreaterOrEqual, NotEqual};
        let field = |name: &str, kind: &str| Field { name: name.to_owned(), kind: kind.to_owned() };
        let insert = Statement::Insert {
            table: "t".to_owned(),
            fields: vec!["_key".to_owned(), "a.b".to_owned()],
            rows: vec![vec!["k".into(), 1.into()], vec!["it's".into(), Value::Null]],
        };
        let create = Statement::CreateTable {
            table: "t".to_owned(),
            fields: vec![field("a", "int"), field("b", "string")],
            key_type: "STRING".to_owned(),
            value_type: "AVRO".to_owned(),
            partitions: 3,
            replication: 1,
        };
        for (sql, statement) in [
            ("SELECT * FROM orders", select(&[], "orders", vec![], None)),
            ("select * from `my-topic.v1` limit 5;", select(&[], "my-topic.v1", vec![], Some(5))),
            ("SELECT * FROM my.topic", select(&[], "my.topic", vec![], None)),
            (
                "SELECT order_id, card.brand, _key AS k FROM payments",
                select(
                    &[("order_id", "order_id"), ("card.brand", "brand"), ("_key", "k")],
                    "payments",
                    vec![],
                    None,
                ),
            ),
            (
                "SELECT * FROM t WHERE a = 'it''s' AND b >= -1.5 AND c IS NOT NULL AND d <> true",
                select(
                    &[],
                    "t",
                    vec![
                        condition("a", Equal, "it's"),
                        condition("b", GreaterOrEqual, -1.5),
                        condition("c", NotEqual, Value::Null),
                        condition("d", NotEqual, true),
                    ],
                    None,
                ),
            ),
            ("-- a comment\nSHOW /* DROP TABLE x; */ TABLES", Statement::ShowTables),
            ("show queries", Statement::ShowQueries),
            ("DESCRIBE TABLE orders", Statement::DescribeTable("orders".to_owned())),
            ("KILL QUERY 12", Statement::KillQuery(12)),
            ("KILL QUERY '12'", Statement::KillQuery(12)),
            ("DROP TABLE \"select\"", Statement::DropTable("select".to_owned())),
            ("INSERT INTO t (_key, a.b) VALUES ('k', 1), ('it''s', null)", insert),
            (
                "CREATE TABLE t (a int, b string) FORMAT (string, avro) PROPERTIES (partitions = \
                 3)",
                create,
            ),
        ] {
            assert_eq!(parse(sql).map(|script| script.statement), Ok(statement), "{sql}");
        }
    }

    #[test]
    fn limits_are_set_before_the_statement() {
        let script = parse("SET max.size = '1GB'; SET max.idle.time=500; SHOW TABLES").unwrap();
        assert_eq!(script.limits, Limits { max_size: 1 << 30, ..Limits::default() });
        assert_eq!(parse("SHOW TABLES").unwrap().limits, Limits::default());
    }

    #[test]
    fn bad_statements_are_refused_with_a_reason() {
        for (sql, reason) in [
            ("", "expected SELECT"),
            (";", "expected SELECT"),
            ("SELEC * FROM t", "at line 1, column 1"),
            ("SELECT *\n  FORM t", "at line 2, column 3: expected FROM but found \"FORM\""),
            ("SELECT FROM t", "expected FROM"),
            ("SELECT * FROM", "expected a table but the statement ends"),
            ("SELECT * FROM t LIMIT -1", "expected a whole number"),
            ("SELECT * FROM t LIMIT 1.5", "expected a whole number"),
            ("SELECT * FROM t WHERE a LIKE 'x'", "expected a comparison"),
            ("SELECT * FROM t WHERE a = b", "expected text in single quotes"),
            ("SELECT * FROM t; DROP TABLE t", "expected the end of the statement"),
            ("SELECT * FROM 't'", "expected a table"),
            ("SELECT * FROM t WHERE a = 'open", "' is not closed at line 1, column 27"),
            ("SHOW TABLES /* open", "comment is not closed"),
            ("SELECT * FROM t WHERE a = 1.2.3", "expected text"),
            ("INSERT INTO t (a, b) VALUES (1)", "a row has 1 values for 2 fields"),
            ("CREATE TABLE t (a int) PROPERTIES (colour = 1)", "unknown property [colour]"),
            ("SET max.size = 'big'; SHOW TABLES", "max.size is \"big\""),
            ("SET max.speed = 1; SHOW TABLES", "unknown setting [max.speed]"),
            ("SET max.size = 1", "expected ;"),
            ("TRUNCATE TABLE t", "expected SELECT"),
            ("SELECT § FROM t", "unexpected character '§'"),
        ] {
            let error = parse(sql).expect_err(sql);
            assert!(error.contains(reason), "{sql}: {error}");
        }
    }
}
