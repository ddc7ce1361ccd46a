//! What HQ and its agents say when they refuse: several shapes, read as one.
//!
//! HQ sends a problem document (RFC 7807, `application/problem+json`): `{type, title, status,
//! detail, invalid_fields[], request_id}`. An agent, reached through HQ's proxy, sends `{error,
//! fields: [{field, error, lineNumber, columnNumber}], errorType}`. `{errors: […]}`, `{error:
//! {message}}`, OAuth's `error_description` and short plain text are read too.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::media_type::essence;

/// The longest text that is passed on, in characters. A stack trace helps no model.
const MAX_TEXT: usize = 2_000;
/// The most field faults that are passed on.
const MAX_FIELDS: usize = 20;
/// The longest plain text that is passed on, in characters: a sentence or two, and no log.
const MAX_PLAIN: usize = 500;
/// The largest body that is read, in bytes. Larger ones are no problem documents.
const MAX_BODY: usize = 256 << 10;
/// Where the sentence for people stands, the best first.
const MESSAGES: &[&str] = &["title", "error_description", "message", "error"];

/// A refusal in the words of HQ or an agent. Every part may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, for people.
    pub message: Option<String>,
    /// HQ's `type` or the agent's `errorType`, for programs: `agent_not_connected`,
    /// `validation_error`, …
    pub kind: Option<String>,
    /// Which fields of the request are wrong.
    pub fields: Vec<FieldFault>,
    /// HQ's name for the request, to find it in HQ's log.
    pub request_id: Option<String>,
}

/// One wrong field of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The field as HQ or the agent calls it; may be empty.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
    /// Line and column, where the field is a text such as a query.
    pub position: Option<(u64, u64)>,
}

impl Problem {
    /// Puts each text for people through `change`.
    pub(super) fn map_reasons(&mut self, change: impl Fn(&str) -> String) {
        let faults = self.fields.iter_mut().map(|fault| &mut fault.message);
        for text in self.message.iter_mut().chain(faults) {
            *text = change(text);
        }
    }

    /// Whether a rebalance is given as the reason.
    pub(super) fn names_rebalance(&self) -> bool {
        self.message.as_deref().is_some_and(|text| text.to_lowercase().contains("rebalanc"))
    }

    /// Reads a reply's body. One that is of no known shape gives an empty problem: a proxy's page
    /// is not passed on. `credential` is struck out should HQ repeat it.
    pub(super) fn read(content_type: &str, body: &[u8], credential: &SecretString) -> Self {
        if body.len() > MAX_BODY {
            return Self::default();
        }
        match serde_json::from_slice(body) {
            Ok(value) => Self::from_value(&value, credential),
            Err(_) if essence(content_type).eq_ignore_ascii_case("text/plain") => {
                Self { message: plain(body, credential), ..Self::default() }
            }
            Err(_) => Self::default(),
        }
    }

    /// Reads a parsed body: any shape, or a text that is the message itself.
    pub(super) fn from_value(value: &Value, credential: &SecretString) -> Self {
        let outer = Self::from_value_at(value, credential);
        // `{"error": {"message": …}}`: what is said stands one level deeper.
        let Some(inner @ Value::Object(_)) = value.get("error") else { return outer };
        let inner = Self::from_value_at(inner, credential);
        Self {
            message: inner.message.or(outer.message),
            kind: inner.kind.or(outer.kind),
            fields: [outer.fields, inner.fields].concat(),
            request_id: outer.request_id.or(inner.request_id),
        }
    }

    fn from_value_at(value: &Value, credential: &SecretString) -> Self {
        let clean = |text: &str| clean(text, credential, MAX_TEXT);
        let text = |names: &[&str]| {
            names
                .iter()
                .find_map(|name| value.get(name)?.as_str())
                .map(clean)
                .filter(|text| !text.is_empty())
        };
        let faults =
            ["invalid_fields", "fields"].iter().find_map(|name| value.get(name)?.as_array());
        let mut message = value.as_str().map(clean).or_else(|| text(MESSAGES));
        // RFC 7807: `title` is the same for all problems of a type, `detail` says what is wrong
        // this time.
        if let (Some(title), Some(detail)) = (&mut message, text(&["detail"]))
            && *title != detail
        {
            *title = format!("{title}: {detail}");
        }
        let errors = value.get("errors").unwrap_or(value).as_array().into_iter().flatten();
        let said = errors.take(MAX_FIELDS).filter_map(|error| said(error).map(clean));
        let message = message.or_else(|| text(&["detail"])).into_iter().chain(said);
        let message = message.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ");
        Self {
            message: Some(clean(&message)).filter(|message| !message.is_empty()),
            kind: text(&["type", "errorType"]).filter(|kind| kind != "about:blank"),
            fields: faults
                .into_iter()
                .flatten()
                .take(MAX_FIELDS)
                .filter_map(|fault| field(fault, &clean))
                .collect(),
            request_id: text(&["request_id"]),
        }
    }
}

/// What one of several errors says.
fn said(error: &Value) -> Option<&str> {
    let mut names = MESSAGES.iter().chain(&["detail"]);
    error.as_str().or_else(|| names.find_map(|name| error.get(name)?.as_str()))
}

/// Plain text that is short and no page.
fn plain(body: &[u8], credential: &SecretString) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let is_page = text.trim_start().starts_with('<') || text.contains("</");
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    Some(clean(&text, credential, MAX_PLAIN)).filter(|text| !is_page && !text.is_empty())
}

fn field(fault: &Value, clean: &impl Fn(&str) -> String) -> Option<FieldFault> {
    let text = |names: &[&str]| names.iter().find_map(|name| fault.get(name)?.as_str()).map(clean);
    let number = |name| fault.get(name).and_then(Value::as_u64);
    Some(match fault {
        Value::String(field) => {
            FieldFault { field: clean(field), message: "is not valid".to_owned(), position: None }
        }
        Value::Object(_) => FieldFault {
            field: text(&["field", "name"]).unwrap_or_default(),
            message: text(&["error", "message", "detail", "reason"])
                .unwrap_or_else(|| "is not valid".to_owned()),
            position: number("lineNumber").zip(number("columnNumber")),
        },
        _ => return None,
    })
}

/// Bounds a text to `longest` characters and strikes out the credential.
pub(super) fn clean(text: &str, credential: &SecretString, longest: usize) -> String {
    let secret = credential.expose_secret();
    let text = text.trim();
    let text =
        if secret.is_empty() { text.to_owned() } else { text.replace(secret, "[credential]") };
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.as_deref().unwrap_or("no reason was given"))?;
        for FieldFault { field, message, position } in &self.fields {
            if field.is_empty() {
                write!(f, "; {message}")?;
            } else {
                write!(f, "; {field}: {message}")?;
            }
            if let Some((line, column)) = position {
                write!(f, " (line {line}, column {column})")?;
            }
        }
        match (&self.kind, &self.request_id) {
            (Some(kind), Some(request)) => write!(f, " [{kind}, request {request}]"),
            (Some(kind), None) => write!(f, " [{kind}]"),
            (None, Some(request)) => write!(f, " [request {request}]"),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Problem {
        Problem::read("application/json", body.as_bytes(), &"s3cret-token".into())
    }

    fn read_text(body: &str) -> Option<String> {
        Problem::read("text/plain; charset=utf-8", body.as_bytes(), &"s3cret-token".into()).message
    }

    #[test]
    fn each_shape_is_read_whole() {
        for (body, text) in [
            (
                r#"{"type":"validation_error","title":"Invalid input","detail":"the name is taken",
                    "status":400,"request_id":"r-1","invalid_fields":
                    [{"name":"partitions","reason":"must be positive"},"replication"]}"#,
                "Invalid input: the name is taken; partitions: must be positive; replication: is \
                 not valid [validation_error, request r-1]",
            ),
            (
                r#"{"error":"SQL is wrong","errorType":"SqlError",
                    "fields":[{"field":"sql","error":"unexpected FORM",
                               "lineNumber":1,"columnNumber":10}]}"#,
                "SQL is wrong; sql: unexpected FORM (line 1, column 10) [SqlError]",
            ),
            (r#"{"error":"invalid_token","error_description":"expired"}"#, "expired"),
            (r#"{"type":"about:blank","title":"Not Found"}"#, "Not Found"),
            (r#""plain words""#, "plain words"),
            (
                r#"{"errors":["no such topic",{"message":"no such group"},7]}"#,
                "no such topic; no such group",
            ),
            (r#"{"title":"Invalid","errors":[{"detail":"too many"}]}"#, "Invalid; too many"),
            (r#"[{"error":"no such topic"}]"#, "no such topic"),
            (
                r#"{"error":{"message":"upstream is gone","type":"agent_rpc_error"}}"#,
                "upstream is gone [agent_rpc_error]",
            ),
            (r#"{"error":{"title":"Bad","errors":["a"]}}"#, "Bad; a"),
            (
                r#"{"fields":[{"error":"no field is named"},7,null]}"#,
                "no reason was given; no field is named",
            ),
        ] {
            assert_eq!(read(body).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_problem_document_is_not_passed_on() {
        for body in [
            "",
            "<html>secret page</html>",
            "plain",
            "[1]",
            "{",
            "null",
            r#"{"title":7}"#,
            r#"{"errors":7}"#,
        ] {
            assert_eq!(read(body), Problem::default(), "{body}");
        }
    }

    #[test]
    fn short_plain_text_is_the_message_and_a_page_is_none() {
        for (body, message) in [
            ("the licence has expired\n", Some("the licence has expired")),
            ("no route for s3cret-token\u{1b}[0m", Some("no route for [credential][0m")),
            (r#"{"title":"JSON all the same"}"#, Some("JSON all the same")),
            ("", None),
            (" \n", None),
            ("<!DOCTYPE html>log in", None),
            ("502 <b>Bad Gateway</b>", None),
        ] {
            assert_eq!(read_text(body).as_deref(), message, "{body}");
        }
        assert_eq!(read_text(&"é".repeat(5_000)).unwrap().chars().count(), MAX_PLAIN + 1);
        let too_large = format!(r#"{{"title":"x","padding":"{}"}}"#, "x".repeat(MAX_BODY));
        assert_eq!(read(&too_large), Problem::default());
    }

    #[test]
    fn a_repeated_credential_is_struck_out_and_long_text_is_cut() {
        let problem = read(r#"{"title":"bad token s3cret-token"}"#);
        assert_eq!(problem.message.unwrap(), "bad token [credential]");
        let long = read(&format!(r#"{{"error":"{}"}}"#, "é".repeat(5_000)));
        assert_eq!(long.message.unwrap().chars().count(), MAX_TEXT + 1);
    }
}
