//! Reads a documented `values.yaml`: each value with the comment above it.

use lenses_mcp_crds::yaml;
use serde_json::{Map, Value};

/// One value of a chart.
#[derive(Debug)]
pub(super) struct Documented {
    pub(super) name: String,
    pub(super) description: String,
    /// What the comment adds to the JSON schema.
    pub(super) schema: Map<String, Value>,
    pub(super) default: Value,
    /// The values inside, if they are described one by one.
    pub(super) children: Vec<Documented>,
}

/// The values of a file, in its order.
pub(super) fn read(text: &str) -> Result<Vec<Documented>, String> {
    let defaults: Value = yaml::from_documents(text).map_err(|error| error.to_string())?.remove(0);
    let mut lines = Vec::new();
    let mut comment = Vec::new();
    for line in text.lines() {
        let content = line.trim_start();
        if let Some(remark) = content.strip_prefix('#') {
            comment.push(remark.trim().to_owned());
        } else if let Some((name, _)) = content.split_once(':').filter(|(name, _)| is_name(name)) {
            let indent = line.len() - content.len();
            lines.push(Line {
                indent,
                name: name.to_owned(),
                comment: std::mem::take(&mut comment),
            });
        } else {
            comment.clear();
        }
    }
    let (values, rest) = block(&lines, 0, &defaults, "")?;
    if let Some(Line { name, .. }) = rest.first() {
        Err(format!("{name}: indentation"))
    } else {
        Ok(values)
    }
}

struct Line {
    indent: usize,
    name: String,
    comment: Vec<String>,
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
}

/// The values of one mapping, and the lines after it.
fn block<'a>(
    mut lines: &'a [Line],
    indent: usize,
    defaults: &Value,
    parent: &str,
) -> Result<(Vec<Documented>, &'a [Line]), String> {
    let mut values = Vec::new();
    while let Some((line, rest)) = lines.split_first().filter(|(line, _)| line.indent == indent) {
        let path = format!("{parent}{}", line.name);
        let default = defaults.get(&line.name).cloned().ok_or(format!("{path}: not read"))?;
        let (description, schema) = documentation(&path, &line.comment)?;
        let is_leaf = schema.contains_key("$ref") || schema.contains_key("type");
        let inside = rest.split(|line| line.indent <= indent).next().unwrap_or_default();
        let children = if is_leaf {
            Vec::new()
        } else {
            block(inside, indent + 2, &default, &format!("{path}."))?.0
        };
        lines = rest.get(inside.len()..).unwrap_or_default();
        values.push(Documented { name: line.name.clone(), description, schema, default, children });
    }
    Ok((values, lines))
}

fn documentation(path: &str, comment: &[String]) -> Result<(String, Map<String, Value>), String> {
    let (mut words, mut schema) = (Vec::new(), Map::new());
    for line in comment {
        if let Some(mapping) = line.strip_prefix("@schema ") {
            let mut read: Vec<Map<String, Value>> =
                yaml::from_documents(mapping).map_err(|error| format!("{path}: {error}"))?;
            schema.append(&mut read.remove(0));
        } else {
            words.push(line.as_str());
        }
    }
    if words.is_empty() {
        return Err(format!("{path}: a comment above the value has to describe it"));
    }
    Ok((words.join(" "), schema))
}

#[test]
fn a_value_without_a_description_is_refused() {
    let error = read("# One.\none:\n  two: 2\n").unwrap_err();
    assert!(error.starts_with("one.two: "), "{error}");
}

#[test]
fn comments_become_descriptions_and_schemas() {
    let text = "# About the file.\n\n# A\n# number.\n# @schema {minimum: 1}\none: 2\n# Any.\n\
                # @schema {type: object}\nany:\n  a: 1\n# Within.\nwith:\n  # In.\n  in: []\n";
    let values = read(text).unwrap();
    let [one, any, with] = values.as_slice() else { panic!("{values:?}") };
    assert_eq!((one.description.as_str(), &one.default), ("A number.", &Value::from(2)));
    assert_eq!(one.schema.get("minimum"), Some(&Value::from(1)));
    assert!(any.children.is_empty(), "{any:?}");
    assert_eq!(with.children.first().unwrap().description, "In.");
}
