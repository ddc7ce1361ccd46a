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
