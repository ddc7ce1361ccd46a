//! The server's settings as the file that it reads: one `NAME='value'` a line, in the dotenv format.
//!
//! Secrets are not in it. It names the files that hold them, which the Deployment mounts.

use std::fmt::Write;

use kube::core::Duration;
use lenses_mcp_crds::{EnvironmentRule, Limits, Tools};
use url::Url;

use super::pod_layout::{
    ADMIN_PORT, LENSES_CA, LENSES_CLIENT, MCP_PORT, PROXY_CREDENTIALS, SHUTDOWN_GRACE_SECONDS, TLS,
    secret_file,
};
use crate::{
    MANAGER,
    controller::validate::{Callers, SignIn, ValidServer},
};

/// The file's text. The first line says which version wrote it, so that an older server, whose image
/// a resource pins, ignores settings that it does not know.
pub(super) fn settings_file(server: &ValidServer) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let first = format!("# Written by {MANAGER} {version}\n");
    settings(server).into_iter().fold(first, |mut file, (name, value)| {
        // Writing to a string does not fail.
        let _ = writeln!(file, "{name}={}", quoted(&value));
        file
    })
}

fn settings(server: &ValidServer) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("TRANSPORT", "http".to_owned()),
        ("HOST", "0.0.0.0".to_owned()),
        ("PORT", MCP_PORT.to_string()),
        ("ADMIN_HOST", "0.0.0.0".to_owned()),
        ("ADMIN_PORT", ADMIN_PORT.to_string()),
        ("LOG_LEVEL", server.observability.log.level.as_str().to_owned()),
        ("LOG_FORMAT", server.observability.log.format.as_str().to_owned()),
        ("MCP_AUDIT", server.observability.audit.clone().unwrap_or_default().setting()),
        ("SHUTDOWN_GRACE", format!("{SHUTDOWN_GRACE_SECONDS}s")),
        ("LENSES_URL", server.lenses.url.clone()),
        ("MCP_ADVERTISED_URL", server.endpoint.advertised_url.clone()),
        ("MCP_ALLOWED_HOSTS", server.endpoint.allowed_hosts.join(",")),
        ("MCP_SEALING_KEY_FILE", secret_file("sealing-key")),
    ];
    if !server.endpoint.allowed_origins.is_empty() {
        settings.push(("MCP_ALLOWED_ORIGINS", server.endpoint.allowed_origins.join(",")));
    }
    settings.extend(certificates(server));
    settings.extend(proxy(server));
    settings.extend(offer(server));
    settings.extend(limits(server));
    if let Some(tracing) = &server.observability.tracing {
        settings.extend([
            ("OTEL_ENABLED", "true".to_owned()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", tracing.otlp_endpoint.clone()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", tracing.protocol.as_str().to_owned()),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio".to_owned()),
            ("OTEL_TRACES_SAMPLER_ARG", tracing.sample_ratio.to_string()),
        ]);
    }
    match &server.sign_in {
        SignIn::OAuth {
            issuer,
            scopes,
            introspection_url,
            cache_ttl_seconds,
            client_credentials,
            audience,
            allowed_clients,
            client_registration,
        } => {
            let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
            settings.extend([
                ("OAUTH_ENABLED", "true".to_owned()),
                ("LENSES_ADVERTISED_URL", issuer.clone()),
                ("MCP_SCOPES", scopes.join(",")),
                ("INTROSPECTION_URL", introspection_url.clone()),
                ("INTROSPECTION_CACHE_TTL", format!("{cache_ttl_seconds}s")),
                ("MCP_AUDIENCE", audience.as_str().to_owned()),
                ("MCP_CLIENT_REGISTRATION", client_registration.as_str().to_owned()),
            ]);
            if !allowed_clients.is_empty() {
                settings.push(("MCP_ALLOWED_CLIENTS", allowed_clients.join(",")));
            }
            if client_credentials.is_some() {
                settings
                    .push(("INTROSPECTION_CLIENT_ID_FILE", secret_file("introspection-client-id")));
                settings.push((
                    "INTROSPECTION_CLIENT_SECRET_FILE",
                    secret_file("introspection-client-secret"),
                ));
            }
        }
        SignIn::ApiKey { key: _, callers } => {
            settings.push(("OAUTH_ENABLED", "false".to_owned()));
            settings.push(("LENSES_API_KEY_FILE", secret_file("lenses-api-key")));
            settings.push(match callers {
                Callers::Token(_) => ("MCP_CALLER_TOKEN_FILE", secret_file("caller-token")),
                Callers::Anyone => ("MCP_CALLERS", "anyone".to_owned()),
            });
        }
    }
    settings
}

fn certificates(server: &ValidServer) -> Vec<(&'static str, String)> {
    let mut settings = Vec::new();
    if server.lenses.ca.is_some() {
        settings.push(("LENSES_CA_FILE", secret_file(LENSES_CA)));
    }
    if server.lenses.client_certificate.is_some() {
        let (certificate, key) = LENSES_CLIENT;
        settings.push(("LENSES_CLIENT_CERT_FILE", secret_file(certificate)));
        settings.push(("LENSES_CLIENT_KEY_FILE", secret_file(key)));
    }
    if server.endpoint.tls.is_some() {
        let (certificate, key) = TLS;
        settings.push(("TLS_CERT_FILE", secret_file(certificate)));
        settings.push(("TLS_KEY_FILE", secret_file(key)));
    }
    settings
}

/// The proxy holds for HQ alone: the receiver of traces is reached without it.
fn proxy(server: &ValidServer) -> Vec<(&'static str, String)> {
    let Some(proxy) = &server.lenses.proxy else { return Vec::new() };
    let mut settings = vec![("HTTPS_PROXY", proxy.url.clone()), ("HTTP_PROXY", proxy.url.clone())];
    let collector = server.observability.tracing.as_ref();
    let collector = collector.and_then(|tracing| Url::parse(&tracing.otlp_endpoint).ok());
    let collector = collector.as_ref().and_then(Url::host_str).unwrap_or_default();
    let around = [proxy.bypass.as_str(), collector.trim_matches(['[', ']'])];
    let around: Vec<_> = around.into_iter().filter(|part| !part.is_empty()).collect();
    if !around.is_empty() {
        settings.push(("NO_PROXY", around.join(",")));
    }
    if proxy.credentials.is_some() {
        let (username, password) = PROXY_CREDENTIALS;
        settings.push(("MCP_PROXY_USERNAME_FILE", secret_file(username)));
        settings.push(("MCP_PROXY_PASSWORD_FILE", secret_file(password)));
    }
    settings
}

fn offer(server: &ValidServer) -> Vec<(&'static str, String)> {
    let Tools { read_only, allow, deny, environments, confirm, rules } = &server.tools;
    let mut settings = vec![
        ("MCP_READ_ONLY", read_only.to_string()),
        ("MCP_CONFIRM", confirm.as_str().to_owned()),
    ];
    for (name, list) in
        [("MCP_TOOLS_ALLOW", allow), ("MCP_TOOLS_DENY", deny), ("MCP_ENVIRONMENTS", environments)]
    {
        if !list.is_empty() {
            settings.push((name, list.join(",")));
        }
    }
    if !rules.is_empty() {
        let rules: Vec<_> = rules.iter().map(EnvironmentRule::setting).collect();
        settings.push(("MCP_ENVIRONMENT_RULES", rules.join("; ")));
    }
    settings
}

fn limits(server: &ValidServer) -> Vec<(&'static str, String)> {
    let Limits {
        sql_max_rows,
        sql_timeout,
        response_max_bytes,
        request_timeout,
        calls_per_minute_per_user,
        concurrent_calls_per_user,
        body_max_bytes,
        connections_per_address,
        failed_sign_ins_per_minute,
        trusted_proxies,
    } = &server.call_limits;
    let seconds =
        |duration: Duration| format!("{}s", std::time::Duration::from(duration).as_secs());
    let mut settings = vec![
        ("MCP_SQL_MAX_ROWS", sql_max_rows.to_string()),
        ("MCP_SQL_TIMEOUT", seconds(*sql_timeout)),
        ("MCP_RESPONSE_MAX_BYTES", response_max_bytes.to_string()),
        ("MCP_REQUEST_TIMEOUT", seconds(*request_timeout)),
        ("MCP_CALLS_PER_MINUTE_PER_USER", calls_per_minute_per_user.to_string()),
        ("MCP_CONCURRENT_REQUESTS_PER_USER", concurrent_calls_per_user.to_string()),
        ("MCP_MAX_BODY_BYTES", body_max_bytes.to_string()),
        ("MCP_CONNECTIONS_PER_ADDRESS", connections_per_address.to_string()),
        ("MCP_FAILED_SIGN_INS_PER_MINUTE", failed_sign_ins_per_minute.to_string()),
    ];
    if !trusted_proxies.is_empty() {
        settings.push(("MCP_TRUSTED_PROXIES", trusted_proxies.join(",")));
    }
    settings
}

/// Single quotes take a value as it is; one that holds a single quote goes in double quotes, where `\`, `"` and `$` mean something.
fn quoted(value: &str) -> String {
    if !value.contains(['\'', '\n']) {
        return format!("'{value}'");
    }
    let mut quoted = String::from('"');
    for c in value.chars() {
        match c {
            '\\' | '"' | '$' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, io, path::Path};

    use lenses_mcp_crds::Confirm;
    use lenses_mcp_server::settings::{self, Settings, Transport, Variables};

    use super::*;
    use crate::controller::fixtures::{api_key_server, oauth_server, valid};

    #[test]
    fn the_whole_file_under_oauth() {
        let mut server = oauth_server();
        server.spec.endpoint.allowed_origins =
            vec!["https://a.example".into(), "https://b.example:8443".into()];
        let file = settings_file(&valid(&server));
        let (first, settings) = file.split_once('\n').unwrap();
        assert_eq!(first, concat!("# Written by lenses-mcp-operator ", env!("CARGO_PKG_VERSION")));
        assert_eq!(
            settings,
            "TRANSPORT='http'\n\
             HOST='0.0.0.0'\n\
             PORT='8000'\n\
             ADMIN_HOST='0.0.0.0'\n\
             ADMIN_PORT='9090'\n\
             LOG_LEVEL='info'\n\
             LOG_FORMAT='json'\n\
             MCP_AUDIT='stdout'\n\
             SHUTDOWN_GRACE='25s'\n\
             LENSES_URL='http://hq-service.lenses.svc:9991'\n\
             MCP_ADVERTISED_URL='https://mcp.example.com'\n\
             MCP_ALLOWED_HOSTS='team-mcp,team-mcp.tools,team-mcp.tools.svc,team-mcp.tools.svc.cluster.local'\n\
             MCP_SEALING_KEY_FILE='/var/run/lenses-mcp/sealing-key'\n\
             MCP_ALLOWED_ORIGINS='https://a.example,https://b.example:8443'\n\
             MCP_READ_ONLY='false'\n\
             MCP_CONFIRM='destructive'\n\
             MCP_SQL_MAX_ROWS='1000'\n\
             MCP_SQL_TIMEOUT='30s'\n\
             MCP_RESPONSE_MAX_BYTES='4194304'\n\
             MCP_REQUEST_TIMEOUT='60s'\n\
             MCP_CALLS_PER_MINUTE_PER_USER='600'\n\
             MCP_CONCURRENT_REQUESTS_PER_USER='16'\n\
             MCP_MAX_BODY_BYTES='1048576'\n\
             MCP_CONNECTIONS_PER_ADDRESS='64'\n\
             MCP_FAILED_SIGN_INS_PER_MINUTE='20'\n\
             OAUTH_ENABLED='true'\n\
             LENSES_ADVERTISED_URL='https://hq.example.com'\n\
             MCP_SCOPES='read,write,delete'\n\
             INTROSPECTION_URL='http://hq-service.lenses.svc:9991/oauth2/introspect'\n\
             INTROSPECTION_CACHE_TTL='0s'\n\
             MCP_AUDIENCE='whenPresent'\n\
             MCP_CLIENT_REGISTRATION='dynamic'\n\
             INTROSPECTION_CLIENT_ID_FILE='/var/run/lenses-mcp/introspection-client-id'\n\
             INTROSPECTION_CLIENT_SECRET_FILE='/var/run/lenses-mcp/introspection-client-secret'\n"
        );
    }

    #[test]
    fn a_proxy_holds_for_hq_and_not_for_traces() {
        let mut server = oauth_server();
        server.spec.lenses.proxy = Some(
            serde_json::from_value(serde_json::json!({
                "url": "http://proxy.example.com:3128",
                "noProxy": [".svc"],
                "credentialsSecretRef": { "name": "mtls" },
            }))
            .unwrap(),
        );
        server.spec.observability = serde_json::from_value(serde_json::json!({
            "tracing": { "otlpEndpoint": "http://collector.example.com:4317" },
        }))
        .unwrap();
        let file = settings_file(&valid(&server));
        for line in [
            "HTTPS_PROXY='http://proxy.example.com:3128'",
            "HTTP_PROXY='http://proxy.example.com:3128'",
            "NO_PROXY='.svc,collector.example.com'",
            "MCP_PROXY_USERNAME_FILE='/var/run/lenses-mcp/proxy-username'",
            "MCP_PROXY_PASSWORD_FILE='/var/run/lenses-mcp/proxy-password'",
        ] {
            assert!(file.lines().any(|there| there == line), "{line} is not in\n{file}");
        }
    }

    #[test]
    fn logs_and_traces_are_as_the_spec_says() {
        let mut server = oauth_server();
        server.spec.observability = serde_json::from_value(serde_json::json!({
            "log": { "level": "debug", "format": "text" },
            "tracing": { "otlpEndpoint": "http://collector.monitoring.svc:4317", "protocol": "grpc", "sampleRatio": 0.25 },
        }))
        .unwrap();
        let file = settings_file(&valid(&server));
        for line in [
            "LOG_LEVEL='debug'",
            "LOG_FORMAT='text'",
            "OTEL_ENABLED='true'",
            "OTEL_EXPORTER_OTLP_ENDPOINT='http://collector.monitoring.svc:4317'",
            "OTEL_EXPORTER_OTLP_PROTOCOL='grpc'",
            "OTEL_TRACES_SAMPLER='parentbased_traceidratio'",
            "OTEL_TRACES_SAMPLER_ARG='0.25'",
        ] {
            assert!(file.lines().any(|there| there == line), "{line} is not in\n{file}");
        }
        let settings = read(&file).unwrap_or_else(|errors| panic!("{errors}\n{file}"));
        assert!(settings.traces.is_some(), "the server would send no traces");
    }

    #[test]
    fn the_server_takes_every_file_that_is_written_for_it() {
        let mut odd = oauth_server();
        odd.spec.lenses.advertised_url = Some("https://hq.example.com/$HOME/it's".into());
        let mut anyone = api_key_server();
        anyone.spec.auth.api_key.as_mut().unwrap().callers =
            lenses_mcp_crds::Callers { token_secret_ref: None, anyone: true };
        let mut full = oauth_server();
        full.spec.tools = serde_json::from_value(serde_json::json!({
            "readOnly": true,
            "allow": ["topics/*", "execute_sql"],
            "deny": ["get_topic"],
            "environments": ["dev", "Staging-2", "prod-eu"],
            "rules": [
                { "environments": ["prod*", "live"], "scopes": ["read"], "confirm": "required" },
                { "environments": ["staging*"], "allow": ["topics/*"], "deny": ["get_topic"] },
                { "environments": ["old?"], "scopes": [] },
                { "environments": ["*"], "confirm": "never" },
            ],
        }))
        .unwrap();
        full.spec.limits = serde_json::from_value(serde_json::json!({
            "sqlMaxRows": 7,
            "sqlTimeout": "1m30s",
            "responseMaxBytes": 2048,
            "requestTimeout": "2m",
            "callsPerMinutePerUser": 0,
            "concurrentCallsPerUser": 2,
            "bodyMaxBytes": 4096,
            "connectionsPerAddress": 8,
            "failedSignInsPerMinute": 0,
            "trustedProxies": ["10.244.0.0/16", "fd00::7"],
        }))
        .unwrap();
        full.spec.auth.oauth.as_mut().unwrap().allowed_clients =
            vec!["claude".into(), "https://codex.example.com/client.json".into()];
        full.spec.observability.audit = Some(
            serde_json::from_value(serde_json::json!({ "file": { "path": "/audit/a.jsonl" } }))
                .unwrap(),
        );
        let file = settings_file(&valid(&full));
        let rules = "MCP_ENVIRONMENT_RULES='prod* live: read, confirm=required; \
                     staging*: allow=topics/*, deny=get_topic; old?: none; *: confirm=never'";
        assert!(file.lines().any(|line| line == rules), "{file}");
        let read_full = read(&file).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(read_full.audit, settings::AuditOutput::File("/audit/a.jsonl".into()));
        let limits = read_full.limits;
        assert_eq!(
            (limits.sql_max_rows, limits.response_max_bytes, limits.calls_per_minute_per_user),
            (7, 2048, None)
        );
        assert_eq!((limits.sql_timeout.as_secs(), limits.request_timeout.as_secs()), (90, 120));
        assert_eq!((limits.concurrent_requests_per_user, limits.max_body_bytes), (2, 4096));
        let Transport::Http(http) = &read_full.transport else { panic!("not over HTTP") };
        assert_eq!(http.connections.per_address, 8);
        let settings::SignIn::OAuth(oauth) = &http.sign_in else { panic!("not OAuth") };
        assert_eq!(oauth.failed_sign_ins_per_minute, None);
        assert_eq!(oauth.allowed_clients.as_ref().map(BTreeSet::len), Some(2));
        for (address, trusted) in [("10.244.1.2", true), ("fd00::7", true), ("fd00::8", false)] {
            let address = address.parse().unwrap();
            assert_eq!(http.connections.trusted_proxies.contains(address), trusted, "{address}");
        }
        assert!(
            read_full.policy.includes_environment("Staging-2")
                && !read_full.policy.includes_environment("prod")
        );
        for (written, taken) in [
            (Confirm::Destructive, settings::Confirm::Destructive),
            (Confirm::Required, settings::Confirm::Required),
            (Confirm::Never, settings::Confirm::Never),
        ] {
            full.spec.tools.confirm = written;
            let file = settings_file(&valid(&full));
            let read = read(&file).unwrap_or_else(|errors| panic!("{errors}\n{file}"));
            assert_eq!(read.confirm, taken);
        }
        for server in [oauth_server(), odd, api_key_server(), anyone, full] {
            let server = valid(&server);
            let file = settings_file(&server);
            let settings = read(&file).unwrap_or_else(|errors| panic!("{errors}\n{file}"));
            assert_eq!(settings.lenses_url.as_str().trim_end_matches('/'), server.lenses.url);
            let Transport::Http(http) = settings.transport else { panic!("not over HTTP") };
            assert_eq!((http.listen.port(), http.admin.port()), (8000, 9090));
            if let (
                lenses_mcp_server::settings::SignIn::OAuth(read),
                SignIn::OAuth { issuer, .. },
            ) = (&http.sign_in, &server.sign_in)
            {
                assert_eq!(&read.issuer, issuer);
            }
        }
    }

    #[test]
    fn only_a_server_that_is_older_ignores_settings_that_it_does_not_know() {
        let file = settings_file(&valid(&oauth_server())) + "MCP_FROBNICATE='x'\n";
        assert!(read(&file).is_err());
        let newer = file.replacen(env!("CARGO_PKG_VERSION"), "1000.0.0", 1);
        let warnings = read(&newer).unwrap().warnings;
        assert!(warnings.iter().any(|told| told.starts_with("MCP_FROBNICATE in ")), "{warnings:?}");
    }

    #[test]
    fn quoting_brings_every_value_through() {
        for value in [
            "plain",
            "",
            "a b",
            "$HOME",
            "it's",
            r"back\slash",
            r#"both ' and ""#,
            "#x",
            "two\nlines",
            "${X}'$Y",
        ] {
            let line = format!("X={}\n", quoted(value));
            let parsed: Vec<_> = read_dotenv(&line);
            assert_eq!(parsed, [("X".to_owned(), value.to_owned())], "{line}");
        }
    }

    fn read_dotenv(text: &str) -> Vec<(String, String)> {
        dotenvy::from_read_iter(text.as_bytes()).collect::<Result<_, _>>().unwrap()
    }

    fn read(file: &str) -> Result<Settings, lenses_mcp_server::settings::SettingsErrors> {
        let files = |path: &Path| match path.to_str() {
            Some("/etc/lenses-mcp/settings.env") => Ok(file.to_owned()),
            Some("/var/run/lenses-mcp/sealing-key") => {
                Ok("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=".to_owned())
            }
            Some(path) if path.starts_with("/var/run/lenses-mcp/") => {
                Ok("a-secret-of-the-test\n".to_owned())
            }
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        let environment =
            [("MCP_SETTINGS_FILE".to_owned(), "/etc/lenses-mcp/settings.env".to_owned())];
        Settings::read(&Variables::load(environment, &files)?)
    }
}
