//! Where a request goes. Paths are built from segments, and what a user named is one segment
//! whatever it holds.

use url::Url;

use super::name::Name;

/// An address under HQ's own.
#[derive(Debug, Clone)]
pub(super) struct Endpoint(Url);

impl Endpoint {
    /// `base` itself: its path is kept as a prefix; a query or fragment is not.
    pub(super) fn under(base: &Url) -> Self {
        let mut url = base.clone();
        url.set_query(None);
        url.set_fragment(None);
        Self(url)
    }

    /// Adds fixed segments, written with `/` between them.
    pub(super) fn path(self, path: &'static str) -> Self {
        self.extend(path.split('/'))
    }

    /// Adds a name as one segment, with everything percent-encoded that would end or split it, also
    /// for servers that read what follows a `;` as parameters of the segment.
    pub(super) fn name(self, name: &Name) -> Self {
        let start = self.0.path().len();
        let mut endpoint = self.extend([name.as_str()]);
        let path = endpoint.0.path();
        if let Some((before, segment)) = path.split_at_checked(start)
            && segment.contains(';')
        {
            let path = format!("{before}{}", segment.replace(';', "%3B"));
            endpoint.0.set_path(&path);
        }
        endpoint
    }

    /// Adds a number as one segment.
    pub(super) fn number(self, number: i64) -> Self {
        self.extend([number.to_string().as_str()])
    }

    /// Adds a parameter to the query, encoded. One that has several values is added once for each.
    pub(super) fn query(mut self, name: &'static str, value: &str) -> Self {
        self.0.query_pairs_mut().append_pair(name, value);
        self
    }

    /// The address for an HTTP request.
    pub(super) fn http(self) -> Url {
        self.0
    }

    /// The address for the handshake of a websocket, which is HTTP: `http` for `ws`, `https` for
    /// `wss`.
    pub(super) fn handshake(mut self) -> Url {
        let scheme = if matches!(self.0.scheme(), "https" | "wss") { "https" } else { "http" };
        // Refused only between schemes of different kinds, and all four are of one (WHATWG URL,
        // "special").
        let changed = self.0.set_scheme(scheme);
        debug_assert!(changed.is_ok(), "{scheme} is a special scheme");
        self.0
    }

    fn extend<'a>(mut self, segments: impl IntoIterator<Item = &'a str>) -> Self {
        // Fails only for addresses that can't have a path, which `Client::new` refuses.
        if let Ok(mut path) = self.0.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(base: &str) -> Endpoint {
        Endpoint::under(&base.parse().unwrap())
    }

    #[test]
    fn keeps_the_prefix_port_and_host_of_the_base_address() {
        for (base, expected) in [
            ("http://hq", "http://hq/api/v1"),
            ("http://hq/", "http://hq/api/v1"),
            ("https://hq:9991/lenses", "https://hq:9991/lenses/api/v1"),
            ("https://hq:9991/lenses/", "https://hq:9991/lenses/api/v1"),
            ("http://[::1]:9991", "http://[::1]:9991/api/v1"),
            ("http://hq/a%2Fb?x=1#y", "http://hq/a%2Fb/api/v1"),
            ("http://hq/a;b", "http://hq/a;b/api/v1"),
        ] {
            assert_eq!(under(base).path("api/v1").http().as_str(), expected);
        }
    }

    #[test]
    fn a_name_is_one_segment_whatever_it_holds() {
        for (name, segment) in [
            ("orders", "orders"),
            ("../../users", "..%2F..%2Fusers"),
            ("a/b", "a%2Fb"),
            ("a?b=c&d", "a%3Fb=c&d"),
            ("a#b", "a%23b"),
            ("a%2fb", "a%252fb"),
            ("%2e%2e", "%252e%252e"),
            ("a b", "a%20b"),
            (r"a\b", "a%5Cb"),
            ("..;", "..%3B"),
            ("a;b=c;", "a%3Bb=c%3B"),
            ("...", "..."),
            ("ümlaut", "%C3%BCmlaut"),
        ] {
            let url =
                under("http://hq/p").path("api").name(&name.parse().unwrap()).path("proxy").http();
            assert_eq!(url.as_str(), format!("http://hq/p/api/{segment}/proxy"));
            assert_eq!((url.query(), url.fragment()), (None, None));
            // What is sent is what a server reads: parsing it again changes nothing.
            assert_eq!(Url::parse(url.as_str()).unwrap(), url);
        }
    }

    #[test]
    fn a_name_leaves_the_prefix_of_the_base_address_as_it_is() {
        let url = under("http://hq/a;b").path("api").name(&"c;d".parse().unwrap()).http();
        assert_eq!(url.as_str(), "http://hq/a;b/api/c%3Bd");
    }

    #[test]
    fn a_parameter_is_one_value_whatever_it_holds() {
        let url = under("http://hq")
            .path("api")
            .query("search", "a&b=c#d+e f")
            .query("tags", "x")
            .query("tags", "é");
        assert_eq!(
            url.http().as_str(),
            "http://hq/api?search=a%26b%3Dc%23d%2Be+f&tags=x&tags=%C3%A9"
        );
    }

    #[test]
    fn websockets_are_encrypted_exactly_when_their_address_is() {
        for (base, expected) in [
            ("http://hq:9991/x", "http://hq:9991/x/ws"),
            ("https://[::1]", "https://[::1]/ws"),
            ("ws://hq:9991/x", "http://hq:9991/x/ws"),
            ("wss://hq:443", "https://hq/ws"),
        ] {
            assert_eq!(under(base).path("ws").handshake().as_str(), expected);
        }
    }
}
