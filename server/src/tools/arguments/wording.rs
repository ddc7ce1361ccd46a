//! What serde says of a value, in words of JSON: a model knows no Rust.

/// What a value is, as serde calls it at the begin of a message, and as JSON does.
const FOUND: &[(&str, &str)] = &[
    ("invalid type: sequence,", "invalid type: a list,"),
    ("invalid type: map,", "invalid type: an object,"),
    ("invalid value: map,", "invalid value: an object,"),
    ("unknown variant ", "unknown value "),
];

/// What is expected, as serde calls it at the end of a message, and as JSON does.
const EXPECTED: &[(&str, &str)] = &[
    (" expected a sequence", " expected a list"),
    (" expected a map", " expected an object"),
    (" expected string or map", " expected a string"),
    (" expected map with a single key", " expected a string"),
    (" expected unit", " expected null"),
];

/// `message` in words of JSON. What it repeats of the value stays as it is: only its ends change.
pub(super) fn in_json(message: &str) -> String {
    let found = FOUND.iter().find_map(|(serde, json)| Some((json, message.strip_prefix(serde)?)));
    let (begin, rest) = found.map_or(("", message), |(json, rest)| (*json, rest));
    let expected =
        EXPECTED.iter().find_map(|(serde, json)| Some((rest.strip_suffix(serde)?, json)));
    let (rest, end) = expected.map_or((rest, ""), |(rest, json)| (rest, *json));
    format!("{begin}{rest}{end}")
}
