//! Frames of the SQL websocket: rows stay JSON, and no message repeats the credential.

use secrecy::SecretString;

use super::{frame::Frame, rows::Collected};
use crate::{
    fuzz::fuzz,
    json::{self, Need},
};

const CREDENTIAL: &str = "credential-of-the-caller";
/// Longest problem that is passed on, in bytes: a text, and twenty fields.
const MESSAGE_MAX: usize = 400_000;

#[test]
fn frames_give_rows_that_are_json_and_messages_without_the_credential() {
    let credential = SecretString::from(CREDENTIAL);
    fuzz("frame", |input| match Frame::read(input, &credential) {
        Ok(Frame::Record(row)) => {
            let mut rows = Collected::new();
            rows.push(row);
            rows.push(row);
            let rows = rows.end(None, None);
            assert_eq!(json::check(rows.json.as_bytes()), Ok(Need::Nothing), "{}", rows.json);
            assert_eq!(json::Parts::of_array(rows.json.as_bytes()).count(), 2);
        }
        Ok(Frame::Error(problem) | Frame::Invalid(problem)) => assert_clean(&problem.to_string()),
        Ok(Frame::Success(Some(text))) => assert_clean(&text),
        Ok(_) => {}
        Err(error) => assert_clean(&error.to_string()),
    });
}

fn assert_clean(text: &str) {
    assert!(text.len() <= MESSAGE_MAX, "{} bytes", text.len());
    assert!(!text.contains(CREDENTIAL), "{text}");
}
