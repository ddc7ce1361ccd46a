//! Texts into values. Each function's error says what to write instead.

use std::{net::IpAddr, str::FromStr, time::Duration};

use url::{Host, Url};

use crate::scope::{Scope, ScopeSet};

/// `true` or `false`, as HQ's other programs spell them.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

/// An `http` or `https` address that others are built on: a path is fine, credentials, query and
/// fragment are not.
pub(super) fn base_url(text: &str) -> Result<Url, String> {
    base_url_of(text, &["http", "https"])
}

/// As [`base_url`], with one of these schemes.
pub(super) fn base_url_of(text: &str, schemes: &[&str]) -> Result<Url, String> {
    let in_front = || format!("write it with {}:// in front", schemes.join(":// or "));
    let has_scheme = text
        .split_once(':')
        .is_some_and(|(scheme, _)| schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)));
    if !has_scheme && !text.contains(['/', '@', '?', '#']) {
        let scheme = schemes.last().copied().unwrap_or_default();
        return Err(format!("{}, such as {scheme}://{text}", in_front()));
    }
    let url = Url::parse(text)
        .map_err(|error| format!("{error}; write a URL such as https://lenses.example.com"))?;
    // `host:9991` parses as the scheme `host`.
    if !schemes.contains(&url.scheme()) {
        return Err(in_front());
    }
    if !text.get(url.scheme().len()..).is_some_and(|rest| rest.starts_with("://")) {
        return Err("write // after the scheme".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("write it without user and password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("write it without query and fragment".to_owned());
    }
    if !text.is_ascii() {
        return Err("write it in ASCII: a host in punycode, a path percent-encoded".to_owned());
    }
    Ok(url)
}

/// As [`base_url`], kept as it was written: for what others compare as text.
pub(super) fn verbatim_url(text: &str) -> Result<String, String> {
    base_url(text)?;
    if text.contains(['"', '\\', ' ']) {
        return Err("write it without quotes, backslashes and spaces".to_owned());
    }
    Ok(text.to_owned())
}

/// Whether `url` leads to this machine, without asking DNS.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A URL that is called as it is, so that a query is fine.
pub(super) fn endpoint_url(text: &str) -> Result<Url, String> {
    let (before_query, _) = text.split_once('?').unwrap_or((text, ""));
    base_url(before_query)?;
    let url = Url::parse(text).map_err(|error| format!("{error}; write a URL"))?;
    if url.fragment().is_some() { Err("write it without fragment".to_owned()) } else { Ok(url) }
}

/// An address to listen on.
pub(super) fn listen_address(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| {
        "write an IP address of this machine, such as 0.0.0.0, :: or 127.0.0.1".to_owned()
    })
}

/// A TCP port; 0 lets the system choose.
pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "write a port from 0 to 65535".to_owned())
}

/// A TCP port to connect to.
pub(super) fn remote_port(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| "write a port from 1 to 65535".to_owned())
}

/// A time, as a number of seconds or with a unit, within `least..=most`.
pub(super) fn duration(
    least: Duration,
    most: Duration,
) -> impl Fn(&str) -> Result<Duration, String> {
    move |text| {
        let parsed = match text.parse::<u64>() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => humantime::parse_duration(text).ok(),
        };
        parsed.filter(|time| (least..=most).contains(time)).ok_or_else(|| {
            let (least, most) =
                (humantime::format_duration(least), humantime::format_duration(most));
            format!("write a time from {least} to {most}, such as 30s, 2m or 45 (seconds)")
        })
    }
}

/// A whole number within `least..=most`.
pub(super) fn count(least: usize, most: usize) -> impl Fn(&str) -> Result<usize, String> {
    move |text| {
        let parsed = text.parse().ok().filter(|count| (least..=most).contains(count));
        parsed.ok_or_else(|| format!("write a whole number from {least} to {most}"))
    }
}

/// A list of scopes with commas or, as OAuth writes it, blanks between them.
pub(super) fn scopes(text: &str) -> Result<ScopeSet, String> {
    let scopes: Vec<Scope> = list(&text.split_whitespace().collect::<Vec<_>>().join(","))
        .map_err(|error: crate::scope::UnknownScope| error.to_string())?;
    if scopes.is_empty() {
        Err("write at least one of read, write, delete".to_owned())
    } else {
        Ok(scopes.into_iter().collect())
    }
}

/// A comma list, blanks around items and empty items passed over.
pub(super) fn list<T: FromStr>(text: &str) -> Result<Vec<T>, T::Err> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::parse).collect()
}

/// As [`list`], for a list that would let everything through if it were empty. `explain` tells what
/// is wrong with an item, `remedy` what to write.
pub(super) fn items<T: FromStr>(
    text: &str,
    explain: impl Fn(T::Err) -> String,
    remedy: &str,
) -> Result<Vec<T>, String> {
    match list(text) {
        Ok(items) if items.is_empty() => Err(remedy.to_owned()),
        Ok(items) => Ok(items),
        Err(error) => Err(format!("{}; {remedy}", explain(error))),
    }
}

/// One of several words, each with its value.
pub(super) fn word<T: Copy>(words: &[(&'static str, T)]) -> impl Fn(&str) -> Result<T, String> {
    move |text| {
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        found.map(|(_, value)| *value).ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            format!("write {}", all.join(" or "))
        })
    }
}
