//! HQ's lists: digits and the order of keys never change, and what is passed on is JSON.

use bytes::Bytes;

use super::{RawList, RawObject, RawRecord};
use crate::{
    fuzz::fuzz,
    json::{self, Need},
};

/// A JSON text without white space between tokens and without quotes: digits and keys in their
/// order.
fn bare(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !b"\" \t\r\n".contains(byte)).collect()
}

/// Asserts that `written` is what was sent, if JSON readers take that.
fn assert_unchanged(sent: &[u8], written: &str) {
    assert_eq!(json::check(written.as_bytes()), Ok(Need::Nothing), "{written}");
    match json::check(sent) {
        Ok(Need::Nothing) => assert_eq!(sent, written.as_bytes()),
        Ok(Need::Copy) => assert_eq!(bare(sent), bare(written.as_bytes())),
        Err(_) => assert!(written.contains("JSON readers refuse"), "{written}"),
    }
}

#[test]
fn digits_and_key_order_stay_and_the_output_is_json() {
    fuzz("records", |input| {
        if let Ok(object) = RawObject::read(Bytes::copy_from_slice(input)) {
            assert_unchanged(input, object.as_str());
        }
        let Ok(list) = RawList::read(Bytes::copy_from_slice(input)) else { return };
        for (record, part) in list.iter().zip(json::Parts::of_array(input)) {
            let sent = &input[part.unwrap().value];
            assert_eq!(record, RawRecord::new(sent));
            assert_unchanged(sent, record.to_object("name").as_str());
        }
    });
}
