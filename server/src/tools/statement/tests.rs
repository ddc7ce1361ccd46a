//! Which scopes each kind of statement needs, and that no way of writing one lowers them.

use super::{MAX_CHARACTERS, required_scopes};
use crate::scope::{Scope, ScopeSet};

/// Statements by the scopes that they need.
const BY_SCOPES: [(&str, &[&str]); 7] = [
    (
        "read",
        &[
            "SELECT * FROM orders",
            "select stream a from t where b = 'DROP TABLE x'",
            "SELECT a, count(*) FROM t GROUP BY a",
            "SELECT * FROM a JOIN b ON a.id = b.id LIMIT 10",
            "SELECT * FROM t WHERE _meta.partition = 0 AND _meta.offset > 17",
            "SELECT * FROM `DROP TABLE x`",
            r#"SELECT * FROM "it's; DROP TABLE x" -- '"#,
            "SELECT 'it''s; DROP TABLE x' FROM t",
            "SELECT ''';DROP TABLE x' FROM t",
            "SELECT a[0], b.c, -1.5e3, a--1\nFROM t",
            "SELECT größe FROM `straße`",
            "\u{a0}SELECT\u{2003}1",
            "ſELECT 1",
            "  \n-- first\nSELECT 1;",
            "-- it's; DROP TABLE x\r\nSELECT 1",
            "/* DROP TABLE x; */ SELECT 1 ; ; ",
            "/* it's */ SELECT 1 /* -- */",
            "SELECT/**/1",
            "SET max.size='1m'; SET live.aggs=true; SELECT * FROM t",
            "SET max.size='1m'",
            "USE `kafka`; SHOW TABLES",
            "SHOW TABLES",
            "SHOW VIEWS",
            "SHOW VTABLES",
            "SHOW CREATE TABLE t",
            "SHOW QUERIES",
            "DESCRIBE TABLE `t`",
            "DESCRIBE FORMATTED t",
            "desc t",
            "EXPLAIN SELECT 1",
            "EXPLAIN EXPLAIN SELECT 1",
            "WITH a AS (SELECT * FROM t) SELECT * FROM a",
            "WITH a AS (SELECT STREAM * FROM t);",
            "WITH a AS (SELECT 1), b AS (SELECT 2) SELECT * FROM a",
            "WITH RECURSIVE `a`(x, y) AS (SELECT 1, (2)) (SELECT * FROM a)",
            "(SELECT 1)",
            "((SELECT 1) UNION (SELECT 2))",
            "SELECT delete, update, `drop` FROM t WHERE truncate(x) > 1",
            "SELECT (truncate(x)) FROM t",
            "",
            " \n\t",
            ";;",
            "-- nothing",
            "/**/",
        ],
    ),
    (
        "write",
        &[
            "INSERT INTO t(key, value) VALUES ('a', 'DELETE FROM x')",
            "INSERT INTO t(delete, kill) VALUES (1, 2)",
            "ınsert into t values (1)",
            "CREATE TABLE t(_key string, a int) FORMAT (string, json)",
            "CREATE VIRTUAL TABLE t(a int)",
            "ALTER TABLE t SET compaction = true",
            "ALTER TABLE t ADD COLUMN `drop` int",
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
            "CREATE VIEW a AS SELECT * FROM b",
            "create table a as (select * from b)",
            "SET defaults.topic.autocreate=true; INSERT INTO a SELECT STREAM * FROM b;",
            "WITH b AS (SELECT STREAM * FROM c); INSERT INTO a SELECT STREAM * FROM b",
            "WITH b AS (SELECT * FROM c) INSERT INTO a SELECT * FROM b",
            "WITH b AS (INSERT INTO c VALUES (1)) SELECT * FROM b",
            "EXPLAIN INSERT INTO a VALUES (1)",
            "EXPLAIN WITH b AS (SELECT 1) INSERT INTO a SELECT * FROM b",
            "UPDATE t SET a = (SELECT 1)",
            "SELECT 1; CREATE TABLE t(a int)",
            "SELECT * INTO a FROM b",
            "SELECT * ınto a FROM b",
            "DESCRIBE INSERT INTO a VALUES (1)",
        ],
    ),
    (
        "delete",
        &[
            "DROP TABLE t",
            "DROP VIEW t",
            "DELETE FROM t WHERE a = 1",
            "TRUNCATE TABLE t",
            "KILL QUERY 17",
            "drop table t;;",
            "dRoP/**/tAbLe`t`",
        ],
    ),
    (
        "read delete",
        &[
            "DELETE FROM t WHERE a IN (SELECT b FROM c)",
            "SELECT 1; DROP TABLE t",
            "SELECT 1;DROP TABLE t",
            "SET max.size='1m'; KILL QUERY 17",
            "/**/SELECT 1;/**/DROP TABLE t",
            "SELECT ';'; DROP TABLE t; SELECT ';'",
            "SELECT '--'; DROP TABLE t",
            "SELECT '/*'; DROP TABLE t; SELECT '*/'",
            "SELECT 1 -- ; SELECT 2\n; DROP TABLE t",
            "EXPLAIN DROP TABLE t",
            "WITH a AS (DELETE FROM t RETURNING x) SELECT * FROM a",
            "WITH a AS (SELECT 1), b AS (DELETE FROM `t` WHERE x) SELECT * FROM a",
            "WITH a AS (SELECT 1) DELETE FROM t",
        ],
    ),
    (
        "write delete",
        &[
            "ALTER TABLE t DROP COLUMN a",
            "ALTER TABLE t TRUNCATE PARTITION 1",
            "CREATE OR REPLACE TABLE t(a int)",
            "INSERT OVERWRITE t VALUES (1)",
            "INSERT INTO t VALUES (1); TRUNCATE TABLE t",
        ],
    ),
    (
        "read write delete",
        &[
            "FROBNICATE t",
            "SELECT 1; FROBNICATE t",
            "MERGE INTO t USING s",
            "REPLACE INTO t VALUES (1)",
            "CALL procedure()",
            "GRANT ALL ON t TO bob",
            "COPY t FROM 'x'",
            "BEGIN; SELECT 1",
            "EXPLAIN",
            "EXPLAIN ANALYZE SELECT 1",
            "WITH",
            "WITH a",
            "WITH a SELECT 1",
            "WITH a AS SELECT 1",
            "WITH a AS (SELECT 1",
            "WITH a AS () FROBNICATE t",
            "WITH a AS (SELECT 1) FROBNICATE t",
            "WITH a AS (SELECT 1), DELETE FROM t",
            "'SELECT 1'",
            "`SELECT` 1",
            "1",
            "(",
            ")",
            ") SELECT 1",
            "SELECT 'open",
            "SELECT \"open",
            "SELECT `open",
            "/* open",
            "/* /* */ SELECT 1 */",
            "/*! DROP TABLE t */ SELECT 1",
            r"SELECT 'a\'; DROP TABLE t; --'",
            "SELECT 1 # '\n; DROP TABLE t --'",
            "SELECT 1 --\r'\n; DROP TABLE t --'",
            "SELECT 1 // '\n; DROP TABLE t --'",
            "SELECT $$'$$; DROP TABLE t --'",
            "SELECT\u{200b} 1; \u{200b}DROP TABLE t",
            "\u{feff}SELECT 1",
            "\u{212a}ILLALL 1",
        ],
    ),
];

#[test]
fn each_statement_needs_the_scopes_of_its_class() {
    for (scopes, statements) in BY_SCOPES {
        for sql in statements {
            assert_eq!(required_scopes(sql).to_string(), scopes, "{sql}");
        }
    }
}

/// Statements in which every space stands between two tokens and parentheses are paired.
fn plain() -> impl Iterator<Item = (&'static str, ScopeSet)> {
    let all = BY_SCOPES.iter().flat_map(|(_, statements)| *statements).copied();
    let plain = all.filter(|sql| {
        sql.contains(' ') && !sql.contains(['\'', '"', '`', '#', '$', '/', '\n', '\r', '-'])
    });
    let plain = plain.filter(|sql| sql.matches('(').count() == sql.matches(')').count());
    plain.map(|sql| (sql, required_scopes(sql)))
}

#[test]
fn comments_and_white_space_change_nothing() {
    let mut tried = 0;
    for (sql, scopes) in plain() {
        for blank in [
            "  ",
            "\n",
            "\t",
            "\r\n",
            "\u{a0}",
            "/**/",
            " /* it's; */ ",
            " -- it's; \n",
            "--\n",
            " --\r\n",
        ] {
            for (position, _) in sql.match_indices(' ') {
                let (before, after) = sql.split_at(position);
                let varied = format!("{before}{blank}{}", &after[1..]);
                assert_eq!(required_scopes(&varied), scopes, "{varied}");
                tried += 1;
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
}

#[test]
fn text_around_a_statement_never_lowers_the_scopes_it_needs() {
    for (sql, scopes) in plain() {
        for around in [
            "SELECT 1; {}",
            "{}; SELECT 1",
            "{};",
            ";{}",
            "SET a = 1; {}",
            "USE x; {}",
            "EXPLAIN {}",
            "({})",
            "(({}))",
            "WITH a AS (SELECT 1) {}",
            "WITH a AS (SELECT 1); {}",
            "SELECT ''; {}; SELECT ''",
            "SELECT '--'; {}",
            "SELECT `/*`; {} /* */",
            "-- SELECT '\n{}",
            "/* ' */{}/* ' */",
        ] {
            let varied = around.replace("{}", sql);
            assert!(
                required_scopes(&varied).covers(scopes),
                "{varied} needs {}",
                required_scopes(&varied)
            );
        }
    }
}

#[test]
fn a_statement_that_is_refused_for_its_length_is_not_read() {
    let text = |length: usize| format!("DROP TABLE {}", "t".repeat(length - 11));
    assert_eq!(required_scopes(&text(MAX_CHARACTERS)), Scope::Delete.into());
    assert_eq!(required_scopes(&text(MAX_CHARACTERS + 1)), Scope::Read.into());
}

#[test]
fn repeating_a_word_or_a_parenthesis_does_not_fill_the_stack() {
    for (part, end, scopes) in
        [("EXPLAIN ", "DROP TABLE t", "read delete"), ("(", "SELECT 1", "read")]
    {
        let sql = part.repeat((MAX_CHARACTERS - 20) / part.len()) + end;
        assert_eq!(required_scopes(&sql).to_string(), scopes);
    }
    let sql = "WITH a AS (SELECT 1) ".repeat(MAX_CHARACTERS / 21 - 1) + "SELECT 1";
    assert_eq!(required_scopes(&sql), Scope::Read.into());
}
