//! OAuth: what this server is as a protected resource, and how it checks tokens.

use std::{collections::BTreeSet, num::NonZeroU32, time::Duration};

use http::HeaderValue;
use secrecy::SecretString;
use url::Url;

use super::{
    AdvertisedUrl, parse,
    reader::{Invalid, Reader},
    variable as var,
};

const DAY: Duration = Duration::from_hours(24);

/// This server as an OAuth 2.1 protected resource.
#[derive(Debug)]
pub struct OAuth {
    /// The authorization server's issuer identifier, byte for byte: clients compare it as text (RFC
    /// 8414 §3.3).
    pub issuer: String,
    /// This server as clients reach it.
    pub advertised_url: AdvertisedUrl,
    /// How tokens are checked.
    pub introspection: Introspection,
    /// What is done with a token's `aud`.
    pub audience: AudienceRule,
    /// The client ids that may call; `None`: all.
    pub allowed_clients: Option<BTreeSet<String>>,
    /// Whether HQ is shown a token of its own in place of the caller's.
    pub token_exchange: TokenExchange,
    /// How HQ knows its clients.
    pub client_registration: ClientRegistration,
    /// Tokens of one client address that HQ may refuse a minute; `None`: any number.
    pub failed_sign_ins_per_minute: Option<NonZeroU32>,
}

/// How tokens are checked (RFC 7662).
#[derive(Debug)]
pub struct Introspection {
    /// The endpoint, on the inside address.
    pub url: Url,
    /// How long an active token is believed without asking again; zero = not at all.
    pub cache_ttl: Duration,
    /// The client to authenticate as, where HQ wants one.
    pub client: Option<ClientCredentials>,
    /// Introspections of one client address at a time.
    pub concurrent_per_address: usize,
}

/// A client of the authorization server.
#[derive(Debug)]
pub struct ClientCredentials {
    /// `client_id`.
    pub id: SecretString,
    /// `client_secret`.
    pub secret: SecretString,
}

impl ClientCredentials {
    /// The `Authorization` header to authenticate with.
    pub(crate) fn basic(&self) -> Option<HeaderValue> {
        lenses_mcp_oauth::basic(&self.id, &self.secret)
    }
}

/// What is done with the `aud` of an introspected token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudienceRule {
    /// It must be there and name this server.
    Required,
    /// If it is there, it must name this server.
    WhenPresent,
    /// It is not looked at.
    Ignored,
}

/// Whether a caller's token is exchanged for one of HQ's own (RFC 8693).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenExchange {
    /// Where HQ's metadata offers it and client credentials are configured; else the token is
    /// passed on.
    Auto,
    /// Always: no token is ever passed on.
    Required,
    /// Never.
    Off,
}

/// How HQ knows its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientRegistration {
    /// They register themselves (RFC 7591), or are named by a Client ID Metadata Document.
    Dynamic,
    /// By hand.
    Manual,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    advertised_url: Result<AdvertisedUrl, Invalid>,
    lenses_url: Option<&Url>,
    warnings: &mut Vec<String>,
) -> Result<OAuth, Invalid> {
    if advertised_url.as_ref().is_ok_and(|advertised_url| !advertised_url.is_confidential()) {
        warnings.push(
            "MCP_ADVERTISED_URL is plain http to another machine: tokens can be read on the way"
                .to_owned(),
        );
    }
    let issuer = read_issuer(reader, lenses_url);
    let introspection = read_introspection(reader, lenses_url);
    let audience = read_audience(reader, warnings);
    let allowed_clients = reader.optional(&var::MCP_ALLOWED_CLIENTS, client_ids);
    let token_exchange = read_token_exchange(reader);
    let client_registration = reader.value(
        &var::MCP_CLIENT_REGISTRATION,
        parse::word(&[
            ("dynamic", ClientRegistration::Dynamic),
            ("manual", ClientRegistration::Manual),
        ]),
    );
    let failed_sign_ins =
        reader.value(&var::MCP_FAILED_SIGN_INS_PER_MINUTE, |text| match text.parse::<u32>() {
            Ok(failures) if failures <= 1_000_000 => Ok(NonZeroU32::new(failures)),
            _ => Err("write a whole number from 0 (any number) to 1000000".to_owned()),
        });
    Ok(OAuth {
        issuer: issuer?,
        advertised_url: advertised_url?,
        introspection: introspection?,
        audience: audience?,
        allowed_clients: allowed_clients?,
        token_exchange: token_exchange?,
        client_registration: client_registration?,
        failed_sign_ins_per_minute: failed_sign_ins?,
    })
}

/// RFC 6749 appendix A.1: visible ASCII. A comma would end one, and a quote is a mistake.
fn client_ids(text: &str) -> Result<BTreeSet<String>, String> {
    let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
    let ids: BTreeSet<String> = ids.map(str::to_owned).collect();
    let is_plain =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'*');
    if ids.is_empty() || !ids.iter().all(|id| id.len() <= 1024 && id.bytes().all(is_plain)) {
        return Err("write client ids as HQ lists them, whole and without blanks, quotes and \
                    stars, with commas between them"
            .to_owned());
    }
    Ok(ids)
}

fn read_issuer(reader: &mut Reader<'_>, lenses_url: Option<&Url>) -> Result<String, Invalid> {
    if let Some(issuer) = reader.optional(&var::LENSES_ADVERTISED_URL, parse::verbatim_url)? {
        return Ok(issuer);
    }
    // As it was written: a parsed URL grows a slash, and clients compare byte for byte.
    let issuer = reader.peek(&var::LENSES_URL).to_owned();
    lenses_url.ok_or(Invalid)?;
    reader.derived(&var::LENSES_ADVERTISED_URL, issuer.clone());
    Ok(issuer)
}

fn read_introspection(
    reader: &mut Reader<'_>,
    lenses_url: Option<&Url>,
) -> Result<Introspection, Invalid> {
    let url = reader.optional(&var::INTROSPECTION_URL, parse::endpoint_url);
    let cache_ttl = reader.value(&var::INTROSPECTION_CACHE_TTL, |text| match text.parse::<i64>() {
        // Seconds, and anything up to zero means off, as it always did.
        Ok(seconds) if seconds <= 0 => Ok(Duration::ZERO),
        _ => parse::duration(Duration::ZERO, DAY)(text),
    });
    let concurrent_per_address = read_concurrent_per_address(reader);
    let id = reader.secret(&var::INTROSPECTION_CLIENT_ID);
    let secret = reader.secret(&var::INTROSPECTION_CLIENT_SECRET);
    let client = match (id?, secret?) {
        (Some(id), Some(secret)) => Some(ClientCredentials { id, secret }),
        (None, None) => None,
        (Some(_), None) => {
            return Err(reader
                .missing(&var::INTROSPECTION_CLIENT_SECRET, "INTROSPECTION_CLIENT_ID needs it"));
        }
        (None, Some(_)) => {
            return Err(reader
                .missing(&var::INTROSPECTION_CLIENT_ID, "INTROSPECTION_CLIENT_SECRET needs it"));
        }
    };
    let url = match (url?, lenses_url) {
        (Some(url), _) => url,
        (None, Some(lenses_url)) => {
            let mut url = lenses_url.clone();
            if let Ok(mut segments) = url.path_segments_mut() {
                segments.pop_if_empty().extend(["oauth2", "introspect"]);
            }
            reader.derived(&var::INTROSPECTION_URL, url.as_str());
            url
        }
        (None, None) => return Err(Invalid),
    };
    Ok(Introspection {
        url,
        cache_ttl: cache_ttl?,
        client,
        concurrent_per_address: concurrent_per_address?,
    })
}

/// A quarter of all, so that it takes at least four addresses to use them up.
fn read_concurrent_per_address(reader: &mut Reader<'_>) -> Result<usize, Invalid> {
    let variable = &var::MCP_CONCURRENT_INTROSPECTIONS_PER_ADDRESS;
    if let Some(concurrent) = reader.optional(variable, parse::count(1, 65_536))? {
        return Ok(concurrent);
    }
    // A fault in it is told where it is read.
    let total: usize =
        reader.peek(&var::MCP_MAX_CONCURRENT_REQUESTS).parse().map_err(|_| Invalid)?;
    let quarter = (total / 4).max(1);
    reader.derived(variable, quarter.to_string());
    Ok(quarter)
}

fn read_audience(
    reader: &mut Reader<'_>,
    warnings: &mut Vec<String>,
) -> Result<AudienceRule, Invalid> {
    let rule = reader.value(
        &var::MCP_AUDIENCE,
        parse::word(&[
            ("required", AudienceRule::Required),
            ("whenPresent", AudienceRule::WhenPresent),
            ("ignored", AudienceRule::Ignored),
        ]),
    )?;
    if rule == AudienceRule::Ignored {
        warnings.push(
            "MCP_AUDIENCE=ignored: a token that HQ issued for another server is taken here too"
                .to_owned(),
        );
    }
    Ok(rule)
}

fn read_token_exchange(reader: &mut Reader<'_>) -> Result<TokenExchange, Invalid> {
    let rule = reader.value(
        &var::MCP_TOKEN_EXCHANGE,
        parse::word(&[
            ("auto", TokenExchange::Auto),
            ("required", TokenExchange::Required),
            ("off", TokenExchange::Off),
        ]),
    )?;
    if rule == TokenExchange::Required && !reader.is_set(&var::INTROSPECTION_CLIENT_ID) {
        return Err(reader.missing(
            &var::INTROSPECTION_CLIENT_ID,
            "MCP_TOKEN_EXCHANGE=required needs a client that HQ lets exchange tokens",
        ));
    }
    Ok(rule)
}
