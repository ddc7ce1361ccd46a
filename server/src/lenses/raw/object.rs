//! An object of HQ's, whole.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use super::salvage::salvage;
use crate::json::{self, Malformed, Need, Parts};

/// A JSON object that every JSON reader takes, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawObject(String);

impl RawObject {
    /// `json`, the text of an object.
    pub(crate) fn new(json: String) -> Self {
        Self(json)
    }

    /// `value`, which is written as an object.
    pub(crate) fn of(value: &impl Serialize) -> Self {
        // What this server makes of its own can be written.
        Self(serde_json::to_string(value).unwrap_or_else(|_| "{}".to_owned()))
    }

    /// The object that `reply` is, or as much of it as can be read.
    pub(in crate::lenses) fn read(reply: Bytes) -> Result<Self, Malformed> {
        if !reply.trim_ascii_start().starts_with(b"{") {
            return Err(Malformed);
        }
        match json::check(&reply) {
            Ok(Need::Nothing) => String::from_utf8(reply.into()).map(Self).map_err(|_| Malformed),
            Ok(Need::Copy) => {
                let mut json = String::new();
                json::copy(std::str::from_utf8(&reply).map_err(|_| Malformed)?, &mut json);
                Ok(Self(json))
            }
            Err(_) => salvage(&reply).map(Self),
        }
    }

    /// The text of the object.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text of the object.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// The member `name` read as `T`; `None` if there is none, or it is something else.
    #[must_use]
    pub fn member<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(json::member(self.0.as_bytes(), name)?).ok()
    }

    /// The text of each record in the lists that are members of this object, under the first of
    /// `fields` that it has.
    pub fn texts_in_lists(&self, fields: &[&str]) -> impl Iterator<Item = Cow<'_, str>> {
        let bytes = self.0.as_bytes();
        let part = |range: Range<usize>| bytes.get(range).unwrap_or_default();
        let members =
            Parts::of_object(bytes).map_while(Result::ok).map(move |member| part(member.value));
        members
            .flat_map(|list| {
                let records = Parts::of_array(list).map_while(Result::ok);
                records.filter_map(|record| list.get(record.value))
            })
            .filter_map(move |record| {
                let text = |name: &&str| json::text(json::member(record, name)?);
                fields.iter().find_map(text)
            })
    }
}
