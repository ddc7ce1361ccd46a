//! Where a request comes from: the peer of the connection, and the client behind trusted proxies.

mod forwarded;
#[cfg(test)]
mod fuzz;
mod trusted_proxies;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::HeaderMap;

pub use self::trusted_proxies::{TrustedProxies, TrustedProxy};

/// The addresses of a request. It is in the request's extensions if the request came over a socket;
/// over stdio, and in tests without a socket, there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    /// The other end of the connection: a client or a proxy.
    pub peer: SocketAddr,
    /// The client. Behind a trusted proxy it is the address that the proxy reports; otherwise, or
    /// if the proxy reports none that can be read, it is the peer's.
    pub client: IpAddr,
    /// The address of this machine, or this pod, to which the client or the proxy has connected.
    pub own: Option<IpAddr>,
    /// Whether the peer is a trusted proxy.
    pub is_proxied: bool,
}

impl ClientAddress {
    /// Reads the address of a request's client. `Forwarded` (RFC 7239) and `X-Forwarded-For` count
    /// only if `peer` is one of `trusted`.
    #[must_use]
    pub fn of_request(
        peer: SocketAddr,
        own: Option<IpAddr>,
        headers: &HeaderMap,
        trusted: &TrustedProxies,
    ) -> Self {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let is_proxied = trusted.contains(peer.ip());
        let reported = is_proxied.then(|| forwarded::client(headers, trusted)).flatten();
        Self { peer, client: reported.unwrap_or(peer.ip()), own, is_proxied }
    }

    /// What bounds per address count the client by.
    #[must_use]
    pub fn block(&self) -> IpAddr {
        block(self.client)
    }
}

/// The addresses that one client is likely to hold: an IPv4 address, or the /64 network of an IPv6
/// address, in which a client chooses freely (RFC 8981).
#[must_use]
pub fn block(address: IpAddr) -> IpAddr {
    const NETWORK: u128 = !0 << 64;
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_request(peer: &str, headers: &HeaderMap) -> ClientAddress {
        let trusted = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        ClientAddress::of_request(peer.parse().unwrap(), None, headers, &trusted)
    }

    #[test]
    fn only_a_trusted_peer_reports_a_client() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "192.0.2.7".parse().unwrap());
        for (peer, client) in [
            ("10.1.2.3:80", "192.0.2.7"),
            ("[::ffff:10.1.2.3]:80", "192.0.2.7"),
            ("11.1.2.3:80", "11.1.2.3"),
            ("[2001:db8::1]:80", "2001:db8::1"),
        ] {
            assert_eq!(of_request(peer, &headers).client.to_string(), client, "{peer}");
        }
        let nothing = of_request("10.1.2.3:80", &HeaderMap::new());
        assert_eq!(nothing.client, nothing.peer.ip());
    }

    #[test]
    fn an_ipv6_client_is_counted_by_its_network() {
        for (address, counted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("::1", "::"),
        ] {
            assert_eq!(block(address.parse().unwrap()).to_string(), counted, "{address}");
        }
    }
}
