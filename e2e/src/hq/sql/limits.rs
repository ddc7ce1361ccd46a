//! Engine limits, as `SET name = value;` sets them before a statement.

use std::time::Duration;

/// How far a query may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes to scan: `max.size`, 20 MB by default.
    pub(crate) max_size: u64,
    /// `max.query.time`, one hour by default.
    pub(crate) max_query_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_size: 20 * 1024 * 1024, max_query_time: Duration::from_hours(1) }
    }
}

impl Limits {
    /// Sets one. `max.idle.time` is read and changes nothing: a scan here ends where its topic does
    /// and never idles.
    ///
    /// # Errors
    /// A sentence for the ERROR frame: an unknown setting, or what to write instead of the value.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = |example: &str| format!("{name} is {value:?}: write as {example}");
        match name {
            "max.size" => self.max_size = size(value).ok_or_else(|| wrong("20MB"))?,
            "max.query.time" => {
                self.max_query_time = duration(value).ok_or_else(|| wrong("30s"))?;
            }
            "max.idle.time" => drop(duration(value).ok_or_else(|| wrong("5s"))?),
            _ => return Err(format!("unknown setting [{name}]")),
        }
        Ok(())
    }
}

/// Bytes: a number with nothing, KB, MB or GB after it.
fn size(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_uppercase();
    let units = [("KB", 1024), ("MB", 1024 * 1024), ("GB", 1024 * 1024 * 1024), ("", 1)];
    let (digits, factor) = units
        .into_iter()
        .find_map(|(unit, factor)| text.strip_suffix(unit).map(|digits| (digits, factor)))?;
    digits.trim().parse::<u64>().ok()?.checked_mul(factor)
}

/// As `30s`, or a bare number of milliseconds; at most a day.
fn duration(text: &str) -> Option<Duration> {
    let duration = text
        .parse()
        .map(Duration::from_millis)
        .ok()
        .or_else(|| humantime::parse_duration(text).ok())?;
    (duration <= Duration::from_hours(24)).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_with_and_without_a_unit() {
        let sizes = [
            ("1", Some(1)),
            ("2kb", Some(2048)),
            ("20 MB", Some(20 << 20)),
            ("1GB", Some(1 << 30)),
        ];
        for (text, bytes) in sizes.into_iter().chain([
            ("", None),
            ("x", None),
            ("-1", None),
            ("99999999999GB", None),
        ]) {
            assert_eq!(size(text), bytes, "{text}");
        }
        let times = [("500", Some(500)), ("30s", Some(30_000)), ("1h", Some(3_600_000))];
        for (text, millis) in times.into_iter().chain([("", None), ("soon", None), ("25h", None)]) {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
    }
}
