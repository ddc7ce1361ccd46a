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

#[cfg(test)]
mod tests;

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
