//! SQL over topics.

mod max_size;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::max_size::max_size;
use super::{
    arguments::{Environment, Text},
    call::Call,
    definition::{Effect, Tool},
    output::{self, Output, Records},
    progress::ProgressUpdate,
    result::ToolResult,
    statement::{self, MAX_CHARACTERS},
};
use crate::{
    lenses::{
        Error,
        sql::{Cut, Limits, Rows, Seen},
    },
    scope::Scope,
};

pub(super) fn tools() -> Vec<Tool> {
    vec![Tool::new(
        "execute_sql",
        "Execute SQL",
        "Runs Lenses SQL and gives the rows. SELECT reads records (SELECT * FROM orders WHERE \
         amount > 10 LIMIT 20); SHOW TABLES and DESCRIBE TABLE orders tell what can be read. \
         Always give a LIMIT, and quote names that hold other than letters, digits and _ in \
         backticks. The statement decides the scope: SELECT and SHOW need read, INSERT and \
         CREATE write, DELETE, DROP and TRUNCATE delete. Integers beyond 2^53 - 1 and long \
         decimals are given as text. Ask the user before you change or delete anything.",
        Effect::Sql,
        execute_sql,
    )]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExecuteSql {
    environment: Environment,
    /// The statement; several with `;` between them.
    sql: Text<MAX_CHARACTERS>,
}

async fn execute_sql(
    call: Call,
    ExecuteSql { environment, sql }: ExecuteSql,
) -> Result<Rows, Error> {
    let limits = Limits {
        rows: call.limits.sql_rows,
        bytes: call.limits.bytes,
        time: call.limits.sql_time,
        scanned_bytes: max_size(sql.as_str()),
    };
    let seen = |Seen { rows, records, bytes }| {
        call.progress.report(|| ProgressUpdate {
            // HQ may say rarely, or never, what it has looked at.
            done: records.max(rows as u64),
            message: format!("{rows} rows; {records} records and {bytes} bytes read"),
        });
    };
    let rows = call.lenses.query(&environment, sql.as_str(), limits, seen).await?;
    // A statement that reads has rows or none: what Lenses says then is about the login.
    let only_reads = statement::required_scopes(sql.as_str()) == Scope::Read.into();
    Ok(Rows { message: rows.message.filter(|_| !only_reads && rows.count == 0), ..rows })
}

/// How to see what a cut left out.
fn advice(cut: &Cut, last_offsets: &BTreeMap<u64, u64>) -> String {
    let mut advice = "These are the first rows, not all. ".to_owned();
    if let Cut::Scanned(_) = cut {
        advice.push_str(
            "To let Lenses read further, put SET max.size = '1GB'; in front of the statement. ",
        );
    }
    advice.push_str(
        "To see others, narrow the query (WHERE, fewer columns, LIMIT, an aggregate), or go on \
         after these rows",
    );
    if last_offsets.is_empty() {
        advice.push_str(
            " with a condition on _meta.timestamp, or on _meta.partition and _meta.offset.",
        );
    } else {
        let conditions = last_offsets.iter().map(|(partition, offset)| {
            format!("_meta.partition = {partition} AND _meta.offset > {offset}")
        });
        let conditions = conditions.collect::<Vec<_>>().join("; ");
        advice.push_str(" with one of these conditions for each partition: ");
        advice.push_str(&conditions);
        advice.push_str(". A partition that is not named has given no row yet.");
    }
    advice
}

/// The rows stand in `result`; what else there is to say stands beside them, and as a text of its
/// own.
impl Output for Rows {
    fn schema() -> Map<String, Value> {
        let mut schema = output::wrapped(&json!({
            "type": "array",
            "items": { "type": "object" },
        }));
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.insert(
                "cut".to_owned(),
                json!({ "type": "object", "properties": { "next": { "type": "string" } } }),
            );
            properties.insert("message".to_owned(), json!({ "type": "string" }));
        }
        schema
    }

    fn into_result(self) -> ToolResult {
        let Self { json, count, message, cut, last_offsets } = self;
        let records = Records::written(json, count);
        if let Some(cut) = cut {
            let next = advice(&cut, &last_offsets);
            let note = format!("Cut after {count} rows: {cut}. {next}");
            let cut = json!({ "reason": cut.to_string(), "rows": count, "next": next });
            return records.end(Some(("cut", cut))).with_note(note);
        }
        match message {
            Some(message) => records
                .end(Some(("message", message.as_str().into())))
                .with_note(format!("Lenses says: {message}")),
            None => records.end(None),
        }
    }
}
