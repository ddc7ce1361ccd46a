//! Addresses that mean something on one machine only.

use url::{Host, Url};

/// Whether a URL names the machine that dials it, or docker's host.
pub(super) fn is_this_machine(url: &str) -> bool {
    match Url::parse(url).as_ref().map(Url::host) {
        Ok(Some(Host::Domain(name))) => {
            ["localhost", "host.docker.internal", "host.containers.internal"].contains(&name)
        }
        Ok(Some(Host::Ipv4(address))) => address.is_loopback(),
        Ok(Some(Host::Ipv6(address))) => address.is_loopback(),
        _ => false,
    }
}
