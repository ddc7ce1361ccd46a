//! SQL over topics.

pub(super) mod statement;
mod tokens;

use rmcp::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    arguments::{Environment, Text},
    definition::{Call, Effect, Tool},
    output::{self, Output},
};
use crate::lenses::{
    Error,
    sql::{Limits, Rows},
};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(
        "execute_sql",
        "Execute SQL",
        "Runs Lenses SQL in an environment and gives the rows. SELECT reads records from topics (SELECT * FROM orders \
         WHERE amount > 10 LIMIT 20); SHOW TABLES and DESCRIBE TABLE orders tell what can be read. Always give a LIMIT. \
         Quote topic names that hold other than letters, digits and _ with backticks. The statement decides the scope: \
         SELECT, SHOW, DESCRIBE and EXPLAIN need read; INSERT, CREATE, ALTER and UPDATE need write; DELETE, DROP, \
         TRUNCATE and KILL need delete. Ask the user before changing or deleting anything.",
        Effect::RunsSql,
        execute_sql,
    )]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExecuteSql {
    environment: Environment,
    /// The statement, or several with `;` between them.
    sql: Text<100_000>,
}

async fn execute_sql(call: Call, ExecuteSql { environment, sql }: ExecuteSql) -> Result<Rows, Error> {
    let limits = Limits { rows: call.limits.sql_rows, bytes: call.limits.bytes, time: call.limits.sql_time };
    call.lenses.query(&environment, sql.as_str(), limits).await
}

/// How to see what a cut left out.
const GO_ON: &str = "These are the first rows, not all. To see others, narrow the query (WHERE, fewer columns, LIMIT, an \
    aggregate), or go on after the last row with a condition on _meta.timestamp, or on _meta.partition and _meta.offset.";

/// The rows stand in `result`; a cut is said beside them, and as a text of its own.
impl Output for Rows {
    fn schema() -> Map<String, Value> {
        let mut schema = output::wrapped(&json!({
            "type": "array",
            "items": { "type": "object", "additionalProperties": true },
        }));
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.insert(
                "cut".to_owned(),
                json!({
                    "type": "object",
                    "description": "There when the result has more rows than these.",
                    "properties": {
                        "reason": { "type": "string", "description": "Which limit was reached." },
                        "rows": { "type": "integer", "minimum": 0, "description": "Number of rows in `result`." },
                        "next": { "type": "string", "description": "How to see the others." },
                    },
                    "required": ["reason", "rows", "next"],
                }),
            );
        }
        schema
    }

    fn into_result(self) -> CallToolResult {
        let count = self.rows.len();
        let mut result = self.rows.into_result();
        if let Some(cut) = self.cut {
            result.content.push(ContentBlock::text(format!("Cut after {count} rows: {cut}. {GO_ON}")));
            if let Some(Value::Object(structured)) = &mut result.structured_content {
                structured.insert("cut".to_owned(), json!({ "reason": cut.to_string(), "rows": count, "next": GO_ON }));
            }
        }
        result
    }
}
