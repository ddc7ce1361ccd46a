//! The `WWW-Authenticate` header (RFC 9110 §11.6.1) as far as a client of MCP reads it: the Bearer
//! challenge and its parameters.

/// Whether a header holds a challenge of the scheme Bearer, and the parameter `resource_metadata`
/// (RFC 9728 §5.1) of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) resource_metadata: Option<String>,
}

/// The first Bearer challenge of these headers.
pub(super) fn bearer<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Bearer> {
    headers.flat_map(challenges).find_map(|(scheme, parameters)| {
        scheme.eq_ignore_ascii_case("bearer").then(|| Bearer {
            resource_metadata: parameters.into_iter().find_map(|(name, value)| {
                name.eq_ignore_ascii_case("resource_metadata").then_some(value)
            }),
        })
    })
}

type Challenge<'a> = (&'a str, Vec<(&'a str, String)>);

/// One header may hold several challenges, set off by the same commas as their parameters are: a
/// part that begins with two words begins a challenge.
fn challenges(header: &str) -> Vec<Challenge<'_>> {
    let mut challenges: Vec<Challenge<'_>> = Vec::new();
    for part in parts(header) {
        let name_end = part.find('=').unwrap_or(part.len());
        let (head, parameter) = match part[..name_end].trim_end().split_once([' ', '\t']) {
            Some((scheme, _)) => (Some(scheme), part[scheme.len()..].trim_start()),
            None if name_end == part.len() => (Some(part), ""),
            None => (None, part),
        };
        challenges.extend(head.map(|scheme| (scheme, Vec::new())));
        if let (Some((_, parameters)), Some((name, value))) =
            (challenges.last_mut(), parameter.split_once('='))
        {
            parameters.push((name.trim_end(), unquoted(value.trim_start())));
        }
    }
    challenges
}

/// What commas outside of quotes set off.
fn parts(header: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in header.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&header[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&header[begin..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// The content of a quoted string, or a token as it is.
fn unquoted(value: &str) -> String {
    let Some(quoted) = value.strip_prefix('"') else { return value.to_owned() };
    let (mut content, mut escaped) = (String::new(), false);
    for c in quoted.chars() {
        match c {
            _ if escaped => {
                content.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => break,
            c => content.push(c),
        }
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_is_found_wherever_a_challenge_may_hold_it() {
        const URL: &str = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
        for (headers, found) in [
            (vec![r#"Bearer resource_metadata="U", scope="read write""#], Some(Some("U"))),
            (vec![r#"bearer error="invalid_token",resource_metadata="U""#], Some(Some("U"))),
            (vec![r#"Bearer scope="a, b=c", resource_metadata = "U""#], Some(Some("U"))),
            (
                vec![r#"Bearer error_description="say \"x\", then", resource_metadata="U""#],
                Some(Some("U")),
            ),
            (vec![r#"Basic realm="x", Bearer Resource_Metadata="U""#], Some(Some("U"))),
            (vec![r"Negotiate, Bearer resource_metadata=U"], Some(Some("U"))),
            (
                vec![r#"Basic realm="resource_metadata""#, r#"Bearer resource_metadata="U""#],
                Some(Some("U")),
            ),
            (vec![r#"Bearer realm="lenses-mcp""#], Some(None)),
            (vec!["Bearer"], Some(None)),
            (vec![r#"Basic realm="x", resource_metadata="U""#], None),
            (vec![""], None),
            (vec![",,=,"], None),
            (vec![], None),
        ] {
            let headers: Vec<_> =
                headers.into_iter().map(|header| header.replace('U', URL)).collect();
            let wanted = found.map(|url| Bearer { resource_metadata: url.map(|_| URL.to_owned()) });
            assert_eq!(bearer(headers.iter().map(String::as_str)), wanted, "{headers:?}");
        }
    }

    #[test]
    fn no_header_makes_the_reading_fail() {
        for header in [
            "\"",
            "\\",
            "Bearer \"\\",
            "Bearer =",
            "é=é, Bearer é=\"é",
            "Bearer resource_metadata=\"",
        ] {
            bearer(std::iter::once(header));
        }
    }
}
