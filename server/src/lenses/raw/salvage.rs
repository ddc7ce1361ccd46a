//! What is kept of JSON that readers refuse.

use std::fmt::Write as _;

use super::RawRecord;
use crate::json::{self, Fault, Malformed, Need, Parts};

/// The member that stands in place of what can't be read.
const UNREADABLE: &str = "unreadable";

/// Why a value is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// JSON readers would refuse it.
    #[error("{0} here, which JSON readers refuse")]
    Fault(Fault),
    /// It stands where a record belongs.
    #[error("something here that is no object")]
    Kind,
}

/// Whether `text` is one JSON value, as far as its brackets tell.
pub(in crate::lenses) fn is_complete(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    match text.first() {
        Some(b'{') => Parts::of_object(text).all(|part| part.is_ok()),
        Some(b'[') => Parts::of_array(text).all(|part| part.is_ok()),
        _ => json::check(text).is_ok(),
    }
}

/// Appends `value` to `out` if JSON readers take it, as `check` says.
pub(super) fn write(
    value: &[u8],
    check: Result<Need, Unreadable>,
    out: &mut String,
) -> Result<(), Unreadable> {
    let need = check?;
    let value = std::str::from_utf8(value).map_err(|_| Unreadable::Fault(Fault::Encoding))?;
    match need {
        Need::Nothing => out.push_str(value),
        Need::Copy => json::copy(value, out),
    }
    Ok(())
}

/// Appends `"unreadable":"…"`, without braces.
pub(super) fn push_unreadable(why: Unreadable, out: &mut String) {
    let _infallible = write!(out, r#""{UNREADABLE}":"Lenses sent {why}, so that it is left out""#);
}

/// As much of the object `reply` as can be read.
pub(super) fn salvage(reply: &[u8]) -> Result<String, Malformed> {
    let mut out = String::with_capacity(reply.len());
    out.push('{');
    for part in Parts::of_object(reply) {
        let part = part?;
        let (Some(key), Some(value)) = (reply.get(part.key), reply.get(part.value)) else {
            return Err(Malformed);
        };
        if out.len() > 1 {
            out.push(',');
        }
        if let Err(fault) = write(key, json::check(key).map_err(Unreadable::Fault), &mut out) {
            push_unreadable(fault, &mut out);
            continue;
        }
        out.push(':');
        salvage_value(value, &mut out);
    }
    out.push('}');
    Ok(out)
}

/// Appends `value` to `out`, with what can't be read replaced: of a list, its records one by one.
pub(in crate::lenses) fn salvage_value(value: &[u8], out: &mut String) {
    let check = json::check(value).map_err(Unreadable::Fault);
    let Err(fault) = write(value, check, out) else { return };
    let start = out.len();
    let records: Result<Vec<_>, Malformed> = Parts::of_array(value).collect();
    let Ok(records) = records else {
        out.push('{');
        push_unreadable(fault, out);
        out.push('}');
        return;
    };
    out.push('[');
    for record in records {
        if out.len() > start + 1 {
            out.push(',');
        }
        RawRecord::new(value.get(record.value).unwrap_or_default()).write("name", out);
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_read_of_an_object_is_replaced() {
        let left_out = "which JSON readers refuse, so that it is left out";
        let deep = "[".repeat(200) + &"]".repeat(200);
        let reply = format!(
            concat!(
                r#"{{"a":1,"b":"\ud800","list":[{{"name":"x","v":NaN}},{{"name":"y"}}],"#,
                r#""d":{{"e":{}}},"z":2}}"#,
            ),
            deep
        );
        assert_eq!(
            salvage(reply.as_bytes()).unwrap(),
            format!(
                concat!(
                    r#"{{"a":1,"b":{{"unreadable":"Lenses sent half a surrogate pair here, "#,
                    r#"{left_out}"}},"list":[{{"name":"x","unreadable":"Lenses sent text that "#,
                    r#"is not JSON here, {left_out}"}},{{"name":"y"}}],"d":{{"unreadable":"#,
                    r#""Lenses sent more than 120 levels of nesting here, {left_out}"}},"z":2}}"#,
                ),
                left_out = left_out
            )
        );
    }
}
