//! The client in `Forwarded` (RFC 7239) and `X-Forwarded-For`.
//!
//! Each proxy appends the address of its own peer, so both are read from the right: the first
//! address that is no trusted proxy's is the client's. What is left of it was sent by the client
//! itself, and is not even parsed.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header::FORWARDED};

use super::TrustedProxies;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client that trusted proxies report; `None` if they report none, or not in a readable form.
///
/// A proxy that writes one of the two headers passes the other on as the client sent it. So two
/// headers that disagree report nothing.
pub(super) fn client(headers: &HeaderMap, trusted: &TrustedProxies) -> Option<IpAddr> {
    match (headers.contains_key(FORWARDED), headers.contains_key(X_FORWARDED_FOR)) {
        (true, false) => of_forwarded(headers, trusted),
        (false, true) => of_x_forwarded_for(headers, trusted),
        (true, true) => {
            let client = of_forwarded(headers, trusted)?;
            (of_x_forwarded_for(headers, trusted)? == client).then_some(client)
        }
        (false, false) => None,
    }
}

fn of_forwarded(headers: &HeaderMap, trusted: &TrustedProxies) -> Option<IpAddr> {
    first_untrusted(headers, &FORWARDED, trusted, |element| {
        let pairs = element.split(';').map(|pair| pair.trim().split_once('='));
        let mut nodes =
            pairs.flatten().filter(|(name, _)| name.eq_ignore_ascii_case("for")).map(|(_, v)| v);
        let (node, None) = (nodes.next()?, nodes.next()) else { return None };
        // An IPv6 address and an address with a port are quoted; escapes are not needed in either.
        node.strip_prefix('"').map_or(Some(node), |rest| rest.strip_suffix('"')).and_then(address)
    })
}

fn of_x_forwarded_for(headers: &HeaderMap, trusted: &TrustedProxies) -> Option<IpAddr> {
    first_untrusted(headers, &X_FORWARDED_FOR, trusted, address)
}

/// The first address from the right that is no trusted proxy's, or the leftmost if all are.
fn first_untrusted(
    headers: &HeaderMap,
    name: &HeaderName,
    trusted: &TrustedProxies,
    read: impl Fn(&str) -> Option<IpAddr>,
) -> Option<IpAddr> {
    let mut last = None;
    // Several headers are one list, in their order (RFC 9110 §5.3).
    for value in headers.get_all(name).iter().rev() {
        // An address needs no escape, and from the right an escaped quote looks like one that ends.
        if value.as_bytes().contains(&b'\\') {
            return None;
        }
        for element in elements_from_the_right(value.as_bytes()) {
            // A list may have empty elements (RFC 9110 §5.6.1).
            let element = std::str::from_utf8(element).ok()?.trim();
            if element.is_empty() {
                continue;
            }
            let address = read(element)?;
            if !trusted.contains(address) {
                return Some(address);
            }
            last = Some(address);
        }
    }
    last
}

/// The elements of a comma list, the last one first. Commas in quotes separate nothing.
fn elements_from_the_right(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    list.rsplit(move |byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    })
}

/// An IP address, with or without a port: `192.0.2.7`, `192.0.2.7:80`, `2001:db8::7`,
/// `[2001:db8::7]`, `[2001:db8::7]:80`.
fn address(node: &str) -> Option<IpAddr> {
    let bracketed = || node.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let address = node
        .parse()
        .ok()
        .or_else(bracketed)
        .or_else(|| node.parse::<SocketAddr>().ok().map(|address| address.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client_of(headers: &[(&'static str, &[u8])]) -> Option<String> {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|proxy| proxy.parse().unwrap()).to_vec();
        let headers = headers.iter().map(|(name, value)| {
            (HeaderName::from_static(name), http::HeaderValue::from_bytes(value).unwrap())
        });
        let mut all = HeaderMap::new();
        headers.for_each(|(name, value)| {
            all.append(name, value);
        });
        client(&all, &TrustedProxies::new(trusted)).map(|address| address.to_string())
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxys_is_the_client() {
        for (header, value, expected) in [
            ("x-forwarded-for", "192.0.2.7", "192.0.2.7"),
            ("x-forwarded-for", "6.6.6.6, 192.0.2.7", "192.0.2.7"),
            ("x-forwarded-for", "garbage\", 192.0.2.7, 10.0.0.1", "192.0.2.7"),
            ("x-forwarded-for", "192.0.2.7:4711,10.0.0.1", "192.0.2.7"),
            ("x-forwarded-for", "2001:db8::7", "2001:db8::7"),
            ("x-forwarded-for", "[2001:db8::7]:4711", "2001:db8::7"),
            ("x-forwarded-for", "::ffff:192.0.2.7", "192.0.2.7"),
            ("x-forwarded-for", " , 192.0.2.7 ,, ", "192.0.2.7"),
            ("x-forwarded-for", "10.0.0.2, fd00::1", "10.0.0.2"),
            ("forwarded", "for=192.0.2.7", "192.0.2.7"),
            ("forwarded", "For=192.0.2.7;proto=https;by=10.0.0.1", "192.0.2.7"),
            ("forwarded", "proto=https; for=\"192.0.2.7:4711\"", "192.0.2.7"),
            ("forwarded", "for=\"[2001:db8::7]:4711\", for=10.0.0.1", "2001:db8::7"),
            ("forwarded", "for=6.6.6.6, for=192.0.2.7", "192.0.2.7"),
            ("forwarded", "for=\"6.6.6.6, for=192.0.2.7;host=\"a,b\"", "192.0.2.7"),
        ] {
            let found = client_of(&[(header, value.as_bytes())]);
            assert_eq!(found.as_deref(), Some(expected), "{header}: {value}");
        }
    }

    #[test]
    fn what_cannot_be_read_reports_no_client() {
        for (header, value) in [
            ("x-forwarded-for", ""),
            ("x-forwarded-for", "unknown"),
            ("x-forwarded-for", "192.0.2.7, unknown, 10.0.0.1"),
            ("x-forwarded-for", "192.0.2.7.1"),
            ("x-forwarded-for", "192.0.2.7:port"),
            ("x-forwarded-for", "[192.0.2.7]"),
            ("x-forwarded-for", "192.0.2.7 10.0.0.1"),
            ("x-forwarded-for", "192.0.2.7\u{e9}"),
            ("forwarded", "192.0.2.7"),
            ("forwarded", "for=_hidden"),
            ("forwarded", "for=unknown"),
            ("forwarded", "for=\"192.0.2.7"),
            ("forwarded", "for=192.0.2.7;for=6.6.6.6"),
            ("forwarded", "proto=https"),
            ("forwarded", "for = 192.0.2.7"),
            ("forwarded", r#"for=192.0.2.7;host="a\",for=6.6.6.6;x=\"b""#),
        ] {
            assert_eq!(client_of(&[(header, value.as_bytes())]), None, "{header}: {value}");
        }
        assert_eq!(client_of(&[("x-forwarded-for", b"\xff")]), None);
        assert_eq!(client_of(&[]), None);
    }

    #[test]
    fn several_headers_are_one_list() {
        let list: [(_, &[u8]); 3] = [
            ("x-forwarded-for", b"6.6.6.6"),
            ("x-forwarded-for", b"192.0.2.7"),
            ("x-forwarded-for", b"10.0.0.1, 10.0.0.2"),
        ];
        assert_eq!(client_of(&list).as_deref(), Some("192.0.2.7"));
    }

    #[test]
    fn a_header_that_a_client_adds_beside_the_proxys_reports_nothing() {
        for (forwarded, expected) in [
            (&b"for=6.6.6.6"[..], None),
            (b"for=_hidden", None),
            (b"for=192.0.2.7", Some("192.0.2.7")),
        ] {
            let found = client_of(&[("forwarded", forwarded), ("x-forwarded-for", b"192.0.2.7")]);
            assert_eq!(found.as_deref(), expected);
        }
    }
}
