//! Where an authorization server publishes its metadata (RFC 8414).

use url::Url;

/// RFC 8414 §3: where an authorization server's metadata is, before the issuer's own path.
pub const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// The metadata of the authorization server at `base`: the well-known path goes between host and
/// path (RFC 8414 §3.1).
#[must_use]
pub fn location(base: &Url) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{WELL_KNOWN}{}", base.path().trim_end_matches('/')));
    url
}

/// Where the metadata may be on the inside address, the likeliest first. HQ knows its issuer's
/// path, a proxy on the way its own prefix, and not every server inserts the well-known path. If
/// none has a path, all are one.
#[must_use]
pub fn locations(lenses_url: &Url, issuer: &str) -> (Url, Vec<Url>) {
    let of_lenses_url = location(lenses_url);
    let of_issuer = Url::parse(issuer).ok().map(|issuer| {
        let mut url = lenses_url.clone();
        url.set_path(issuer.path());
        location(&url)
    });
    let mut appended = lenses_url.clone();
    appended.set_path(&format!("{}{WELL_KNOWN}", lenses_url.path().trim_end_matches('/')));
    let mut others = Vec::new();
    for url in of_issuer.into_iter().chain([appended]) {
        if url != of_lenses_url && !others.contains(&url) {
            others.push(url);
        }
    }
    (of_lenses_url, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authorization_servers_metadata_is_found_as_rfc_8414_says() {
        for (base, url) in [
            (
                "https://lenses.example.com",
                "https://lenses.example.com/.well-known/oauth-authorization-server",
            ),
            (
                "https://lenses.example.com/",
                "https://lenses.example.com/.well-known/oauth-authorization-server",
            ),
            (
                "https://x.example.com:8443/hq/",
                "https://x.example.com:8443/.well-known/oauth-authorization-server/hq",
            ),
        ] {
            assert_eq!(location(&base.parse().unwrap()).as_str(), url);
        }
    }

    #[test]
    fn the_metadata_is_looked_for_wherever_a_path_may_have_put_it() {
        for (lenses_url, issuer, expected) in [
            (
                "http://hq:9991",
                "https://lenses.example.com",
                &["/.well-known/oauth-authorization-server"][..],
            ),
            (
                "http://hq:9991",
                "https://lenses.example.com/hq",
                &[
                    "/.well-known/oauth-authorization-server",
                    "/.well-known/oauth-authorization-server/hq",
                ],
            ),
            (
                "http://proxy/lenses/",
                "https://lenses.example.com/hq/",
                &[
                    "/.well-known/oauth-authorization-server/lenses",
                    "/.well-known/oauth-authorization-server/hq",
                    "/lenses/.well-known/oauth-authorization-server",
                ],
            ),
        ] {
            let lenses_url: Url = lenses_url.parse().unwrap();
            let (first, others) = locations(&lenses_url, issuer);
            let all = [&first].into_iter().chain(&others);
            assert!(all.clone().all(|url| url.origin() == lenses_url.origin()));
            assert_eq!(all.map(Url::path).collect::<Vec<_>>(), expected, "{lenses_url} {issuer}");
        }
    }
}
