//! Values by name, in either of two ways of writing them.

use std::{collections::HashSet, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

use super::shortened;

/// Values by name: an object, or a list of `{"key": …, "value": …}`. The list is what is published,
/// because some vendors' models can't fill an object whose members are not known. No name is given
/// twice.
pub(super) struct KeyValues<V>(pub(super) Vec<(String, V)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with \"key\" and \"value\"")]
struct KeyValue<V> {
    key: String,
    value: V,
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for KeyValues<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Either<V> {
            type Value = Vec<(String, V)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of {\"key\": …, \"value\": …} or an object")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(KeyValue { key, value }) = seq.next_element()? {
                    values.push((key, value));
                }
                Ok(values)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    values.push(entry);
                }
                Ok(values)
            }
        }

        let values = deserializer.deserialize_any(Either(PhantomData))?;
        let mut names = HashSet::new();
        match values.iter().find(|(name, _)| !names.insert(name)) {
            Some((name, _)) => {
                Err(D::Error::custom(format_args!("{:?} is given twice", shortened(name))))
            }
            None => Ok(Self(values)),
        }
    }
}
