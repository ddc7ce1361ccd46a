//! Where the operator may connect on the word of a resource's author.
//!
//! The check is made for each connection, on the addresses that it is about to dial. A name that
//! resolves to another address the next time gains nothing, and neither does an address that is
//! written as a number.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Ranges that no author may make the operator dial, and what they are.
const REFUSED: [(&str, &str); 13] = [
    ("127.0.0.0/8", "a loopback address"),
    ("::1/128", "a loopback address"),
    ("0.0.0.0/8", "an unspecified address"),
    ("::/128", "an unspecified address"),
    ("100.100.100.200/32", "a cloud metadata address"),
    ("168.63.129.16/32", "a cloud metadata address"),
    ("fd00:ec2::254/128", "a cloud metadata address"),
    ("fd20:ce::254/128", "a cloud metadata address"),
    ("169.254.0.0/16", "a link-local address, as of cloud metadata"),
    ("fe80::/10", "a link-local address"),
    ("224.0.0.0/4", "a multicast address"),
    ("240.0.0.0/4", "a reserved address"),
    ("ff00::/8", "a multicast address"),
];
/// Addresses behind which a translator reaches IPv4 (RFC 6052): the last four bytes count.
const NAT64: &str = "64:ff9b::/96";

/// Where the operator may connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialPolicy {
    allowed: Vec<IpNet>,
    api_server: Vec<SocketAddr>,
    anywhere: bool,
    /// The host of the operator's own proxy.
    proxy: Option<String>,
}

/// An address that is not dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {why}")]
pub struct Forbidden {
    address: IpAddr,
    why: &'static str,
}

impl DialPolicy {
    /// Without `allowed` every address may be dialled, except those of the node, of link-local
    /// services such as cloud metadata, and of the API server. With `allowed` only addresses in
    /// these ranges may be. A range that lies within an exception lifts it.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>, api_server: Vec<SocketAddr>) -> Self {
        Self { allowed, api_server, anywhere: false, proxy: None }
    }

    /// For a person, who dials from their own machine.
    #[must_use]
    pub fn anywhere() -> Self {
        Self { anywhere: true, ..Self::default() }
    }

    /// The same, through the operator's own proxy at `host`, to which a name may resolve anywhere.
    pub(super) fn through(&self, host: &str) -> Self {
        Self { proxy: Some(host.to_owned()), ..self.clone() }
    }

    /// Whether `address` may be dialled.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, address: SocketAddr) -> Result<(), Forbidden> {
        if self.anywhere {
            return Ok(());
        }
        let found = real(address.ip());
        let refused = |why| Err(Forbidden { address: found, why });
        let is_api_server = |known: &SocketAddr| {
            real(known.ip()) == found && (known.port() == address.port() || address.port() == 0)
        };
        if self.api_server.iter().any(is_api_server) {
            return refused("the address of the API server");
        }
        let exception = REFUSED
            .iter()
            .filter_map(|(range, why)| Some((range.parse::<IpNet>().ok()?, *why)))
            .find(|(range, _)| range.contains(&found));
        let containing = self.allowed.iter().filter(|range| range.contains(&found));
        match exception {
            Some((range, why)) => {
                let mut lifted = containing;
                if lifted.any(|allowed| range.contains(allowed)) { Ok(()) } else { refused(why) }
            }
            None if self.allowed.is_empty() || containing.count() > 0 => Ok(()),
            None => refused("in none of the ranges that may be dialled"),
        }
    }

    /// Whether the host of `url` may be dialled if it is a number; a name is checked as it is
    /// resolved.
    pub(super) fn check_number(&self, url: &Url) -> Result<(), Forbidden> {
        let address: IpAddr = match url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        self.check((address, url.port_or_known_default().unwrap_or_default()).into())
    }
}

/// The address that is reached in the end.
fn real(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if NAT64.parse::<IpNet>().is_ok_and(|range| range.contains(&address)) => {
            let [.., a, b, c, d] = v6.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        other => other,
    }
}

/// Resolves names to addresses that may be dialled.
pub(super) struct GuardedResolver {
    policy: DialPolicy,
    /// Each host that is dialled, and its port.
    targets: Vec<(String, u16)>,
}

impl GuardedResolver {
    pub(super) fn new<'a>(policy: DialPolicy, urls: impl IntoIterator<Item = &'a Url>) -> Self {
        let target = |url: &Url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?));
        Self { policy, targets: urls.into_iter().filter_map(target).collect() }
    }

    /// Whether `name` is the proxy's, and no author has written it.
    fn is_proxy(&self, name: &str) -> bool {
        let is_target = self.targets.iter().any(|(host, _)| host == name);
        !is_target && self.policy.proxy.as_deref() == Some(name)
    }

    /// The ports at which `name` is dialled; 0 if that is not known, which stands for all.
    fn ports(&self, name: &str) -> Vec<u16> {
        let of_name = self.targets.iter().filter(|(host, _)| host == name);
        let ports: Vec<_> = of_name.map(|(_, port)| *port).collect();
        if ports.is_empty() { vec![0] } else { ports }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, ports) = (self.policy.clone(), self.ports(name.as_str()));
        let is_proxy = self.is_proxy(name.as_str());
        Box::pin(async move {
            let resolved = tokio::net::lookup_host((name.as_str(), 0)).await?;
            if is_proxy {
                return Ok(Box::new(resolved.collect::<Vec<_>>().into_iter()) as Addrs);
            }
            let mut allowed = Vec::new();
            let mut forbidden = None;
            for address in resolved {
                let at = |port: &u16| policy.check((address.ip(), *port).into());
                match ports.iter().try_for_each(at) {
                    Ok(()) => allowed.push(address),
                    Err(error) => forbidden = Some(error),
                }
            }
            match forbidden {
                Some(error) if allowed.is_empty() => Err(error.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// The refusal among the causes of `error`, if it is one.
pub(super) fn forbidden<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Forbidden> {
    error.downcast_ref().or_else(|| forbidden(error.source()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(ranges: &[&str]) -> Vec<IpNet> {
        ranges.iter().map(|range| range.parse().unwrap()).collect()
    }

    fn refusal(policy: &DialPolicy, address: &str) -> Option<&'static str> {
        policy.check(address.parse().unwrap()).err().map(|forbidden| forbidden.why)
    }

    #[test]
    fn no_author_can_make_the_operator_dial_its_node_or_api_server() {
        let policy = DialPolicy::new(Vec::new(), vec!["10.96.0.1:443".parse().unwrap()]);
        for (address, why) in [
            ("127.0.0.1:80", "a loopback address"),
            ("127.8.8.8:80", "a loopback address"),
            ("[::1]:80", "a loopback address"),
            ("[::ffff:127.0.0.1]:80", "a loopback address"),
            ("[64:ff9b::7f00:1]:80", "a loopback address"),
            ("0.0.0.0:80", "an unspecified address"),
            ("[::]:80", "an unspecified address"),
            ("169.254.169.254:80", "a link-local address, as of cloud metadata"),
            ("[::ffff:169.254.169.254]:80", "a link-local address, as of cloud metadata"),
            ("[fe80::1]:80", "a link-local address"),
            ("[fd00:ec2::254]:80", "a cloud metadata address"),
            ("100.100.100.200:80", "a cloud metadata address"),
            ("168.63.129.16:80", "a cloud metadata address"),
            ("224.0.0.1:80", "a multicast address"),
            ("255.255.255.255:80", "a reserved address"),
            ("10.96.0.1:443", "the address of the API server"),
            ("[::ffff:10.96.0.1]:443", "the address of the API server"),
        ] {
            assert_eq!(refusal(&policy, address), Some(why), "{address}");
        }
        for address in ["10.96.0.7:443", "10.96.0.1:8443", "203.0.113.7:443", "[fd00::7]:80"] {
            assert_eq!(refusal(&policy, address), None, "{address}");
        }
    }

    #[test]
    fn a_list_of_ranges_narrows_and_lifts_only_what_it_names() {
        let policy = DialPolicy::new(ranges(&["10.0.0.0/8", "fd00::/8"]), Vec::new());
        for address in ["203.0.113.7:443", "[2001:db8::1]:443", "192.168.0.1:80"] {
            let why = "in none of the ranges that may be dialled";
            assert_eq!(refusal(&policy, address), Some(why), "{address}");
        }
        assert_eq!(refusal(&policy, "10.1.2.3:80"), None);
        assert_eq!(refusal(&policy, "[fd00:ec2::254]:80"), Some("a cloud metadata address"));
        // All there is names nothing in particular.
        let all = DialPolicy::new(ranges(&["0.0.0.0/0", "::/0"]), Vec::new());
        assert_eq!(refusal(&all, "127.0.0.1:80"), Some("a loopback address"));
        let loopback = DialPolicy::new(ranges(&["127.0.0.0/8"]), Vec::new());
        assert_eq!(refusal(&loopback, "127.0.0.1:80"), None);
    }

    #[tokio::test]
    async fn a_name_is_refused_by_what_it_resolves_to() {
        let resolve = async |policy: DialPolicy| {
            let url = "http://localhost:9".parse().unwrap();
            let resolver = GuardedResolver::new(policy, [&url]);
            resolver.resolve("localhost".parse().unwrap()).await.map(Iterator::count)
        };
        let error = resolve(DialPolicy::default()).await.unwrap_err();
        assert_eq!(forbidden(&*error).map(|found| found.why), Some("a loopback address"));
        let lifted = DialPolicy::new(ranges(&["127.0.0.0/8", "::1/128"]), Vec::new());
        assert!(resolve(lifted).await.is_ok_and(|addresses| addresses > 0));
    }
}
