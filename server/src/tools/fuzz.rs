//! SQL and connectors' settings: no statement hides another, and no secret is shown.

use serde_json::Value;

use super::{
    masking::{MASK, is_secret, mask_json, mask_yaml, shows_nothing},
    statement::{Token, required_scopes, tokens},
};
use crate::{fuzz::fuzz, json, scope::Scope};

#[test]
fn nothing_before_a_statement_hides_what_it_does() {
    fuzz("sql", |input| {
        let sql = String::from_utf8_lossy(input);
        let scopes = required_scopes(&format!("{sql}\n; DROP TABLE t"));
        assert!(scopes.contains(Scope::Delete), "{scopes}");
        let alone = required_scopes(&sql);
        for around in [format!("SELECT 1;{sql}"), format!("EXPLAIN {sql}")] {
            assert!(required_scopes(&around).covers(alone), "{around}");
        }
    });
}

#[test]
fn a_statement_needs_what_its_tokens_need() {
    fuzz("sql", |input| {
        let sql = String::from_utf8_lossy(input);
        let Ok(found) = tokens(&sql) else { return };
        let written: Vec<_> = found
            .iter()
            .map(|token| match token {
                Token::Word(word) => word.clone(),
                Token::Quoted(_) => "'quoted'".to_owned(),
                Token::Open => "(".to_owned(),
                Token::Close => ")".to_owned(),
                Token::Semicolon => ";".to_owned(),
                Token::Other(other) => other.to_string(),
            })
            .collect();
        let written = written.join(" ");
        if written.is_ascii() {
            assert_eq!(required_scopes(&written), required_scopes(&sql), "{written}");
        }
    });
}

/// Asserts that nothing under a secret's name is shown.
fn assert_masked(value: &Value, in_secret: bool) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                assert_masked(value, in_secret || is_secret(name));
            }
        }
        Value::Array(values) => values.iter().for_each(|value| assert_masked(value, in_secret)),
        Value::String(text) if in_secret => assert!(text == MASK || shows_nothing(text), "{text}"),
        Value::Number(number) if in_secret => panic!("{number}"),
        _ => {}
    }
}

/// The keys of an object, as they are written.
fn keys(object: &str) -> Vec<&str> {
    let parts = json::Parts::of_object(object.as_bytes()).map_while(Result::ok);
    parts.map(|part| &object[part.key]).collect()
}

#[test]
fn json_shows_no_value_of_a_secrets_name_and_keeps_its_keys() {
    fuzz("connector_json", |input| {
        let Ok(text) = std::str::from_utf8(input) else { return };
        if json::check(input).is_err() {
            return;
        }
        let masked = mask_json(text.to_owned());
        assert!(json::check(masked.as_bytes()).is_ok(), "{masked}");
        assert_eq!(keys(&masked), keys(text));
        // A number may be beyond what this reader takes.
        if let Ok(value) = serde_json::from_str(&masked) {
            assert_masked(&value, false);
        }
    });
}

#[test]
fn yaml_shows_no_secret_and_stays_yaml() {
    fuzz("connector_yaml", |input| {
        let text = String::from_utf8_lossy(input);
        if let Ok(masked) = mask_yaml(&text) {
            assert_eq!(mask_yaml(&masked).as_deref(), Ok(&*masked), "{masked}");
        }
        let with_secret = format!("db.password: hunter2hunter2\n{text}");
        if let Ok(masked) = mask_yaml(&with_secret) {
            assert!(!masked.contains("hunter2hunter2"), "{masked}");
        }
    });
}
