//! JSON as a client reads it: on one line, with no number that a double would change.

use super::{is_space, number, structure::end_of};

/// Appends `value` to `out`: numbers that a double can't hold as strings, without white space
/// between tokens, and all else byte for byte. `value` must have passed [`super::check()`].
pub fn copy(value: &str, out: &mut String) {
    out.reserve(value.len());
    let bytes = value.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'"' | b'-' | b'0'..=b'9' => end_of(bytes, at).unwrap_or(bytes.len()),
            _ => at + 1,
        };
        let token = value.get(at..end).unwrap_or_default();
        match byte {
            byte if is_space(*byte) => {}
            b'-' | b'0'..=b'9' if number::is_wide(token) => {
                out.push('"');
                out.push_str(token);
                out.push('"');
            }
            _ => out.push_str(token),
        }
        at = end;
    }
}

/// Appends `text` to `out` as a JSON string.
pub fn push_string(text: &str, out: &mut String) {
    // A text can always be written.
    if let Ok(json) = serde_json::to_string(text) {
        out.push_str(&json);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_numbers_become_strings_and_all_else_stays_byte_for_byte() {
        for (value, expected) in [
            (
                concat!(
                    r#"{"z":1915883588174806058,"a":12345678901234567.89,"#,
                    r#""m":[-9007199254740992,1e400,0.10,1E2]}"#,
                ),
                concat!(
                    r#"{"z":"1915883588174806058","a":"12345678901234567.89","#,
                    r#""m":["-9007199254740992","1e400",0.10,1E2]}"#,
                ),
            ),
            (
                " {\n  \"a b\\\"\\u00e9\" : [ true ,\r\n\tnull ] }\n",
                r#"{"a b\"\u00e9":[true,null]}"#,
            ),
            (r#"["9007199254740993, {} \\", 1]"#, r#"["9007199254740993, {} \\",1]"#),
            ("9007199254740993", r#""9007199254740993""#),
        ] {
            let mut out = String::new();
            copy(value, &mut out);
            assert_eq!(out, expected);
        }
    }
}
