//! What HQ says, as HQ wrote it: digits and the order of keys never change.
//!
//! A list stays the bytes of the reply, with a note of where each record stands; a record is
//! checked and copied only if it is passed on. What JSON readers would refuse is replaced alone: in
//! a list the record, in an object the member or, if that is a list, its record.

mod object;
mod salvage;

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;

pub use self::object::RawObject;
use self::salvage::{Unreadable, push_unreadable, write};
pub(super) use self::salvage::{is_complete, salvage_value};
use super::Object;
use crate::json::{self, Checked, Malformed, Need};

/// A list of JSON objects: HQ's reply, and where each record stands in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawList {
    text: Bytes,
    records: Vec<Place>,
}

/// Where a record stands, and what was found when it was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    range: Range<u32>,
    check: Result<Need, Unreadable>,
}

impl Place {
    fn record<'a>(&self, text: &'a [u8]) -> RawRecord<'a> {
        let range = self.range.start as usize..self.range.end as usize;
        RawRecord { text: text.get(range).unwrap_or_default(), check: self.check }
    }
}

/// Why a text is no list of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoList {
    /// It is not JSON.
    Malformed,
    /// It is JSON of another kind.
    Other,
}

impl RawList {
    /// The list that `text` is. A record that can't be read ends where its brackets say. What is no
    /// object is replaced, if there are objects beside it.
    pub(super) fn read(text: Bytes) -> Result<Self, NoList> {
        if text.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'[') {
            let is_other = is_complete(&text);
            return Err(if is_other { NoList::Other } else { NoList::Malformed });
        }
        let (mut records, mut has_object) = (Vec::new(), false);
        for element in json::checked_elements(&text) {
            let Checked { place, check } = element.map_err(|Malformed| NoList::Malformed)?;
            let (Ok(start), Ok(end)) = (u32::try_from(place.start), u32::try_from(place.end))
            else {
                return Err(NoList::Malformed);
            };
            let is_object = text.get(place.start) == Some(&b'{');
            has_object |= is_object;
            let check =
                if is_object { check.map_err(Unreadable::Fault) } else { Err(Unreadable::Kind) };
            records.push(Place { range: start..end, check });
        }
        if has_object || records.is_empty() {
            Ok(Self { text, records })
        } else {
            Err(NoList::Other)
        }
    }

    /// The list that `text` is, which must be one.
    #[cfg(test)]
    pub(crate) fn parse(text: &str) -> Self {
        Self::read(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    /// The list that stands in the member `name` of the object `reply`; an empty one if there is
    /// none, or null.
    pub(super) fn of_member(reply: &Bytes, name: &str) -> Result<Self, NoList> {
        if !is_complete(reply) {
            return Err(NoList::Malformed);
        }
        match json::member(reply, name) {
            None | Some(b"null") => Ok(Self::default()),
            Some(list) => Self::read(reply.slice_ref(list)),
        }
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The records in HQ's order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RawRecord<'_>> {
        self.records.iter().map(|place| place.record(&self.text))
    }

    /// Length of the list that HQ sent, in bytes: about what writing all records takes.
    #[must_use]
    pub fn text_length(&self) -> usize {
        self.text.len()
    }

    /// Keeps the records for which `keep` is true.
    pub fn retain(&mut self, keep: impl Fn(RawRecord<'_>) -> bool) {
        let Self { text, records } = self;
        records.retain(|place| keep(place.record(text)));
    }
}

/// One record of a list, as HQ wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord<'a> {
    text: &'a [u8],
    check: Result<Need, Unreadable>,
}

impl<'a> RawRecord<'a> {
    /// `record`, the text of a JSON object.
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, check: json::check(text).map_err(Unreadable::Fault) }
    }

    /// The value of the member `name`.
    #[must_use]
    pub fn member(self, name: &str) -> Option<&'a [u8]> {
        json::member(self.text, name)
    }

    /// The text that the member `name` is.
    #[must_use]
    pub fn text(self, name: &str) -> Option<Cow<'a, str>> {
        json::text(self.member(name)?)
    }

    /// Appends the record to `out` as a client reads it. One that JSON readers refuse is replaced
    /// by an object that says so, and that has its member `name` if there is one.
    pub fn write(self, name: &str, out: &mut String) {
        if let Err(fault) = write(self.text, self.check, out) {
            out.push('{');
            if let Some(text) = self.text(name) {
                json::push_string(name, out);
                out.push(':');
                json::push_string(&text, out);
                out.push(',');
            }
            push_unreadable(fault, out);
            out.push('}');
        }
    }

    /// The record as an object of its own.
    #[must_use]
    pub fn to_object(self, name: &str) -> RawObject {
        let mut json = String::with_capacity(self.text.len());
        self.write(name, &mut json);
        RawObject::new(json)
    }

    /// The record as a tree, to be read and not to be passed on.
    #[must_use]
    pub fn parsed(self, name: &str) -> Object {
        serde_json::from_str(self.to_object(name).as_str()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEFT_OUT: &str = "which JSON readers refuse, so that it is left out";

    fn object(reply: &str) -> Result<String, Malformed> {
        RawObject::read(Bytes::copy_from_slice(reply.as_bytes())).map(RawObject::into_string)
    }

    fn list(reply: &str) -> Result<RawList, NoList> {
        RawList::read(Bytes::copy_from_slice(reply.as_bytes()))
    }

    #[test]
    fn an_object_is_its_bytes_with_wide_numbers_as_strings() {
        let same = r#"{"z":1.10, "a" : [{"n":9007199254740991}]}"#;
        assert_eq!(object(same).as_deref(), Ok(same));
        assert_eq!(
            object("{\n \"z\": 1915883588174806058,\n \"a\": 1}\n").as_deref(),
            Ok(r#"{"z":"1915883588174806058","a":1}"#)
        );
        for reply in ["", "{", "[]", "{} {}", "7", r#"{"a":1,}"#] {
            assert!(object(reply).is_err(), "{reply}");
        }
    }

    #[test]
    fn a_record_that_cannot_be_read_keeps_its_name_and_its_place() {
        let list = list(r#"[{"id":"a","n":1e400},{"v":"\udc00","id":"b"},{"id":"c"}]"#).unwrap();
        let mut out = String::new();
        for record in list.iter() {
            record.write("id", &mut out);
        }
        assert_eq!(
            out,
            format!(
                concat!(
                    r#"{{"id":"a","n":"1e400"}}"#,
                    r#"{{"id":"b","unreadable":"Lenses sent half a surrogate pair here, {}"}}"#,
                    r#"{{"id":"c"}}"#,
                ),
                LEFT_OUT
            )
        );
        assert_eq!(
            list.iter().map(|record| record.text("id").unwrap()).collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
    }

    #[test]
    fn what_is_no_object_is_replaced_and_the_records_beside_it_stay() {
        let list = list(r#"[null,1,"x",{"id":"a"}]"#).unwrap();
        let mut out = String::new();
        for record in list.iter() {
            record.write("id", &mut out);
        }
        let why = "Lenses sent something here that is no object, so that it is left out";
        let replaced = format!(r#"{{"unreadable":"{why}"}}"#);
        assert_eq!(out, replaced.repeat(3) + r#"{"id":"a"}"#);
    }

    #[test]
    fn a_reply_without_a_list_of_objects_differs_from_invalid_json() {
        assert_eq!(list(" [ ] ").unwrap().len(), 0);
        for reply in ["[1]", "[null,[{}]]", "{}", "null", "\"a\"", r#"{"a":"\ud800"}"#] {
            assert_eq!(list(reply), Err(NoList::Other), "{reply}");
        }
        for reply in ["", "[", "[{}", "[{}]]", "[{} {}]", "{", "<html>", "\u{1f}"] {
            assert_eq!(list(reply), Err(NoList::Malformed), "{reply}");
        }
    }

    #[test]
    fn a_list_in_an_object_shares_the_bytes_of_the_reply() {
        let reply = Bytes::from_static(br#"{"total":1,"items":[{"name":"dev"}]}"#);
        let list = RawList::of_member(&reply, "items").unwrap();
        assert_eq!(list.iter().next().unwrap().text("name").unwrap(), "dev");
        assert!(reply.as_ptr_range().contains(&list.text.as_ptr()));
        for empty in ["{}", r#"{"items":null}"#, r#"{"items":[]}"#] {
            assert!(RawList::of_member(&Bytes::from(empty), "items").unwrap().is_empty());
        }
        assert_eq!(
            RawList::of_member(&Bytes::from_static(b"{\"items\":[]"), "items"),
            Err(NoList::Malformed)
        );
    }

    #[test]
    fn texts_are_found_in_whichever_list_an_object_has() {
        let object = RawObject::new(
            r#"{"n":1,"a":[{"x":1,"b":"1"},{"c":"2"},7],"d":[{"b":"3"}]}"#.to_owned(),
        );
        assert_eq!(object.texts_in_lists(&["b", "c"]).collect::<Vec<_>>(), ["1", "2", "3"]);
    }
}
