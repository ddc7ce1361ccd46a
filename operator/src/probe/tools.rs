//! The list of tools, and what stands for it: a count, and a digest that changes when a tool's name
//! or schema does.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What stands for a list of tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// How many there are.
    pub count: usize,
    /// `sha256:` and the digest, in hex, of the tools' names and schemas, sorted by name.
    pub digest: String,
}

/// A page of the list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) tools: Vec<Tool>,
    #[serde(default)]
    pub(super) next_cursor: Option<String>,
}

/// A tool: what it is compared by, and what people are shown.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tool {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) annotations: Annotations,
    #[serde(default)]
    input_schema: Value,
    #[serde(default)]
    output_schema: Value,
}

/// What a tool does, as the server says.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Annotations {
    #[serde(default)]
    pub(crate) read_only_hint: Option<bool>,
    #[serde(default)]
    pub(crate) destructive_hint: Option<bool>,
}

/// A list as it comes in.
#[derive(Default)]
pub(super) struct Listing(Vec<Tool>);

impl Page {
    pub(super) fn read(result: &Value) -> Option<Self> {
        Self::deserialize(result).ok()
    }
}

impl Listing {
    pub(super) fn add(&mut self, tools: Vec<Tool>) {
        self.0.extend(tools);
    }

    /// The tools, sorted by name.
    pub(super) fn into_tools(mut self) -> Vec<Tool> {
        self.0.sort_by(|a, b| a.name.cmp(&b.name));
        self.0
    }

    pub(super) fn end(mut self) -> Tools {
        self.0.sort_by(|a, b| a.name.cmp(&b.name));
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            // Each part is set off from the next by its length.
            hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(bytes);
        };
        for tool in &self.0 {
            part(tool.name.as_bytes());
            for schema in [&tool.input_schema, &tool.output_schema] {
                let mut text = String::new();
                canonical(schema, &mut text);
                part(text.as_bytes());
            }
        }
        let digest = hash
            .finalize()
            .iter()
            .fold("sha256:".to_owned(), |digest, byte| format!("{digest}{byte:02x}"));
        Tools { count: self.0.len(), digest }
    }
}

/// JSON with the members of every object sorted, so that their order says nothing.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, member) in members {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                canonical(member, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(pages: &[Value]) -> Tools {
        let mut listing = Listing::default();
        for page in pages {
            listing.add(Page::read(page).unwrap().tools);
        }
        listing.end()
    }

    #[test]
    fn the_digest_is_of_names_and_schemas_in_whatever_order_they_come() {
        let (a, b) = (
            json!({ "name": "a", "inputSchema": { "type": "object", "required": ["x", "y"] } }),
            json!({ "name": "b", "inputSchema": { "type": "object" }, "description": "b" }),
        );
        let all = of(&[json!({ "tools": [a, b] })]);
        assert_eq!((all.count, all.digest.len()), (2, "sha256:".len() + 64));
        assert_eq!(all, of(&[json!({ "tools": [b, a] })]));
        assert_eq!(all, of(&[json!({ "tools": [b], "nextCursor": "x" }), json!({ "tools": [a] })]));
        let turned: Value =
            serde_json::from_str(r#"{"required":["x","y"],"type":"object"}"#).unwrap();
        assert_eq!(all, of(&[json!({ "tools": [{ "name": "a", "inputSchema": turned }, b] })]));
        for other in [
            json!({ "tools": [a] }),
            json!({ "tools": [a, b, b] }),
            json!({ "tools": [a, { "name": "c", "inputSchema": { "type": "object" } }] }),
            json!({
                "tools": [
                    { "name": "a", "inputSchema": { "type": "object", "required": ["y", "x"] } }, b
                ]
            }),
            json!({ "tools": [a, { "name": "b", "outputSchema": { "type": "object" } }] }),
        ] {
            assert_ne!(all.digest, of(&[other]).digest);
        }
    }

    #[test]
    fn what_is_no_page_is_none() {
        for result in
            [json!(null), json!({}), json!({ "tools": {} }), json!({ "tools": [{}] }), json!([])]
        {
            assert!(Page::read(&result).is_none(), "{result}");
        }
    }
}
