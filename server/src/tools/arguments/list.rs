//! Lists of values.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// A list of `MIN` to `MAX` values. `MIN` is 0 only where an empty list says something: that there
/// shall be none. An argument that may be left out is an `Option` of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::tools) struct List<T, const MAX: usize, const MIN: usize = 1>(Vec<T>);

impl<T, const MAX: usize, const MIN: usize> List<T, MAX, MIN> {
    pub(in crate::tools) fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize, const MIN: usize> Deserialize<'de>
    for List<T, MAX, MIN>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = Vec::deserialize(deserializer)?;
        if values.len() < MIN {
            Err(D::Error::custom(format_args!("has fewer than {MIN} entries")))
        } else if values.len() > MAX {
            Err(D::Error::custom(format_args!("has more than {MAX} entries")))
        } else {
            Ok(Self(values))
        }
    }
}

impl<T: JsonSchema, const MAX: usize, const MIN: usize> JsonSchema for List<T, MAX, MIN> {
    fn schema_name() -> Cow<'static, str> {
        format!("List_{MIN}_{MAX}_of_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "type": "array", "items": item, "minItems": MIN, "maxItems": MAX })
    }
}
