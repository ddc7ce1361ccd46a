//! How a topic's keys and values are written: formats, and the fields that a schema declares.

use serde::Deserialize;
use serde_json::Value;

use super::Field;
use crate::hq::agent_error::AgentError;

const FORMATS: [&str; 10] =
    ["BYTES", "STRING", "INT", "LONG", "JSON", "AVRO", "PROTOBUF", "XML", "CSV", "UUID"];

/// `format` of a topic's creation. What is left out is BYTES.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Formats {
    key: Option<Format>,
    value: Option<Format>,
}

#[derive(Debug, Deserialize)]
struct Format {
    format: String,
    schema: Option<String>,
}

/// Formats that are known to be good.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) key_type: String,
    pub(crate) key_schema: Option<String>,
    pub(crate) value_type: String,
    pub(crate) value_schema: Option<String>,
    pub(crate) fields: Vec<Field>,
}

impl Formats {
    /// # Errors
    /// The agent's `ValidationError`: an unknown format, a schema that is missing, that the format
    /// has none of, or that cannot be read.
    pub(crate) fn check(self) -> Result<Checked, AgentError> {
        let mut faults = Vec::new();
        let mut side = |name: &'static str, format: Option<Format>| {
            let format =
                format.unwrap_or_else(|| Format { format: "BYTES".to_owned(), schema: None });
            let kind = format.format.to_uppercase();
            let fields = match (kind.as_str(), format.schema.as_deref()) {
                (other, _) if !FORMATS.contains(&other) => Err(format!(
                    "{:?} is not a format: write one of {}",
                    format.format,
                    FORMATS.join(", ")
                )),
                ("AVRO", Some(schema)) => avro_fields(schema),
                ("PROTOBUF", Some(schema)) if !schema.contains("message") => {
                    Err("the schema declares no message".to_owned())
                }
                ("AVRO" | "PROTOBUF", None) => Err(format!("{kind} needs a schema")),
                ("JSON" | "PROTOBUF", _) | (_, None) => Ok(Vec::new()),
                (_, Some(_)) => Err(format!("{kind} has no schema")),
            };
            let fields = fields.unwrap_or_else(|fault| {
                faults.push((name, fault));
                Vec::new()
            });
            (kind, format.schema, fields)
        };
        let (key_type, key_schema, _) = side("format.key", self.key);
        let (value_type, value_schema, fields) = side("format.value", self.value);
        if faults.is_empty() {
            Ok(Checked { key_type, key_schema, value_type, value_schema, fields })
        } else {
            Err(AgentError::invalid(faults))
        }
    }
}

/// The fields of an Avro record, nested ones joined by dots.
fn avro_fields(schema: &str) -> Result<Vec<Field>, String> {
    let schema: Value = serde_json::from_str(schema)
        .map_err(|error| format!("the schema is not JSON ({error})"))?;
    let mut fields = Vec::new();
    collect(&schema, "", &mut fields)?;
    Ok(fields)
}

fn collect(record: &Value, prefix: &str, fields: &mut Vec<Field>) -> Result<(), String> {
    let declared =
        record.get("fields").and_then(Value::as_array).filter(|_| record["type"] == "record");
    // A schema may also be a primitive, which declares no fields.
    let Some(declared) = declared else {
        return match record {
            Value::String(_) => Ok(()),
            _ if prefix.is_empty() => {
                Err("the schema must be a primitive or a record with fields".to_owned())
            }
            _ => Ok(()),
        };
    };
    for field in declared {
        let name =
            field["name"].as_str().ok_or_else(|| "a field of the schema has no name".to_owned())?;
        let name = format!("{prefix}{name}");
        match plain(&field["type"]) {
            nested @ Value::Object(_) if nested["type"] == "record" => {
                collect(nested, &format!("{name}."), fields)?;
            }
            kind => fields.push(Field { name, kind: sql_name(kind).to_owned() }),
        }
    }
    Ok(())
}

/// The other branch of a union with null.
fn plain(kind: &Value) -> &Value {
    let other =
        kind.as_array().and_then(|branches| branches.iter().find(|branch| **branch != "null"));
    other.unwrap_or(kind)
}

fn sql_name(kind: &Value) -> &'static str {
    match kind.as_str() {
        Some("int" | "long") => "int",
        Some("float" | "double") => "decimal",
        Some("boolean") => "boolean",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(format: Value) -> Result<Checked, String> {
        let formats: Formats = serde_json::from_value(format).unwrap();
        formats.check().map_err(|error| error.to_string())
    }

    #[test]
    fn an_avro_schema_tells_the_fields() {
        let schema = json!({"type": "record", "name": "Invoice", "fields": [
            {"name": "id", "type": "long"},
            {"name": "paid", "type": ["null", "boolean"]},
            {
                "name": "to",
                "type": {
                    "type": "record", "name": "To", "fields": [{"name": "city", "type": "string"}]
                }
            },
        ]});
        let checked = check(json!({
            "key": {"format": "string"},
            "value": {"format": "AVRO", "schema": schema.to_string()}
        }));
        let checked = checked.unwrap();
        let fields: Vec<_> =
            checked.fields.iter().map(|field| (field.name.as_str(), field.kind.as_str())).collect();
        assert_eq!(fields, [("id", "int"), ("paid", "boolean"), ("to.city", "string")]);
        assert_eq!((checked.key_type.as_str(), checked.value_type.as_str()), ("STRING", "AVRO"));
        assert_eq!(checked.value_schema, Some(schema.to_string()));
        assert_eq!(check(json!({})).unwrap().value_type, "BYTES");
    }

    #[test]
    fn a_format_that_cannot_be_is_refused_with_its_side() {
        for (format, fault) in [
            (json!({"key": {"format": "YAML"}}), "format.key \"YAML\" is not a format"),
            (json!({"value": {"format": "AVRO"}}), "format.value AVRO needs a schema"),
            (json!({"value": {"format": "PROTOBUF"}}), "format.value PROTOBUF needs a schema"),
            (
                json!({"value": {"format": "AVRO", "schema": "{"}}),
                "format.value the schema is not JSON",
            ),
            (
                json!({"value": {"format": "AVRO", "schema": "{}"}}),
                "format.value the schema must be",
            ),
            (
                json!({"value": {"format": "PROTOBUF", "schema": "x"}}),
                "format.value the schema declares no message",
            ),
            (json!({"key": {"format": "INT", "schema": "x"}}), "format.key INT has no schema"),
        ] {
            let found = check(format.clone()).unwrap_err();
            assert!(found.contains(fault), "{format}: {found}");
        }
    }
}
