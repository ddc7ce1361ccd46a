//! The forms of names that the API server takes.

use std::net::IpAddr;

use ipnet::IpNet;

/// The longest name of a key, the longest value of a label, and the longest label of a domain.
const LABEL_MAX: usize = 63;
/// The longest domain name.
const SUBDOMAIN_MAX: usize = 253;
/// The longest name of a port.
const PORT_NAME_MAX: usize = 15;

/// A label's key: `prefix/name`, or a name alone.
pub(super) fn is_key(text: &str) -> bool {
    let (prefix, name) =
        text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    is_name(name) && prefix.is_none_or(is_subdomain)
}

/// A label's value.
pub(super) fn is_value(text: &str) -> bool {
    text.is_empty() || is_name(text)
}

/// A domain name, as RFC 1123 has it.
pub(super) fn is_subdomain(text: &str) -> bool {
    text.len() <= SUBDOMAIN_MAX && text.split('.').all(is_part)
}

/// One label of a domain name, as RFC 1123 has it.
pub(super) fn is_label(text: &str) -> bool {
    text.len() <= LABEL_MAX && is_part(text)
}

/// The name of a port, as RFC 6335 has it.
pub(super) fn is_port_name(text: &str) -> bool {
    text.len() <= PORT_NAME_MAX
        && is_part(text)
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
        && !text.contains("--")
}

/// The name of a variable.
pub(super) fn is_variable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=')
}

/// An address.
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// A range of addresses.
pub(super) fn is_range(text: &str) -> bool {
    text.parse::<IpNet>().is_ok()
}

fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    text.len() <= LABEL_MAX && bytes.iter().all(inner) && has_ends(bytes, u8::is_ascii_alphanumeric)
}

/// A part of a domain name. Kubernetes bounds the whole only.
fn is_part(text: &str) -> bool {
    let outer = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| outer(byte) || *byte == b'-') && has_ends(bytes, outer)
}

fn has_ends(bytes: &[u8], outer: impl Fn(&u8) -> bool) -> bool {
    bytes.first().is_some_and(&outer) && bytes.last().is_some_and(&outer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_kubernetes() {
        for key in ["team", "example.com/team", "a", "A.b_c-1", "example.com/A"] {
            assert!(is_key(key), "{key}");
        }
        let long = "a".repeat(64);
        for key in ["", "-a", "a-", "a b", "a/b/c", "/a", "a/", "Example.com/a", "a..b/c", &long] {
            assert!(!is_key(key), "{key}");
        }
        for (is_form, good, bad) in [
            (is_label as fn(&str) -> bool, ["1", "a-b"], ["a.b", "A"]),
            (is_subdomain, ["1.2", "a.b-c"], ["a..b", "a_b"]),
            (is_port_name, ["1e3", "a-b"], ["2024", "a--b"]),
            (is_variable, ["a.b", "1 2"], ["a=b", "ä"]),
            (is_address, ["10.0.0.1", "::1"], ["10.0.0", "hq"]),
            (is_range, ["10.0.0.0/8", "::/0"], ["10.0.0.0", "999.0.0.0/8"]),
        ] {
            assert_eq!(good.map(is_form), [true; 2], "{good:?}");
            assert_eq!(bad.map(is_form), [false; 2], "{bad:?}");
        }
    }
}
