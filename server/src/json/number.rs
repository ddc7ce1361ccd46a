//! Numbers that JavaScript, and every client that reads JSON into doubles, would change (RFC 8259
//! §6).

/// The largest integer up to which a double holds each one: 2^53 - 1.
const MAX_SAFE: &[u8] = b"9007199254740991";
/// So many digits survive a double whatever they are, where the magnitude is no extreme.
const SAFE_DIGITS: usize = 15;

/// Whether a double does not hold the number `literal`: an integer beyond ±(2^53 - 1), or a decimal
/// that reads back as another one. `literal` is JSON's notation of a number.
#[must_use]
pub(super) fn is_wide(literal: &str) -> bool {
    let digits = literal.strip_prefix('-').unwrap_or(literal);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.len() > MAX_SAFE.len()
            || digits.len() == MAX_SAFE.len() && digits.as_bytes() > MAX_SAFE;
    }
    // Without an exponent, so few digits are no extreme either.
    if digits.len() <= SAFE_DIGITS + 1 && !digits.contains(['e', 'E']) {
        return false;
    }
    let Ok(double) = literal.parse::<f64>() else { return true };
    // Rust writes the fewest digits that read back as the same double.
    !double.is_finite() || Decimal::of(&format!("{double:e}")) != Decimal::of(literal)
}

/// The value of a decimal: 0.`digits` × 10^`exponent`, without zeros at either end. Zero has no
/// digits.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// `None` for an exponent beyond all that a double can hold.
    fn of(literal: &str) -> Option<Self> {
        let literal = literal.strip_prefix('-').unwrap_or(literal);
        let (mantissa, exponent) = literal.split_once(['e', 'E']).unwrap_or((literal, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let significant = all.trim_start_matches('0');
        let digits = significant.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { digits, exponent: 0 });
        }
        let zeros = i64::try_from(all.len() - significant.len()).ok()?;
        let exponent = exponent.parse::<i64>().ok()?;
        let exponent =
            i64::try_from(whole.len()).ok()?.checked_add(exponent)?.checked_sub(zeros)?;
        Some(Self { digits, exponent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_wide_beyond_two_to_the_53_less_one() {
        for (literal, wide) in [
            ("0", false),
            ("-0", false),
            ("1767600000003000", false),
            ("9007199254740991", false),
            ("-9007199254740991", false),
            ("9007199254740992", true),
            ("-9007199254740992", true),
            ("1915883588174806058", true),
            ("18446744073709551616", true),
            ("100000000000000000", true),
        ] {
            assert_eq!(is_wide(literal), wide, "{literal}");
        }
    }

    #[test]
    fn decimals_are_wide_if_a_double_reads_back_as_another() {
        for (literal, wide) in [
            ("0.1", false),
            ("-1.10", false),
            ("0.30000000000000004", false),
            ("0.3000000000000000400", false),
            ("3.141592653589793", false),
            ("3.14159265358979323846", true),
            ("12345678901234567.89", true),
            ("1.10000000000000000001", true),
            ("9007199254740993.0", true),
            ("9007199254740992.0", false),
            ("1e20", false),
            ("1E+2", false),
            ("1.5e-7", false),
            ("1e400", true),
            ("-1e400", true),
            ("1e-400", true),
            ("0e400", false),
            ("0.0e-999999999999999999999", false),
            ("1e999999999999999999999", true),
            ("1.7976931348623157e308", false),
            ("5e-324", false),
            ("4e-324", true),
        ] {
            assert_eq!(is_wide(literal), wide, "{literal}");
        }
    }
}
