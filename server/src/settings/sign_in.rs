//! Transport and sign-in: the settings that decide each other.

use std::net::SocketAddr;

use lenses_mcp_oauth::{SHARED_TOKEN_REMEDY, shared_token_fault};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    AdvertisedUrl, Http, OAuth, SettingsError, Transport, connections, container, oauth, parse,
    reader::{Invalid, Reader},
    tls, variable as var,
};
use crate::host_check::{AllowedHost, AllowedOrigin};

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
) -> Result<Transport, Invalid> {
    // A fault in these two is noted, and reading goes on as they were most likely meant: the
    // others' faults show as well.
    let oauth_enabled = read_oauth_enabled(reader)
        .unwrap_or_else(|Invalid| reader.is_set(&var::MCP_ADVERTISED_URL));
    let wire = read_wire(reader, oauth_enabled).unwrap_or(Wire::Http);
    let api_key = reader.secret(&var::LENSES_API_KEY);
    if oauth_enabled {
        if reader.is_set(&var::LENSES_API_KEY) {
            warnings.push(
                "LENSES_API_KEY is set but not used: with OAuth each caller's own token is"
                    .to_owned(),
            );
        }
        let advertised_url = read_advertised_url(reader);
        let oauth = oauth::read(reader, advertised_url.clone(), lenses_url, warnings);
        return read_http(reader, advertised_url.map(Some), |_| {
            Ok(SignIn::OAuth(Box::new(oauth?)))
        });
    }
    if reader.is_set(&var::MCP_ALLOWED_CLIENTS) {
        // The fault is noted; the others' show as well.
        let Invalid = reader.fault(SettingsError::Invalid {
            variable: var::MCP_ALLOWED_CLIENTS.name,
            found: "set with OAuth off".to_owned(),
            remedy: "leave it out, or set OAUTH_ENABLED=true: with an API key, callers have no \
                     client id"
                .to_owned(),
        });
    }
    let api_key = api_key.and_then(|key| {
        key.ok_or_else(|| {
            reader.missing(
                &var::LENSES_API_KEY,
                format!(
                    "OAuth is off, so write HQ's service account token, or set OAUTH_ENABLED=true \
                     and MCP_ADVERTISED_URL: {}",
                    container::WITH_OAUTH
                ),
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

fn read_advertised_url(reader: &mut Reader<'_>) -> Result<AdvertisedUrl, Invalid> {
    let url = reader.optional(&var::MCP_ADVERTISED_URL, str::parse::<AdvertisedUrl>)?;
    url.ok_or_else(|| {
        let command = container::WITH_OAUTH;
        reader.missing(
            &var::MCP_ADVERTISED_URL,
            format!("with OAuth, write this server's URL as clients reach it: {command}"),
        )
    })
}

fn read_wire(reader: &mut Reader<'_>, oauth_enabled: bool) -> Result<Wire, Invalid> {
    match reader.optional(&var::TRANSPORT, wire)? {
        Some(Wire::Stdio) if oauth_enabled => Err(reader.fault(SettingsError::Invalid {
            variable: var::TRANSPORT.name,
            found: "stdio with OAuth on".to_owned(),
            remedy: "write TRANSPORT=http, or set LENSES_API_KEY with OAUTH_ENABLED=false: stdio \
                     has no sign-in"
                .to_owned(),
        })),
        Some(wire) => Ok(wire),
        None => {
            let (wire, name) =
                if oauth_enabled { (Wire::Http, "http") } else { (Wire::Stdio, "stdio") };
            reader.derived(&var::TRANSPORT, name);
            Ok(wire)
        }
    }
}

/// Older charts set `MCP_ADVERTISED_URL` alone and mean OAuth; there, a key was the fallback.
fn read_oauth_enabled(reader: &mut Reader<'_>) -> Result<bool, Invalid> {
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
        "sse" => Err("the HTTP+SSE transport was replaced by Streamable HTTP: write \
                      TRANSPORT=http, and point clients at /mcp instead of /sse"
            .to_owned()),
        _ => Err("write http, streamable-http or stdio".to_owned()),
    }
}

fn read_callers(reader: &mut Reader<'_>, warnings: &mut Vec<String>) -> Result<Callers, Invalid> {
    let anyone = reader.optional(&var::MCP_CALLERS, parse::word(&[("anyone", ())]));
    let token = read_caller_token(reader);
    match (token?, anyone?) {
        (Some(token), None) => Ok(Callers::Token(token)),
        (None, Some(())) => {
            warnings.push(
                "MCP_CALLERS=anyone: whoever reaches this port acts in Lenses with the rights of \
                 LENSES_API_KEY"
                    .to_owned(),
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
            format!(
                "over HTTP callers must show a token: {}; or write MCP_CALLERS=anyone if anyone \
                 who reaches the port may call",
                container::WITH_API_KEY
            ),
        )),
    }
}

/// A token that no client can send would let nobody in.
fn read_caller_token(reader: &mut Reader<'_>) -> Result<Option<SecretString>, Invalid> {
    let Some(token) = reader.secret(&var::MCP_CALLER_TOKEN)? else { return Ok(None) };
    match shared_token_fault(token.expose_secret()) {
        None => Ok(Some(token)),
        Some(fault) => {
            Err(reader.invalid_secret(&var::MCP_CALLER_TOKEN, fault, SHARED_TOKEN_REMEDY))
        }
    }
}

fn read_http(
    reader: &mut Reader<'_>,
    advertised_url: Result<Option<AdvertisedUrl>, Invalid>,
    sign_in: impl FnOnce(&mut Reader<'_>) -> Result<SignIn, Invalid>,
) -> Result<Transport, Invalid> {
    let host = reader.value(&var::HOST, parse::listen_address);
    let port = reader.value(&var::PORT, parse::port);
    let tls = tls::read_key_pair(reader, &var::TLS_CERT_FILE, &var::TLS_KEY_FILE);
    let admin_host = reader.value(&var::ADMIN_HOST, parse::listen_address);
    let admin_port = reader.value(&var::ADMIN_PORT, parse::port);
    let hosts = reader.optional(&var::MCP_ALLOWED_HOSTS, parse::list::<AllowedHost>);
    let origins = reader.optional(&var::MCP_ALLOWED_ORIGINS, parse::list::<AllowedOrigin>);
    let connections = connections::read(reader);
    let sign_in = sign_in(reader);

    let advertised_url = advertised_url?;
    let advertised = advertised_url.as_ref().map(AdvertisedUrl::url);
    let mut allowed_hosts = AllowedHost::loopback();
    allowed_hosts.extend(advertised.and_then(AllowedHost::of_url));
    allowed_hosts.extend(hosts?.unwrap_or_default());
    let mut allowed_origins = AllowedOrigin::loopback();
    allowed_origins.extend(advertised.and_then(AllowedOrigin::of_url));
    allowed_origins.extend(origins?.unwrap_or_default());

    let (listen, admin) =
        (SocketAddr::new(host?, port?), SocketAddr::new(admin_host?, admin_port?));
    if listen.port() == admin.port() && listen.port() != 0 {
        return Err(reader.fault(SettingsError::Invalid {
            variable: var::ADMIN_PORT.name,
            found: admin.port().to_string(),
            remedy: "write another port than PORT: the admin endpoints have no sign-in".to_owned(),
        }));
    }
    Ok(Transport::Http(Box::new(Http {
        listen,
        tls: tls?,
        admin,
        // An answer that another replica sends on must not reach another program's port.
        admin_required: reader.is_set(&var::ADMIN_PORT) || reader.is_set(&var::MCP_REPLICA_HOST),
        connections: connections?,
        sign_in: sign_in?,
        advertised_url,
        allowed_hosts,
        allowed_origins,
    })))
}
