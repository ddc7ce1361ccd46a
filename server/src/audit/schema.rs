//! The JSON Schema of a line, made from the types that write it.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::line::Line;

/// The JSON Schema (2020-12) of a line.
#[must_use]
pub fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<Line<'_>>().to_value();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    properties.map(Map::values_mut).into_iter().flatten().for_each(without_null);
    schema
}

/// What is absent is not null.
fn without_null(schema: &mut Value) {
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            schema["type"] = only.clone();
        }
    }
}
