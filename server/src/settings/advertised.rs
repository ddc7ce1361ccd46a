//! This server's public address.

use std::str::FromStr;

use url::Url;

use super::parse;

/// Path of the MCP endpoint below the public base URL.
pub const ENDPOINT: &str = "/mcp";
/// Where protected-resource metadata is (RFC 9728 §3), before the resource's own path.
const METADATA: &str = "/.well-known/oauth-protected-resource";

/// `MCP_ADVERTISED_URL`: the base of the URLs that clients dial, without `/mcp` and without a slash
/// at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvertisedUrl {
    base: String,
    url: Url,
}

impl AdvertisedUrl {
    /// The URL of the MCP endpoint, which is the OAuth resource identifier (RFC 8707).
    #[must_use]
    pub fn resource(&self) -> String {
        format!("{}{ENDPOINT}", self.base)
    }

    /// Path of the MCP endpoint as clients dial it: `/mcp`, or below the base URL's own path.
    #[must_use]
    pub fn endpoint_path(&self) -> String {
        format!("{}{ENDPOINT}", self.prefix())
    }

    /// Path of the endpoint's metadata: the well-known path, then the resource's (RFC 9728 §3.1).
    #[must_use]
    pub fn metadata_path(&self) -> String {
        format!("{METADATA}{}", self.endpoint_path())
    }

    /// The metadata's URL, for challenges.
    #[must_use]
    pub fn metadata_url(&self) -> String {
        let origin = self.base.strip_suffix(self.prefix()).unwrap_or(&self.base);
        format!("{origin}{}", self.metadata_path())
    }

    /// Path of the metadata for clients that know the host alone.
    #[must_use]
    pub const fn host_metadata_path() -> &'static str {
        METADATA
    }

    /// Whether what is sent there can't be read on the way: https, or this machine.
    #[must_use]
    pub fn is_confidential(&self) -> bool {
        self.url.scheme() == "https" || parse::is_loopback(&self.url)
    }

    /// The address, parsed.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The base URL's path without the slash at its end: empty where the base is a host alone.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }
}

impl FromStr for AdvertisedUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let base = parse::verbatim_url(text)?.trim_end_matches('/').to_owned();
        let url = parse::base_url(&base)?;
        if url.path().ends_with(ENDPOINT) {
            let base = base.strip_suffix(ENDPOINT).unwrap_or(&base);
            return Err(format!("write the base URL without {ENDPOINT}, which is added: {base}"));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if !url.path().bytes().all(plain) || url.path().contains("//") || base.contains("/.") {
            return Err(
                "write a path of letters, digits and -._~ only, no segment starting with a dot"
                    .to_owned(),
            );
        }
        Ok(Self { base, url })
    }
}
