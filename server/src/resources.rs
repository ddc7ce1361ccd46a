//! The resources: what a client can attach to a conversation by its URI, without the model calling
//! a tool.
//!
//! A resource is read by the tool that shows the same, so that what a tool keeps away (environments
//! and tools that are not offered, results that are too long) is kept away here too.

mod listing;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

pub use self::listing::{Environment, page_of};
use crate::completion::Source;

const SCHEME: &str = "lenses://";

/// The URI of the list of environments, which needs no variable.
pub const ENVIRONMENTS: &str = "lenses://environments";

/// Resources of one kind.
#[derive(Debug)]
pub struct Template {
    /// RFC 6570, level 1: a variable is one whole segment.
    pub uri: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What is in it.
    pub description: &'static str,
    /// The tool that reads it.
    pub tool: &'static str,
    /// The variables.
    pub variables: &'static [Variable],
}

/// A variable of a [`Template`].
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The argument of the tool that it becomes.
    argument: &'static str,
    /// Where its values come from.
    pub source: Source,
}

const fn environment_in(argument: &'static str) -> Variable {
    Variable { name: "environment", argument, source: Source::Environment }
}

const TOPIC: Variable = Variable { name: "topic", argument: "topic_name", source: Source::Topic };

/// All kinds, from the whole to the part.
pub const TEMPLATES: &[Template] = &[
    Template {
        uri: ENVIRONMENTS,
        name: "environments",
        title: "Environments",
        description: "The Lenses environments that the user may see, as list_environments shows \
                      them.",
        tool: "list_environments",
        variables: &[],
    },
    Template {
        uri: "lenses://environments/{environment}",
        name: "environment",
        title: "Environment",
        description: "One environment: tier, metadata, the agent's connection and metrics.",
        tool: "get_environment",
        variables: &[environment_in("name")],
    },
    Template {
        uri: "lenses://environments/{environment}/topics",
        name: "topics",
        title: "Topics",
        description: "The Kafka topics of an environment, as list_topics shows them. Where it is \
                      too long, it ends with `cut`: list_topics goes on with its cursor.",
        tool: "list_topics",
        variables: &[environment_in("environment")],
    },
    Template {
        uri: "lenses://environments/{environment}/topics/{topic}",
        name: "topic",
        title: "Topic",
        description: "One Kafka topic: partitions, configuration, formats, consumers and metrics.",
        tool: "get_topic",
        variables: &[environment_in("environment"), TOPIC],
    },
    Template {
        uri: "lenses://environments/{environment}/topics/{topic}/schema",
        name: "schema",
        title: "Schema of a topic",
        description: "Formats and schemas of a topic's keys and values, with its description and \
                      tags.",
        tool: "get_topic_metadata",
        variables: &[environment_in("environment"), TOPIC],
    },
];

/// Why a URI leads to nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Another scheme.
    #[error("the resources of this server have URIs that begin with lenses://")]
    Scheme,
    /// A query, a fragment, white space or a control character.
    #[error("holds a character that has no place in a path; encode it as %XX")]
    Character,
    /// `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("its percent-encoding is broken")]
    Encoding,
    /// Nothing between two slashes, or a slash at the end.
    #[error("has an empty segment")]
    EmptySegment,
    /// Nothing of this form.
    #[error("there is no resource of this form; see resources/templates/list")]
    Unknown,
}

/// What `uri` leads to: the kind, and the arguments of its tool.
///
/// # Errors
///
/// [`UriError`]. That the names in it can be names is checked with the arguments.
pub fn find(uri: &str) -> Result<(&'static Template, Map<String, Value>), UriError> {
    let path = uri.strip_prefix(SCHEME).ok_or(UriError::Scheme)?;
    let segments: Vec<String> = path.split('/').map(decoded).collect::<Result<_, _>>()?;
    let arguments = |template: &Template| {
        let expected = template.uri.strip_prefix(SCHEME)?.split('/');
        let mut variables = template.variables.iter();
        let mut arguments = Map::new();
        if expected.clone().count() != segments.len() {
            return None;
        }
        for (expected, segment) in expected.zip(&segments) {
            if expected.starts_with('{') {
                arguments.insert(variables.next()?.argument.to_owned(), segment.clone().into());
            } else if expected != segment {
                return None;
            }
        }
        Some(arguments)
    };
    TEMPLATES
        .iter()
        .find_map(|template| Some((template, arguments(template)?)))
        .ok_or(UriError::Unknown)
}

fn decoded(segment: &str) -> Result<String, UriError> {
    if segment.is_empty() {
        return Err(UriError::EmptySegment);
    }
    if segment.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#' | '\\'))
    {
        return Err(UriError::Character);
    }
    let is_encoded = |rest: &str| {
        let mut digits = rest.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.next().is_some() && digits.next().is_some()
    };
    if !segment.split('%').skip(1).all(is_encoded) {
        return Err(UriError::Encoding);
    }
    percent_decode_str(segment).decode_utf8().map(String::from).map_err(|_| UriError::Encoding)
}

/// `name` as a segment of a URI.
#[must_use]
pub fn encoded(name: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    // RFC 3986 §2.3: what never needs encoding.
    const RESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(name, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_uri_maps_to_a_tool_and_each_segment_is_one_argument() {
        for (uri, name, arguments) in [
            ("lenses://environments", "environments", json!({})),
            ("lenses://environments/dev", "environment", json!({ "name": "dev" })),
            ("lenses://environments/dev/topics", "topics", json!({ "environment": "dev" })),
            (
                "lenses://environments/dev/topics/orders",
                "topic",
                json!({ "environment": "dev", "topic_name": "orders" }),
            ),
            (
                "lenses://environments/d%2Fv/topics/a%3Fb%23c%20d/schema",
                "schema",
                json!({ "environment": "d/v", "topic_name": "a?b#c d" }),
            ),
            ("lenses://environments/gr%C3%B6%C3%9Fe", "environment", json!({ "name": "größe" })),
            ("lenses://environments/größe", "environment", json!({ "name": "größe" })),
            ("lenses://environments/topics/topics", "topics", json!({ "environment": "topics" })),
            // No name, which the tool says; and never a step up.
            ("lenses://environments/%2E%2e/topics", "topics", json!({ "environment": ".." })),
            ("lenses://environments/../topics", "topics", json!({ "environment": ".." })),
        ] {
            let (template, found) = find(uri).unwrap();
            assert_eq!((template.name, Value::Object(found)), (name, arguments), "{uri}");
        }
    }

    #[test]
    fn what_is_no_uri_of_a_resource_is_refused_with_the_reason() {
        for (uri, error) in [
            ("", UriError::Scheme),
            ("environments", UriError::Scheme),
            ("LENSES://environments", UriError::Scheme),
            ("lenses:environments", UriError::Scheme),
            ("file:///etc/passwd", UriError::Scheme),
            ("https://environments/dev", UriError::Scheme),
            (" lenses://environments", UriError::Scheme),
            ("lenses://", UriError::EmptySegment),
            ("lenses:///environments", UriError::EmptySegment),
            ("lenses://environments/", UriError::EmptySegment),
            ("lenses://environments//topics", UriError::EmptySegment),
            ("lenses://environments/dev?x=1", UriError::Character),
            ("lenses://environments/dev#x", UriError::Character),
            ("lenses://environments/d v", UriError::Character),
            ("lenses://environments/dev\n", UriError::Character),
            ("lenses://environments/a\\b", UriError::Character),
            ("lenses://environments/100%", UriError::Encoding),
            ("lenses://environments/%2", UriError::Encoding),
            ("lenses://environments/%zz", UriError::Encoding),
            ("lenses://environments/%€", UriError::Encoding),
            ("lenses://environments/%ff", UriError::Encoding),
            ("lenses://topics", UriError::Unknown),
            ("lenses://user@environments", UriError::Unknown),
            ("lenses://environments:80/dev", UriError::Unknown),
            ("lenses://environments/dev/groups", UriError::Unknown),
            ("lenses://environments/dev/topics/t/schema/x", UriError::Unknown),
            ("lenses://environments/{environment}/topics/t/x", UriError::Unknown),
        ] {
            assert_eq!(find(uri).unwrap_err(), error, "{uri}");
        }
    }

    #[test]
    fn a_name_that_was_encoded_is_the_same_name_again() {
        for name in ["dev", "a/b", "..", "100%", "größe", "a b?#", "{x}"] {
            let (_, arguments) = find(&format!("{ENVIRONMENTS}/{}", encoded(name))).unwrap();
            assert_eq!(arguments["name"], name);
        }
    }

    #[test]
    fn every_template_names_an_existing_tool_and_all_its_variables() {
        for template in TEMPLATES {
            let tool = crate::tools::registry().find(template.tool).unwrap();
            let named: Vec<_> =
                template.uri.split('/').filter_map(|part| part.strip_prefix('{')).collect();
            let variables: Vec<_> =
                template.variables.iter().map(|variable| format!("{}}}", variable.name)).collect();
            assert_eq!(named, variables);
            assert!(
                template.variables.iter().all(|variable| tool.has_argument(variable.argument)),
                "{template:?}"
            );
        }
    }
}
