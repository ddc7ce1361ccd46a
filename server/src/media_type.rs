//! Media types in headers (RFC 9110 §8.3.1, §12.5.1).

use http::{HeaderMap, header::ACCEPT};

/// `value`, a media type or media range, without its parameters.
pub(crate) fn essence(value: &str) -> &str {
    value.split(';').next().unwrap_or_default().trim()
}

/// The media ranges that `Accept` lists, without their parameters; none whose weight is 0.
pub(crate) fn accepted(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(ACCEPT)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|range| str::from_utf8(range).ok())
        .filter(|range| !is_refused(range))
        .map(essence)
}

/// Whether a media range has the weight 0.
fn is_refused(range: &str) -> bool {
    range.split(';').skip(1).any(|parameter| {
        parameter.split_once('=').is_some_and(|(name, weight)| {
            name.trim().eq_ignore_ascii_case("q") && weight.trim().parse() == Ok(0.0)
        })
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn accept_lists_the_ranges_of_all_its_lines_but_refused_ones() {
        for (lines, expected) in [
            (&[][..], &[][..]),
            (&["*/*"], &["*/*"]),
            (&["a/b ; charset=utf-8; q=0.1,c/d"], &["a/b", "c/d"]),
            (&["a/b", "c/d"], &["a/b", "c/d"]),
            (&["a/b;q=0", "c/d; Q = 0.000 , e/f;q=0.001"], &["e/f"]),
            (&["a/b;q=zero"], &["a/b"]),
            (&["\u{ff}x/y"], &["\u{ff}x/y"]),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(ACCEPT, HeaderValue::from_bytes(line.as_bytes()).unwrap());
            }
            assert_eq!(accepted(&headers).collect::<Vec<_>>(), expected, "{lines:?}");
        }
    }
}
