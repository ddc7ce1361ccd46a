//! Transport and sign-in: the settings that decide each other.

use std::{net::SocketAddr, time::Duration};

use secrecy::SecretString;
use url::Url;

use super::{
    AdvertisedUrl, Http, SettingsError, Transport, parse,
    reader::{Noted, Reader},
    variable as var,
};
use crate::rebinding::{AllowedHost, AllowedOrigin};

const DAY: Duration = Duration::from_hours(24);

/// What callers must show.
#[derive(Debug)]
pub enum SignIn {
    /// An access token that HQ issued.
    OAuth(Box<OAuth>),
    /// Legacy: all callers act as one service account of HQ.
    ApiKey {
        /// HQ's credential; not the caller's.
        api_key: SecretString,
        /// Who may call.
        callers: Callers,
    },
}

/// This server as an OAuth 2.1 protected resource.
#[derive(Debug)]
pub struct OAuth {
    /// The authorization server's issuer identifier, byte for byte: clients compare it as text (RFC 8414 §3.3).
    pub issuer: String,
    /// This server as clients reach it.
    pub advertised_url: AdvertisedUrl,
    /// How tokens are checked.
    pub introspection: Introspection,
    /// What is done with a token's `aud`.
    pub audience: AudienceRule,
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
}

/// A client of the authorization server.
#[derive(Debug)]
pub struct ClientCredentials {
    /// `client_id`.
    pub id: SecretString,
    /// `client_secret`.
    pub secret: SecretString,
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

/// Who may call when all share HQ's API key.
#[derive(Debug)]
pub enum Callers {
    /// Those who show this bearer token.
    Token(SecretString),
    /// Anyone who reaches the port.
    Anyone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Http,
    Stdio,
}

pub(super) fn read_transport(
    reader: &mut Reader<'_>,
    lenses_url: Option<&Url>,
    warnings: &mut Vec<String>,
) -> Result<Transport, Noted> {
    let oauth_enabled = read_oauth_enabled(reader);
    let wire = reader.optional(&var::TRANSPORT, wire);
    let api_key = reader.secret(&var::LENSES_API_KEY);
    let oauth_enabled = oauth_enabled?;
    let wire = wire?.unwrap_or_else(|| {
        let (wire, name) = if oauth_enabled { (Wire::Http, "http") } else { (Wire::Stdio, "stdio") };
        reader.derived(&var::TRANSPORT, name);
        wire
    });
    if oauth_enabled && wire == Wire::Stdio {
        return Err(reader.fault(SettingsError::Invalid {
            variable: var::TRANSPORT.name,
            found: "stdio with OAuth on".to_owned(),
            remedy: "write TRANSPORT=http, or set LENSES_API_KEY with OAUTH_ENABLED=false: stdio has no sign-in"
                .to_owned(),
        }));
    }
    if oauth_enabled {
        if reader.is_set(&var::LENSES_API_KEY) {
            warnings.push("LENSES_API_KEY is set but not used: with OAuth each caller's own token is".to_owned());
        }
        let advertised_url = reader.value(&var::MCP_ADVERTISED_URL, str::parse::<AdvertisedUrl>);
        if advertised_url.as_ref().is_ok_and(|advertised_url| !advertised_url.is_confidential()) {
            warnings
                .push("MCP_ADVERTISED_URL is plain http to another machine: tokens can be read on the way".to_owned());
        }
        let issuer = read_issuer(reader, lenses_url);
        let introspection = read_introspection(reader, lenses_url);
        let audience = read_audience(reader, warnings);
        return read_http(reader, advertised_url.clone().map(Some), |_| {
            Ok(SignIn::OAuth(Box::new(OAuth {
                issuer: issuer?,
                advertised_url: advertised_url?,
                introspection: introspection?,
                audience: audience?,
            })))
        });
    }
    let api_key = api_key.and_then(|key| {
        key.ok_or_else(|| {
            reader.missing(
                &var::LENSES_API_KEY,
                "OAuth is off, so write HQ's service account token, or set OAUTH_ENABLED=true and MCP_ADVERTISED_URL",
            )
        })
    });
    if wire == Wire::Stdio {
        return Ok(Transport::Stdio { api_key: api_key? });
    }
    let advertised_url = reader.optional(&var::MCP_ADVERTISED_URL, str::parse::<AdvertisedUrl>);
    read_http(reader, advertised_url, |reader| {
        let callers = read_callers(reader, warnings);
        Ok(SignIn::ApiKey { api_key: api_key?, callers: callers? })
    })
}

/// Older charts set `MCP_ADVERTISED_URL` alone and mean OAuth; there, a key was the fallback.
fn read_oauth_enabled(reader: &mut Reader<'_>) -> Result<bool, Noted> {
    if let Some(enabled) = reader.optional(&var::OAUTH_ENABLED, parse::flag)? {
        return Ok(enabled);
    }
    let enabled = reader.is_set(&var::MCP_ADVERTISED_URL) && !reader.is_set(&var::LENSES_API_KEY);
    reader.derived(&var::OAUTH_ENABLED, enabled.to_string());
    Ok(enabled)
}

fn wire(text: &str) -> Result<Wire, String> {
    match text.to_ascii_lowercase().as_str() {
        "http" | "streamable-http" => Ok(Wire::Http),
        "stdio" => Ok(Wire::Stdio),
        "sse" => Err("the HTTP+SSE transport was replaced by Streamable HTTP: write http, and point clients at /mcp \
                      instead of /sse"
            .to_owned()),
        _ => Err("write http, streamable-http or stdio".to_owned()),
    }
}

fn read_issuer(reader: &mut Reader<'_>, lenses_url: Option<&Url>) -> Result<String, Noted> {
    if let Some(issuer) = reader.optional(&var::LENSES_ADVERTISED_URL, parse::verbatim_url)? {
        return Ok(issuer);
    }
    // As it was written: a parsed URL grows a slash, and clients compare byte for byte.
    let issuer = reader.peek(&var::LENSES_URL).to_owned();
    lenses_url.ok_or(Noted)?;
    reader.derived(&var::LENSES_ADVERTISED_URL, issuer.clone());
    Ok(issuer)
}

fn read_introspection(reader: &mut Reader<'_>, lenses_url: Option<&Url>) -> Result<Introspection, Noted> {
    let url = reader.optional(&var::INTROSPECTION_URL, parse::endpoint_url);
    let cache_ttl = reader.value(&var::INTROSPECTION_CACHE_TTL, |text| match text.parse::<i64>() {
        // Seconds, and anything up to zero means off, as it always did.
        Ok(seconds) if seconds <= 0 => Ok(Duration::ZERO),
        _ => parse::duration(Duration::ZERO, DAY)(text),
    });
    let id = reader.secret(&var::INTROSPECTION_CLIENT_ID);
    let secret = reader.secret(&var::INTROSPECTION_CLIENT_SECRET);
    let client = match (id?, secret?) {
        (Some(id), Some(secret)) => Some(ClientCredentials { id, secret }),
        (None, None) => None,
        (Some(_), None) => {
            return Err(reader.missing(&var::INTROSPECTION_CLIENT_SECRET, "INTROSPECTION_CLIENT_ID needs it"));
        }
        (None, Some(_)) => {
            return Err(reader.missing(&var::INTROSPECTION_CLIENT_ID, "INTROSPECTION_CLIENT_SECRET needs it"));
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
        (None, None) => return Err(Noted),
    };
    Ok(Introspection { url, cache_ttl: cache_ttl?, client })
}

fn read_audience(reader: &mut Reader<'_>, warnings: &mut Vec<String>) -> Result<AudienceRule, Noted> {
    let rule = reader.value(
        &var::MCP_AUDIENCE,
        parse::word(&[
            ("required", AudienceRule::Required),
            ("whenPresent", AudienceRule::WhenPresent),
            ("ignored", AudienceRule::Ignored),
        ]),
    )?;
    if rule == AudienceRule::Ignored {
        warnings.push("MCP_AUDIENCE=ignored: a token that HQ issued for another server is taken here too".to_owned());
    }
    Ok(rule)
}

fn read_callers(reader: &mut Reader<'_>, warnings: &mut Vec<String>) -> Result<Callers, Noted> {
    let anyone = reader.optional(&var::MCP_CALLERS, parse::word(&[("anyone", ())]));
    let token = reader.secret(&var::MCP_CALLER_TOKEN);
    match (token?, anyone?) {
        (Some(token), None) => Ok(Callers::Token(token)),
        (None, Some(())) => {
            warnings.push(
                "MCP_CALLERS=anyone: whoever reaches this port acts in Lenses with the rights of LENSES_API_KEY".to_owned(),
            );
            Ok(Callers::Anyone)
        }
        (Some(_), Some(())) => Err(reader.fault(SettingsError::Conflict {
            variable: var::MCP_CALLER_TOKEN.name.to_owned(),
            other: var::MCP_CALLERS.name.to_owned(),
            remedy: "keep MCP_CALLER_TOKEN, unless anyone really may call",
        })),
        (None, None) => Err(reader.missing(
            &var::MCP_CALLER_TOKEN,
            "over HTTP callers must show a token: write one, or MCP_CALLERS=anyone if anyone who reaches the port may call",
        )),
    }
}

fn read_http(
    reader: &mut Reader<'_>,
    advertised_url: Result<Option<AdvertisedUrl>, Noted>,
    sign_in: impl FnOnce(&mut Reader<'_>) -> Result<SignIn, Noted>,
) -> Result<Transport, Noted> {
    let host = reader.value(&var::HOST, parse::listen_address);
    let port = reader.value(&var::PORT, parse::port);
    let admin_host = reader.value(&var::ADMIN_HOST, parse::listen_address);
    let admin_port = reader.value(&var::ADMIN_PORT, parse::port);
    let hosts = reader.optional(&var::MCP_ALLOWED_HOSTS, parse::list::<AllowedHost>);
    let origins = reader.optional(&var::MCP_ALLOWED_ORIGINS, parse::list::<AllowedOrigin>);
    let sign_in = sign_in(reader);

    let advertised_url = advertised_url?;
    let advertised = advertised_url.as_ref().map(AdvertisedUrl::url);
    let mut allowed_hosts = AllowedHost::loopback();
    allowed_hosts.extend(advertised.and_then(AllowedHost::of_url));
    allowed_hosts.extend(hosts?.unwrap_or_default());
    let mut allowed_origins = AllowedOrigin::loopback();
    allowed_origins.extend(advertised.and_then(AllowedOrigin::of_url));
    allowed_origins.extend(origins?.unwrap_or_default());

    let (listen, admin) = (SocketAddr::new(host?, port?), SocketAddr::new(admin_host?, admin_port?));
    if listen.port() == admin.port() && listen.port() != 0 {
        return Err(reader.fault(SettingsError::Invalid {
            variable: var::ADMIN_PORT.name,
            found: admin.port().to_string(),
            remedy: "write another port than PORT: the admin endpoints have no sign-in".to_owned(),
        }));
    }
    Ok(Transport::Http(Box::new(Http {
        listen,
        admin,
        sign_in: sign_in?,
        advertised_url,
        allowed_hosts,
        allowed_origins,
    })))
}
