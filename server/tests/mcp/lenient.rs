//! Arguments as client programs send them: empty, as text, as a list or an object, with one of
//! their own. Each is the same call as the plain one.

use lenses_mcp_server::tools;
use serde_json::{Value, json};

use crate::{
    every_argument::Bench,
    places::{good_with, places_of},
    valid,
};

#[tokio::test]
async fn numbers_and_flags_are_taken_as_text_too() {
    let bench = Bench::new().await;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.call(tool, &good).await;
        for place in places_of(tool, &good) {
            if matches!(place.schema["type"].as_str(), Some("integer" | "boolean")) {
                let text = good.pointer(&place.pointer).unwrap().to_string();
                let call = bench.call(tool, &good_with(&good, &place.pointer, json!(text))).await;
                assert_eq!(call, expected, "{} {}", tool.name(), place.pointer);
            }
        }
    }
}

#[tokio::test]
async fn an_optional_argument_that_is_empty_is_an_argument_left_out() {
    let bench = Bench::new().await;
    let mut optional = 0;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        for place in places_of(tool, &good).iter().filter(|place| place.is_optional) {
            optional += 1;
            let mut without = good.clone();
            let (parent, name) = place.pointer.rsplit_once('/').unwrap();
            without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
            let expected = bench.call(tool, &without).await;
            let mut empty = vec![json!(""), json!([]), json!({}), Value::Null];
            // A text may be called so.
            if place.kinds != ["string"] && place.kinds.iter().all(|kind| is_container(kind)) {
                empty.extend([json!("[]"), json!("{}"), json!("null"), json!(" null ")]);
                empty.retain(|empty| {
                    let text = empty.as_str().unwrap_or_default().trim();
                    let kind = match text {
                        "[]" => "array",
                        "{}" => "object",
                        _ => return true,
                    };
                    place.kinds.contains(&kind)
                });
            }
            for empty in empty {
                let call = bench.call(tool, &good_with(&good, &place.pointer, empty.clone())).await;
                assert_eq!(call, expected, "{} {} {empty}", tool.name(), place.pointer);
            }
        }
    }
    assert!(optional >= 60, "{optional} optional arguments");
}

#[tokio::test]
async fn a_list_or_an_object_is_taken_as_json_text_too() {
    let bench = Bench::new().await;
    let mut taken = 0;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.call(tool, &good).await;
        for place in places_of(tool, &good) {
            if place.kinds.iter().all(|kind| is_container(kind)) {
                taken += 1;
                let text = good.pointer(&place.pointer).unwrap().to_string();
                let call = bench.call(tool, &good_with(&good, &place.pointer, json!(text))).await;
                assert_eq!(call, expected, "{} {}", tool.name(), place.pointer);
            }
        }
    }
    assert!(taken >= 20, "{taken} lists and objects");
}

#[tokio::test]
async fn settings_are_taken_as_a_list_and_as_an_object_alike() {
    let bench = Bench::new().await;
    let mut taken = 0;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.call(tool, &good).await;
        for place in
            places_of(tool, &good).iter().filter(|place| place.kinds == ["array", "object"])
        {
            taken += 1;
            let list = good.pointer(&place.pointer).unwrap().as_array().unwrap();
            let entry =
                |item: &Value| (item["key"].as_str().unwrap().to_owned(), item["value"].clone());
            let object: Value = list.iter().map(entry).collect();
            let call = bench.call(tool, &good_with(&good, &place.pointer, object)).await;
            assert_eq!(call, expected, "{} {}", tool.name(), place.pointer);
            let twice = json!([list[0], list[0]]);
            let (said, seen) = bench.call(tool, &good_with(&good, &place.pointer, twice)).await;
            assert!(said.contains("is given twice") && seen.is_empty(), "{said}");
        }
    }
    assert_eq!(taken, 7);
}

#[tokio::test]
async fn what_a_client_program_adds_reaches_nobody() {
    let bench = Bench::new().await;
    for tool in tools::registry().iter() {
        let good = valid::arguments(tool.name());
        let expected = bench.call(tool, &good).await;
        for value in [json!(true), json!("false"), json!({ "a": 1 }), Value::Null] {
            let given = good_with(&good, "/wait_for_previous", value);
            assert_eq!(bench.call(tool, &given).await, expected, "{}", tool.name());
        }
    }
}

fn is_container(kind: &str) -> bool {
    matches!(kind, "array" | "object")
}
