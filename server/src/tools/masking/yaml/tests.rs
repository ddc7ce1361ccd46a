use super::*;

#[test]
fn secrets_in_every_notation_are_hidden_and_nothing_else_changes() {
    let text = r#"# exported by Lenses
name: pg-source   # a comment
cluster: "dev"
config:
  connector.class: io.debezium.connector.postgresql.PostgresConnector
  tasks.max: 1
  database.user: 'orders'
  database.password: hunter2
  plain.password: a plain
    password in two lines
  quoted.password: "hunter \"2\""
  single.password: 'hunter''3'
  reference.password: "${file:/opt/x:pw}"
  empty.password:
  sasl.jaas.config: >-
    org.apache.kafka.Login required
    password="hunter4";

  ssl.keystore.key: |
    -----BEGIN PRIVATE KEY-----
    hunter5
    -----END PRIVATE KEY-----
  connection.url: jdbc:postgresql://u:hunter6@db/x
  # password=hunter7 was the old one
  topic: ü
flow: {api.key: hunter8, topics: [a, "b"], credentials: [hunter9]}
settings:
- name: auth.token
  value: hunter10
- {"key": "auth.token", "value": "hunter11"}
---
second: {password: hunter12}
"#;
    let expected = r#"# exported by Lenses
name: pg-source   # a comment
cluster: "dev"
config:
  connector.class: io.debezium.connector.postgresql.PostgresConnector
  tasks.max: 1
  database.user: 'orders'
  database.password: "********"
  plain.password: "********"
  quoted.password: "********"
  single.password: "********"
  reference.password: "${file:/opt/x:pw}"
  empty.password:
  sasl.jaas.config: >-
    ********

  ssl.keystore.key: |
    ********
  connection.url: "jdbc:postgresql://u:********@db/x"
  # password=********
  topic: ü
flow: {api.key: "********", topics: [a, "b"], credentials: ["********"]}
settings:
- name: auth.token
  value: "********"
- {"key": "auth.token", "value": "********"}
---
second: {password: "********"}
"#;
    assert_eq!(mask_yaml(text).unwrap(), expected);
}

#[test]
fn what_is_masked_is_yaml_still() {
    let text = "a: |2-\n    x\n  password=hunter2\nb:\n  password: |+\n    hunter3\n\n  c: 1\n\
                \"password\": !!str hunter4\n";
    let masked = mask_yaml(text).unwrap();
    assert!(!masked.contains("hunter"), "{masked}");
    let again = mask_yaml(&masked);
    assert_eq!(again.as_deref(), Ok(masked.as_str()), "{masked}");
    assert!(masked.ends_with("\"password\": !!str \"********\"\n"), "{masked}");
}

#[test]
fn a_block_without_text_hides_nothing_and_stays() {
    for text in ["password: |+\n ", "password: |+\n\n \n", "password: >\n", "password: |"] {
        assert_eq!(mask_yaml(text).as_deref(), Ok(text), "{text:?}");
    }
    let after_blanks = mask_yaml("password: |\n\n \n  hunter2\na: 1\n");
    assert_eq!(after_blanks.as_deref(), Ok("password: |\n\n \n  ********\na: 1\n"));
}

#[test]
fn json_is_yaml() {
    assert_eq!(mask_yaml(r#"{"password":"x","n":1}"#).unwrap(), r#"{"password":"********","n":1}"#);
    assert_eq!(mask_yaml("").unwrap(), "");
    assert_eq!(mask_yaml("password=hunter2").unwrap(), "\"password=********\"");
}

#[test]
fn what_cannot_be_told_apart_is_not_shown() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    for text in [
        "a: &x hunter2\npassword: *x",
        "password: 1\npassword: 2",
        "? [a]\n: b",
        "a: b: c",
        "a: \"unclosed",
        "- a\nb: c",
        &deep,
    ] {
        assert_eq!(mask_yaml(text), Err(MaskError), "{text}");
    }
}
