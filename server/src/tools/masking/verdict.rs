//! What an object says of the setting whose name and value stand in it.

use super::name::{is_harmless, is_secret};
use crate::json::{self, Part, Parts};

/// Where the name of a setting stands if its value stands beside it.
const NAME_FIELDS: &[&str] = &["name", "key", "property"];
/// Where the value stands.
pub(super) const VALUE_FIELDS: &[&str] = &[
    "value",
    "values",
    "default",
    "default_value",
    "defaultValue",
    "recommended_values",
    "recommendedValues",
];
/// What else is said of a setting where its name and value stand side by side.
pub(super) const ABOUT_SETTING: &[&str] = &[
    "name",
    "key",
    "property",
    "definition",
    "dependents",
    "description",
    "display_name",
    "displayName",
    "documentation",
    "errors",
    "group",
    "importance",
    "order",
    "required",
    "type",
    "visible",
    "width",
];

/// Types of settings, by Kafka Connect's `ConfigDef`, that hold no secret.
const HARMLESS_TYPES: &[&str] = &["BOOLEAN", "CLASS", "DOUBLE", "INT", "LONG", "SHORT"];

/// What is known of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// It can be shown.
    Harmless,
    /// A setting of which nothing is known.
    Unknown,
    /// A secret.
    Secret,
}

impl Verdict {
    /// What `object` says by its name or type of its value; `None` if it names nothing. `outer` is
    /// what is known of the value from around it.
    pub(super) fn of_object(object: &[u8], outer: Option<Self>) -> Option<Self> {
        let (mut named, mut typed) = (None, outer.filter(|outer| *outer != Self::Unknown));
        for (key, value) in members(object) {
            match json::text(key).as_deref() {
                Some("type") => typed = typed.max(Self::of_type(value)),
                Some("definition") => {
                    let kinds = members(value)
                        .filter(|(key, _)| json::text(key).is_some_and(|key| key == "type"));
                    typed = typed.max(kinds.filter_map(|(_, kind)| Self::of_type(kind)).max());
                }
                Some(key) if NAME_FIELDS.contains(&key) => {
                    named = named.max(json::text(value).map(|name| Self::of_name(&name)));
                }
                _ => {}
            }
        }
        let named = named.max(outer);
        if named == Some(Self::Secret) { named } else { typed.or(named) }
    }

    fn of_name(name: &str) -> Self {
        if is_secret(name) {
            Self::Secret
        } else if is_harmless(name) {
            Self::Harmless
        } else {
            Self::Unknown
        }
    }

    fn of_type(kind: &[u8]) -> Option<Self> {
        let kind = json::text(kind)?.to_ascii_uppercase();
        match &*kind {
            "PASSWORD" => Some(Self::Secret),
            kind => HARMLESS_TYPES.contains(&kind).then_some(Self::Harmless),
        }
    }
}

/// Keys and values of `object`; none if it is no object.
fn members(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    Parts::of_object(object).map_while(Result::ok).map(|Part { key, value }| {
        (object.get(key).unwrap_or_default(), object.get(value).unwrap_or_default())
    })
}
