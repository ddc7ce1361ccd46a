//! The proxies whose word about their clients counts: `MCP_TRUSTED_PROXIES`.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// An address or a network of trusted proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxy(IpNet);

impl FromStr for TrustedProxy {
    type Err = String;

    /// Reads `10.0.0.7`, `10.0.0.0/8` or `fd00::/8`.
    fn from_str(text: &str) -> Result<Self, String> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => Ok(IpNet::from(address.to_canonical())),
            Err(_) => text.parse(),
        };
        match network {
            // Nobody's headers would be checked, and no client would be bounded.
            Ok(network) if network.prefix_len() == 0 => Err(
                "name the networks of the proxies: a network of all addresses trusts every client"
                    .to_owned(),
            ),
            Ok(network) => Ok(Self(network)),
            Err(_) => {
                Err("write IP addresses or networks, such as 10.0.0.7, 10.0.0.0/8 or fd00::/8, \
                           with commas between them"
                    .to_owned())
            }
        }
    }
}

impl fmt::Display for TrustedProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// All trusted proxies; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<TrustedProxy>);

impl TrustedProxies {
    /// These proxies.
    #[must_use]
    pub fn new(proxies: Vec<TrustedProxy>) -> Self {
        Self(proxies)
    }

    /// Whether `address` is one of a trusted proxy.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|proxy| proxy.0.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read_and_anything_else_is_refused() {
        for (text, read) in [
            ("10.0.0.7", "10.0.0.7/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("fd00::/8", "fd00::/8"),
            ("::1", "::1/128"),
            ("::ffff:10.0.0.7", "10.0.0.7/32"),
        ] {
            assert_eq!(text.parse::<TrustedProxy>().unwrap().to_string(), read);
        }
        for text in
            ["", "proxy", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "[::1]", "0.0.0.0/0", "::/0"]
        {
            assert!(text.parse::<TrustedProxy>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_ipv4_proxy_is_known_on_a_dual_stack_socket_too() {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        for (address, trusted) in
            [("10.255.0.1", true), ("::ffff:10.255.0.1", true), ("11.0.0.1", false), ("::1", false)]
        {
            assert_eq!(proxies.contains(address.parse().unwrap()), trusted, "{address}");
        }
        assert!(!TrustedProxies::default().contains("127.0.0.1".parse().unwrap()));
    }
}
