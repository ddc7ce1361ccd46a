//! Whole numbers.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, Visitor},
};

/// A whole number within bounds. A text that holds one is taken too: some clients send all
/// arguments as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(in crate::tools) struct Int<const MIN: i64, const MAX: i64>(i64);

/// Number of one partition. Kafka keeps it as a 32-bit number.
pub(in crate::tools) type Partition = Int<0, 2_147_483_647>;
/// Place of a record in a partition: up to the largest number that every JSON reader holds exactly
/// (RFC 8259 §6), which no partition reaches.
pub(in crate::tools) type Offset = Int<0, 9_007_199_254_740_991>;

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    /// `value`, moved to the nearest bound: for defaults.
    pub(in crate::tools) const fn clamped(value: i64) -> Self {
        if value < MIN {
            Self(MIN)
        } else if value > MAX {
            Self(MAX)
        } else {
            Self(value)
        }
    }

    pub(in crate::tools) const fn get(self) -> i64 {
        self.0
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Int<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;

        impl Visitor<'_> for Whole {
            type Value = i64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<i64, E> {
                Ok(value)
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<i64, E> {
                // Larger than any bound.
                Ok(i64::try_from(value).unwrap_or(i64::MAX))
            }

            fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<i64, E> {
                // JSON Schema's `integer` holds 3.0 too. Whole numbers past 2^53 are not told apart
                // by a double.
                const EXACT: f64 = 9_007_199_254_740_992.0;
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "checked to be whole and within an i64"
                )]
                if value.fract() == 0.0 && value.abs() <= EXACT {
                    Ok(value as i64)
                } else {
                    Err(E::invalid_type(serde::de::Unexpected::Float(value), &self))
                }
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<i64, E> {
                text.trim()
                    .parse()
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }

        let value = deserializer.deserialize_any(Whole)?;
        if (MIN..=MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(D::Error::custom(format_args!("must be from {MIN} to {MAX}")))
        }
    }
}

impl<const MIN: i64, const MAX: i64> JsonSchema for Int<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Int_{MIN}_{MAX}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}
