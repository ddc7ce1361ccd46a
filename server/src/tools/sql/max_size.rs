//! How much of a topic Lenses reads for a query before it ends it: its setting `max.size`.

use crate::tools::statement::{Token, tokens};

/// Lenses' own default, 20 MB. An administrator may have set another.
const DEFAULT: u64 = 20_000_000;

/// The limit in bytes that `sql` runs under, as far as it can be known: the last `SET max.size` in
/// it, else the default. Units are decimal, so that a limit is taken for reached rather than not.
pub(super) fn max_size(sql: &str) -> u64 {
    let tokens = tokens(sql).unwrap_or_default();
    let mut set = tokens.windows(6).filter_map(|window| match window {
        [
            Token::Word(verb),
            Token::Word(max),
            Token::Other('.'),
            Token::Word(size),
            Token::Other('='),
            Token::Word(text) | Token::Quoted(text),
        ] if verb == "SET" && max == "MAX" && size == "SIZE" => Some(text),
        _ => None,
    });
    set.next_back().and_then(|text| bytes(text)).unwrap_or(DEFAULT)
}

/// `20000000`, `500k`, `20MB`, `1 GB`.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        "T" | "TB" => 1_000_000_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_setting_before_the_statement_counts() {
        for (sql, expected) in [
            ("SELECT * FROM t", DEFAULT),
            ("SET max.size = '1GB'; SELECT * FROM t", 1_000_000_000),
            ("set Max.Size='500k'; select 1", 500_000),
            ("SET max.size=1000; SET max.size = \"2 mb\"; SELECT 1", 2_000_000),
            ("SET max.size = 3M; SELECT 1", 3_000_000),
            ("SELECT 'SET max.size = 1'", DEFAULT),
            ("-- SET max.size = 1\nSELECT 1", DEFAULT),
            ("SET max.query.time = '1m'; SELECT 1", DEFAULT),
            ("SET max.size = 'lots'; SELECT 1", DEFAULT),
            ("SET max.size = '99999999999TB'; SELECT 1", DEFAULT),
            ("SET max.size = (1); SELECT 1", DEFAULT),
            ("SET max.size = ", DEFAULT),
            ("SELECT 'open", DEFAULT),
        ] {
            assert_eq!(max_size(sql), expected, "{sql}");
        }
    }
}
