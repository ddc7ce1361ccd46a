//! A statement as a user is shown it.

use super::{MAX_CHARACTERS, mentions, tokens::scan};

/// Most tables that are named.
const TABLES_MAX: usize = 20;

/// What a text of SQL does, for the user who must agree to it.
#[derive(Debug, PartialEq, Eq)]
pub struct StatementSummary {
    /// The kinds of statements: `SELECT`, `DROP`; `AMBIGUOUS` if it can be read in several ways.
    pub classes: Vec<&'static str>,
    /// The tables that it names, the first 20; then how many more there are.
    pub tables: Vec<String>,
    /// The text without comments and with single spaces; an ambiguous one as it is.
    pub text: String,
}

impl StatementSummary {
    /// Of `sql`.
    #[must_use]
    pub fn of(sql: &str) -> Self {
        let mut tables: Vec<String> = Vec::new();
        let classes = mentions(sql, |table| {
            if !tables.iter().any(|known| *known == table) {
                tables.push(table.into_owned());
            }
        });
        if let Some(more) = tables.len().checked_sub(TABLES_MAX).filter(|more| *more > 0) {
            tables.truncate(TABLES_MAX);
            tables.push(format!("and {more} more"));
        }
        Self { classes, tables, text: without_comments(sql) }
    }
}

fn without_comments(sql: &str) -> String {
    let (mut text, mut end) = (String::new(), 0);
    if sql.chars().nth(MAX_CHARACTERS).is_some() {
        return sql.to_owned();
    }
    let scanned = scan(sql, |_, place| {
        if place.start > end && !text.is_empty() {
            text.push(' ');
        }
        end = place.end;
        text.push_str(sql.get(place).unwrap_or_default());
    });
    scanned.map_or_else(|_| sql.to_owned(), |()| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_what_comments_would_hide() {
        let hidden = format!("SELECT 1; /* {} */ DROP\n-- x\n TABLE payments", "x".repeat(1_000));
        assert_eq!(
            StatementSummary::of(&hidden),
            StatementSummary {
                classes: vec!["SELECT", "DROP"],
                tables: vec!["payments".to_owned()],
                text: "SELECT 1; DROP TABLE payments".to_owned(),
            }
        );
        let ambiguous = "SELECT 1 # \n; DROP TABLE payments";
        let summary = StatementSummary::of(ambiguous);
        assert_eq!((summary.classes.last(), &*summary.text), (Some(&"AMBIGUOUS"), ambiguous));
        let many: Vec<_> = (0..30).map(|table| format!("DROP TABLE t{table}")).collect();
        let tables = StatementSummary::of(&many.join(";")).tables;
        assert_eq!((tables.len(), tables[20].as_str()), (21, "and 10 more"));
    }
}
