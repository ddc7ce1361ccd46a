//! What each variable may hold, and what is said about what it may not.

mod faults;

use std::time::Duration;

use lenses_mcp_server::{
    scope::{Scope, ScopeSet},
    settings::{AudienceRule, LogFormat},
};
use secrecy::ExposeSecret;

use crate::{OAUTH, errors, http, oauth, read};

#[test]
fn oauth_needs_two_variables_and_has_a_default_for_the_rest() {
    let settings = read(&[OAUTH]).unwrap();
    assert_eq!(
        settings.effective().to_string(),
        "LENSES_URL='http://localhost:9991' # default\n\
         MCP_PROXY_LOOPBACK='false' # default\n\
         MCP_SCOPES='read,write,delete' # default\n\
         MCP_READ_ONLY='false' # default\n\
         MCP_CONFIRM='destructive' # default\n\
         MCP_MAX_BODY_BYTES='1048576' # default\n\
         MCP_REQUEST_TIMEOUT='60s' # default\n\
         MCP_MAX_CONCURRENT_REQUESTS='256' # default\n\
         MCP_BODY_TIMEOUT='10s' # default\n\
         MCP_CONCURRENT_REQUESTS_PER_USER='16' # default\n\
         MCP_CALLS_PER_MINUTE_PER_USER='600' # default\n\
         MCP_RESPONSE_MAX_BYTES='4194304' # default\n\
         MCP_RESULT_MAX_BYTES='262144' # default\n\
         MCP_SQL_MAX_ROWS='1000' # default\n\
         MCP_SQL_TIMEOUT='30s' # default\n\
         SHUTDOWN_GRACE='25s' # default\n\
         LOG_LEVEL='info' # default\n\
         LOG_FORMAT='text' # default\n\
         MCP_LOG_LINE_MAX_BYTES='8192' # default\n\
         OTEL_ENABLED='false' # default\n\
         OAUTH_ENABLED='true' # environment\n\
         TRANSPORT='http' # derived\n\
         MCP_ADVERTISED_URL='https://mcp.example.com' # environment\n\
         LENSES_ADVERTISED_URL='http://localhost:9991' # derived\n\
         INTROSPECTION_CACHE_TTL='0' # default\n\
         MCP_CONCURRENT_INTROSPECTIONS_PER_ADDRESS='64' # derived\n\
         INTROSPECTION_URL='http://localhost:9991/oauth2/introspect' # derived\n\
         MCP_AUDIENCE='whenPresent' # default\n\
         MCP_TOKEN_EXCHANGE='auto' # default\n\
         MCP_CLIENT_REGISTRATION='dynamic' # default\n\
         MCP_FAILED_SIGN_INS_PER_MINUTE='20' # default\n\
         HOST='0.0.0.0' # default\n\
         PORT='8000' # default\n\
         ADMIN_HOST='0.0.0.0' # default\n\
         ADMIN_PORT='9464' # default\n\
         MCP_CONNECTIONS_PER_ADDRESS='64' # default\n\
         MCP_HEAD_TIMEOUT='10s' # default\n\
         MCP_WRITE_TIMEOUT='30s' # default\n\
         MCP_IDLE_TIMEOUT='75s' # default\n\
         MCP_AUDIT='stdout' # derived"
    );
    assert_eq!(
        settings.warnings,
        ["LENSES_URL is not set, so that Lenses HQ is looked for at http://localhost:9991/: \
             write LENSES_URL=https://lenses.example.com"]
    );
    assert_eq!(settings.policy.scopes(), ScopeSet::ALL);
    assert_eq!(oauth(&settings).introspection.cache_ttl, Duration::ZERO);
    assert!(oauth(&settings).introspection.client.is_none());
}

#[test]
fn each_variable_takes_what_it_should() {
    let settings = read(&[
        OAUTH,
        &[
            ("LENSES_URL", "https://[2001:db8::1]:9991/hq/"),
            ("LENSES_ADVERTISED_URL", "https://Lenses.example.com/hq/"),
            ("MCP_ADVERTISED_URL", "https://mcp.example.com:8443/team-a/"),
            ("MCP_SCOPES", " delete , read read"),
            ("INTROSPECTION_CACHE_TTL", "2m"),
            ("INTROSPECTION_CLIENT_ID", "mcp"),
            ("INTROSPECTION_CLIENT_SECRET", "s3cret"),
            ("MCP_AUDIENCE", "required"),
            ("TRANSPORT", "streamable-http"),
            ("HOST", "[::1]"),
            ("PORT", "8080"),
            ("ADMIN_HOST", "localhost"),
            ("ADMIN_PORT", "0"),
            ("MCP_ALLOWED_HOSTS", "mcp.ns.svc, mcp.ns.svc:80, [::2]:9"),
            ("MCP_ALLOWED_ORIGINS", "https://app.example.com,http://dev.example.com:*"),
            ("MCP_SEALING_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
            ("MCP_MAX_BODY_BYTES", "1024"),
            ("MCP_REQUEST_TIMEOUT", "90"),
            ("MCP_MAX_CONCURRENT_REQUESTS", "1"),
            ("MCP_RESPONSE_MAX_BYTES", "2048"),
            ("MCP_SQL_MAX_ROWS", "7"),
            ("MCP_SQL_TIMEOUT", "1m 20s"),
            ("SHUTDOWN_GRACE", "5s"),
            ("LOG_LEVEL", "DEBUG"),
            ("LOG_FORMAT", "json"),
            ("MCP_LOG_LINE_MAX_BYTES", "2048"),
        ],
    ])
    .unwrap();
    assert_eq!(settings.lenses_url.as_str(), "https://[2001:db8::1]:9991/hq/");
    assert_eq!(settings.policy.scopes(), [Scope::Read, Scope::Delete].into_iter().collect());
    assert_eq!(settings.limits.request_timeout, Duration::from_secs(90));
    assert_eq!(settings.limits.sql_timeout, Duration::from_secs(80));
    assert_eq!((settings.limits.max_body_bytes, settings.limits.response_max_bytes), (1024, 2048));
    assert_eq!((settings.limits.max_concurrent_requests, settings.limits.sql_max_rows), (1, 7));
    assert_eq!(settings.shutdown_grace, Duration::from_secs(5));
    assert_eq!((settings.log.level, settings.log.format), (tracing::Level::DEBUG, LogFormat::Json));
    assert_eq!(
        settings.sealing_key.as_ref().unwrap().expose_secret(),
        (0..32).collect::<Vec<u8>>()
    );

    assert_eq!(settings.log.line_max_bytes, 2048);

    let http = http(&settings);
    assert_eq!(
        (http.listen.to_string(), http.admin.to_string()),
        ("[::1]:8080".into(), "127.0.0.1:0".into())
    );
    let hosts: Vec<_> = http.allowed_hosts.iter().map(ToString::to_string).collect();
    assert_eq!(
        hosts,
        [
            "localhost",
            "127.0.0.1",
            "[::1]",
            "mcp.example.com",
            "mcp.ns.svc",
            "mcp.ns.svc:80",
            "[::2]:9"
        ]
    );
    let origins: Vec<_> = http.allowed_origins.iter().map(ToString::to_string).skip(6).collect();
    assert_eq!(
        origins,
        ["https://mcp.example.com:8443", "https://app.example.com:443", "http://dev.example.com:*"]
    );

    let oauth = oauth(&settings);
    assert_eq!(oauth.issuer, "https://Lenses.example.com/hq/");
    assert_eq!(oauth.advertised_url.resource(), "https://mcp.example.com:8443/team-a/mcp");
    assert_eq!(
        oauth.advertised_url.metadata_url(),
        "https://mcp.example.com:8443/.well-known/oauth-protected-resource/team-a/mcp"
    );
    assert_eq!(oauth.introspection.url.as_str(), "https://[2001:db8::1]:9991/hq/oauth2/introspect");
    assert_eq!(oauth.introspection.cache_ttl, Duration::from_mins(2));
    assert_eq!(oauth.introspection.client.as_ref().unwrap().secret.expose_secret(), "s3cret");
    assert_eq!(oauth.audience, AudienceRule::Required);
}

#[test]
fn each_variable_refuses_what_it_should_and_says_what_to_write() {
    let table = [
        ("LENSES_URL", "localhost:9991", "in front, such as https://localhost:9991"),
        ("LENSES_URL", "ftp://lenses", "with http:// or https:// in front"),
        ("LENSES_URL", "http:lenses", "write // after the scheme"),
        ("LENSES_URL", "https://", "write a URL"),
        ("LENSES_URL", "https://lenses.example.com:99999", "write a URL"),
        ("LENSES_URL", "https://lenses.example.com?x=1", "without query and fragment"),
        ("LENSES_URL", "https://lenses.example.com/#x", "without query and fragment"),
        ("LENSES_URL", "https://lénses.example.com", "in ASCII"),
        ("LENSES_API_HTTP_URL", "ws://hq", "with http:// or https:// in front"),
        ("LENSES_API_HTTP_URL", "http://user:pass@hq", "without user and password"),
        ("LENSES_API_HTTP_PORT", "0", "write a port from 1 to 65535"),
        ("LENSES_API_WEBSOCKET_URL", "http://hq", "with ws:// or wss:// in front"),
        ("LENSES_API_WEBSOCKET_URL", "wss://hq?x", "without query and fragment"),
        ("LENSES_API_WEBSOCKET_PORT", "wss", "write a port from 1 to 65535"),
        ("LENSES_ADVERTISED_URL", "lenses.example.com", "such as https://lenses.example.com"),
        ("LENSES_ADVERTISED_URL", "https://lenses.example.com/\"", "without quotes"),
        ("OAUTH_ENABLED", "on", "write true or false"),
        ("MCP_ADVERTISED_URL", "https://mcp.example.com/mcp", "without /mcp"),
        ("MCP_ADVERTISED_URL", "https://mcp.example.com/x/mcp/", "without /mcp"),
        ("MCP_ADVERTISED_URL", "https://mcp.example.com/{x}", "letters, digits"),
        ("MCP_ADVERTISED_URL", "https://mcp.example.com/a/../b", "starting with a dot"),
        ("MCP_ADVERTISED_URL", "mcp.example.com", "such as https://mcp.example.com"),
        (
            "MCP_SCOPES",
            "read,admin",
            "\"admin\" is not a scope; the scopes are read, write and delete",
        ),
        ("MCP_SCOPES", ",", "at least one of read, write, delete"),
        ("INTROSPECTION_URL", "/oauth2/introspect", "write a URL"),
        ("INTROSPECTION_CACHE_TTL", "soon", "write a time"),
        ("INTROSPECTION_CACHE_TTL", "2days", "write a time from 0s to 1day"),
        ("INTROSPECTION_CLIENT_ID", "mcp", "INTROSPECTION_CLIENT_ID needs it"),
        ("INTROSPECTION_CLIENT_SECRET", "mcp", "INTROSPECTION_CLIENT_SECRET needs it"),
        ("MCP_CLIENT_REGISTRATION", "closed", "write dynamic or manual"),
        ("MCP_PROXY_LOOPBACK", "always", "write true or false"),
        ("MCP_AUDIENCE", "sometimes", "write required or whenPresent or ignored"),
        ("TRANSPORT", "sse", "replaced by Streamable HTTP: write TRANSPORT=http"),
        ("TRANSPORT", "stdio", "stdio has no sign-in"),
        ("TRANSPORT", "grpc", "write http, streamable-http or stdio"),
        ("HOST", "example.com", "write an IP address"),
        ("PORT", "http", "write a port"),
        ("PORT", "65536", "write a port"),
        ("ADMIN_HOST", "*", "write an IP address"),
        ("ADMIN_PORT", "8000", "another port than PORT"),
        ("MCP_ALLOWED_HOSTS", "https://mcp.example.com", "write hosts as"),
        ("MCP_ALLOWED_HOSTS", "*", "write hosts as"),
        ("MCP_ALLOWED_ORIGINS", "app.example.com", "write origins as"),
        ("MCP_ALLOWED_ORIGINS", "https://app.example.com/path", "write origins as"),
        ("MCP_ALLOWED_ORIGINS", "*", "write origins as"),
        ("MCP_SEALING_KEY", "c2hvcnQ=", "openssl rand -base64 32"),
        ("MCP_MAX_BODY_BYTES", "4MB", "write a whole number from 1024 to 67108864"),
        ("MCP_MAX_BODY_BYTES", "0", "write a whole number"),
        (
            "MCP_MEMORY_BUDGET_BYTES",
            "4194300",
            "MCP_MAX_BODY_BYTES is 1048576: write at most 1048575, one user's quarter of \
             MCP_MEMORY_BUDGET_BYTES (4194300), or raise that",
        ),
        ("MCP_REQUEST_TIMEOUT", "0", "write a time from 1s to 1h"),
        (
            "MCP_REQUEST_TIMEOUT",
            "20s",
            "MCP_SQL_TIMEOUT is 30s: write less than MCP_REQUEST_TIMEOUT (20s)",
        ),
        ("MCP_MAX_CONCURRENT_REQUESTS", "0", "write a whole number from 1"),
        ("MCP_LOG_LINE_MAX_BYTES", "100", "write a whole number from 1024"),
        ("MCP_FAILED_SIGN_INS_PER_MINUTE", "few", "from 0 (any number) to 1000000"),
        ("MCP_CONCURRENT_INTROSPECTIONS_PER_ADDRESS", "0", "write a whole number from 1"),
        ("MCP_RESPONSE_MAX_BYTES", "-1", "write a whole number"),
        ("MCP_RESULT_MAX_BYTES", "1", "write a whole number from"),
        ("MCP_SQL_MAX_ROWS", "many", "write a whole number"),
        ("MCP_SQL_TIMEOUT", "1y", "write a time"),
        ("SHUTDOWN_GRACE", "forever", "write a time"),
        ("LOG_LEVEL", "loud", "write error or warn or info or debug or trace"),
        ("LOG_FORMAT", "xml", "write text or json"),
    ];
    for (name, value, expected) in table {
        let errors = errors(&[OAUTH, &[(name, value)]]);
        assert!(errors.contains(expected), "{name}={value}: {errors}");
        assert!(errors.contains(name), "{name}={value}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{name}={value}: {errors}");
    }
}

#[test]
fn what_is_offered_is_chosen_by_names_that_exist() {
    let groups = every_group();
    for (name, value, message) in [
        ("MCP_READ_ONLY", "maybe", "MCP_READ_ONLY is \"maybe\": write true or false"),
        ("MCP_TOOLS_ALLOW", "list_topic", "the nearest is list_topics"),
        ("MCP_TOOLS_DENY", "topic/*", "the nearest is topics/*"),
        ("MCP_TOOLS_DENY", groups.as_str(), "they leave none"),
        ("MCP_ENVIRONMENTS", "..", "MCP_ENVIRONMENTS is \"..\""),
        ("MCP_CONFIRM", "always", "write destructive or required or never"),
    ] {
        let faults = errors(&[OAUTH, &[(name, value)]]);
        assert!(faults.contains(message), "{name}={value}: {faults}");
    }
}

fn every_group() -> String {
    lenses_mcp_server::tools::registry()
        .groups()
        .map(|group| format!("{group}/*"))
        .collect::<Vec<_>>()
        .join(",")
}
