//! Settings: what each variable may hold, what is said about what it may not, and how they decide each other.

#![expect(clippy::panic, reason = "a test that fails says so by panicking")]

use std::{collections::BTreeMap, io, path::Path, time::Duration};

use lenses_mcp_server::{
    scope::{Scope, ScopeSet},
    settings::{AudienceRule, Callers, Http, LogFormat, OAuth, Settings, SettingsErrors, SignIn, Transport, Variables},
};
use secrecy::ExposeSecret;

const OAUTH: &[(&str, &str)] = &[("OAUTH_ENABLED", "true"), ("MCP_ADVERTISED_URL", "https://mcp.example.com")];
const API_KEY: &[(&str, &str)] = &[("LENSES_API_KEY", "key"), ("TRANSPORT", "http"), ("MCP_CALLER_TOKEN", "caller")];

#[derive(Default)]
struct Files(BTreeMap<&'static str, &'static str>);

fn read_with(files: &Files, sets: &[&[(&str, &str)]]) -> Result<Settings, SettingsErrors> {
    let read_file = |path: &Path| match path.to_str().and_then(|path| files.0.get(path)) {
        Some(text) => Ok((*text).to_owned()),
        None => Err(io::ErrorKind::NotFound.into()),
    };
    // Later values replace earlier ones.
    let environment: BTreeMap<_, _> =
        sets.iter().flat_map(|set| set.iter()).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Variables::load(environment, &read_file).and_then(|variables| Settings::read(&variables))
}

fn read(sets: &[&[(&str, &str)]]) -> Result<Settings, SettingsErrors> {
    read_with(&Files::default(), sets)
}

fn errors(sets: &[&[(&str, &str)]]) -> String {
    read(sets).map_or_else(|errors| errors.to_string(), |settings| panic!("accepted: {}", settings.effective()))
}

fn http(settings: &Settings) -> &Http {
    match &settings.transport {
        Transport::Http(http) => http,
        Transport::Stdio { .. } => panic!("not HTTP"),
    }
}

fn oauth(settings: &Settings) -> &OAuth {
    match &http(settings).sign_in {
        SignIn::OAuth(oauth) => oauth,
        SignIn::ApiKey { .. } => panic!("not OAuth"),
    }
}

#[test]
fn oauth_needs_two_variables_and_has_a_default_for_the_rest() {
    let settings = read(&[OAUTH]).unwrap();
    assert_eq!(
        settings.effective().to_string(),
        "LENSES_URL='http://localhost:9991' # default\n\
         MCP_SCOPES='read,write,delete' # default\n\
         MCP_MAX_BODY_BYTES='4194304' # default\n\
         MCP_REQUEST_TIMEOUT='60s' # default\n\
         MCP_MAX_CONCURRENT_REQUESTS='256' # default\n\
         MCP_RESPONSE_MAX_BYTES='4194304' # default\n\
         MCP_SQL_MAX_ROWS='1000' # default\n\
         MCP_SQL_TIMEOUT='30s' # default\n\
         SHUTDOWN_GRACE='25s' # default\n\
         LOG_LEVEL='info' # default\n\
         LOG_FORMAT='text' # default\n\
         OAUTH_ENABLED='true' # environment\n\
         TRANSPORT='http' # derived\n\
         MCP_ADVERTISED_URL='https://mcp.example.com' # environment\n\
         LENSES_ADVERTISED_URL='http://localhost:9991' # derived\n\
         INTROSPECTION_CACHE_TTL='0' # default\n\
         INTROSPECTION_URL='http://localhost:9991/oauth2/introspect' # derived\n\
         MCP_AUDIENCE='whenPresent' # default\n\
         HOST='0.0.0.0' # default\n\
         PORT='8000' # default\n\
         ADMIN_HOST='0.0.0.0' # default\n\
         ADMIN_PORT='9090' # default"
    );
    assert_eq!(settings.warnings, Vec::<String>::new());
    assert_eq!(settings.offered, ScopeSet::ALL);
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
            ("MCP_SCOPES", " delete , read "),
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
        ],
    ])
    .unwrap();
    assert_eq!(settings.lenses_url.as_str(), "https://[2001:db8::1]:9991/hq/");
    assert_eq!(settings.offered, [Scope::Read, Scope::Delete].into_iter().collect());
    assert_eq!(settings.limits.request_timeout, Duration::from_secs(90));
    assert_eq!(settings.limits.sql_timeout, Duration::from_secs(80));
    assert_eq!((settings.limits.max_body_bytes, settings.limits.response_max_bytes), (1024, 2048));
    assert_eq!((settings.limits.max_concurrent_requests, settings.limits.sql_max_rows), (1, 7));
    assert_eq!(settings.shutdown_grace, Duration::from_secs(5));
    assert_eq!((settings.log.level, settings.log.format), (tracing::Level::DEBUG, LogFormat::Json));
    assert_eq!(settings.sealing_key.as_ref().unwrap().expose_secret(), (0..32).collect::<Vec<u8>>());

    let http = http(&settings);
    assert_eq!((http.listen.to_string(), http.admin.to_string()), ("[::1]:8080".into(), "127.0.0.1:0".into()));
    let hosts: Vec<_> = http.allowed_hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["localhost", "127.0.0.1", "[::1]", "mcp.example.com", "mcp.ns.svc", "mcp.ns.svc:80", "[::2]:9"]);
    let origins: Vec<_> = http.allowed_origins.iter().map(ToString::to_string).skip(6).collect();
    assert_eq!(origins, ["https://mcp.example.com:8443", "https://app.example.com:443", "http://dev.example.com:*"]);

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
        ("LENSES_URL", "localhost:9991", "with http:// or https:// in front"),
        ("LENSES_URL", "ftp://lenses", "with http:// or https:// in front"),
        ("LENSES_URL", "http:lenses", "write // after the scheme"),
        ("LENSES_URL", "https://", "write a URL"),
        ("LENSES_URL", "https://lenses.example.com:99999", "write a URL"),
        ("LENSES_URL", "https://lenses.example.com?x=1", "without query and fragment"),
        ("LENSES_URL", "https://lenses.example.com/#x", "without query and fragment"),
        ("LENSES_URL", "https://lénses.example.com", "in ASCII"),
        ("LENSES_ADVERTISED_URL", "lenses.example.com", "write a URL"),
        ("LENSES_ADVERTISED_URL", "https://lenses.example.com/\"", "without quotes"),
        ("OAUTH_ENABLED", "on", "write true or false"),
        ("MCP_ADVERTISED_URL", "https://mcp.example.com/mcp", "without /mcp"),
        ("MCP_ADVERTISED_URL", "https://mcp.example.com/x/mcp/", "without /mcp"),
        ("MCP_ADVERTISED_URL", "https://mcp.example.com/{x}", "letters, digits"),
        ("MCP_ADVERTISED_URL", "https://mcp.example.com/a/../b", "starting with a dot"),
        ("MCP_ADVERTISED_URL", "mcp.example.com", "write a URL"),
        ("MCP_SCOPES", "read,admin", "\"admin\" is not a scope; the scopes are read, write and delete"),
        ("MCP_SCOPES", ",", "at least one of read, write, delete"),
        ("INTROSPECTION_URL", "/oauth2/introspect", "write a URL"),
        ("INTROSPECTION_CACHE_TTL", "soon", "write a time"),
        ("INTROSPECTION_CACHE_TTL", "2days", "write a time from 0s to 1day"),
        ("INTROSPECTION_CLIENT_ID", "mcp", "INTROSPECTION_CLIENT_ID needs it"),
        ("INTROSPECTION_CLIENT_SECRET", "mcp", "INTROSPECTION_CLIENT_SECRET needs it"),
        ("MCP_AUDIENCE", "sometimes", "write required or whenPresent or ignored"),
        ("TRANSPORT", "sse", "replaced by Streamable HTTP: write http"),
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
        ("MCP_REQUEST_TIMEOUT", "0", "write a time from 1s to 1h"),
        ("MCP_REQUEST_TIMEOUT", "20s", "MCP_SQL_TIMEOUT is 30s: write less than MCP_REQUEST_TIMEOUT (20s)"),
        ("MCP_MAX_CONCURRENT_REQUESTS", "0", "write a whole number from 1"),
        ("MCP_RESPONSE_MAX_BYTES", "-1", "write a whole number"),
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
fn all_faults_are_told_together() {
    let errors = errors(&[&[
        ("OAUTH_ENABLED", "true"),
        ("LENSES_URL", "lenses"),
        ("PORT", "x"),
        ("MCP_AUDIENCE", "x"),
        ("LOG_LEVEL", "x"),
        ("MCP_SQL_MAX_ROWS", "x"),
    ]]);
    for name in [
        "LENSES_URL is",
        "PORT is",
        "MCP_AUDIENCE is",
        "LOG_LEVEL is",
        "MCP_SQL_MAX_ROWS is",
        "MCP_ADVERTISED_URL is not set",
    ] {
        assert!(errors.contains(name), "{name} is not in\n{errors}");
    }
    assert_eq!(errors.lines().count(), 6, "{errors}");
}

#[test]
fn no_error_and_no_listing_shows_a_secret() {
    for set in [
        &[("LENSES_URL", "https://user:hunter2@lenses.example.com")][..],
        &[("INTROSPECTION_URL", "https://user:hunter2@lenses.example.com")],
        &[("LENSES_URL", "https://lenses.example.com/?key=hunter2")],
        &[("MCP_SEALING_KEY", "hunter2")],
        &[("INTROSPECTION_CLIENT_SECRET", "hunter2")],
        &[("INTROSPECTION_CLIENT_ID", "a"), ("INTROSPECTION_CLIENT_SECRET", "hunter2 hunter2")],
    ] {
        let errors = errors(&[OAUTH, set]);
        assert!(!errors.contains("hunter2"), "{errors}");
    }
    let settings = read(&[API_KEY, &[("LENSES_API_KEY", "hunter2"), ("MCP_CALLER_TOKEN", "hunter3")]]).unwrap();
    assert!(!format!("{} {settings:?}", settings.effective()).contains("hunter"));
    assert!(settings.effective().to_string().contains("LENSES_API_KEY='(hidden)' # environment"));
}

#[test]
fn the_advertised_lenses_url_is_kept_byte_for_byte() {
    for url in ["https://lenses.example.com", "https://lenses.example.com/", "https://LENSES.example.com:443/x"] {
        assert_eq!(oauth(&read(&[OAUTH, &[("LENSES_ADVERTISED_URL", url)]]).unwrap()).issuer, url);
        assert_eq!(oauth(&read(&[OAUTH, &[("LENSES_URL", url)]]).unwrap()).issuer, url);
    }
}

#[test]
fn introspection_uses_the_inside_address_unless_it_is_named() {
    for (set, expected) in [
        (&[("LENSES_URL", "http://hq.ns.svc:9991")][..], "http://hq.ns.svc:9991/oauth2/introspect"),
        (&[("LENSES_URL", "http://hq/a/"), ("LENSES_ADVERTISED_URL", "https://out")], "http://hq/a/oauth2/introspect"),
        (&[("INTROSPECTION_URL", "http://other/introspect?tenant=1")], "http://other/introspect?tenant=1"),
    ] {
        assert_eq!(oauth(&read(&[OAUTH, set]).unwrap()).introspection.url.as_str(), expected);
    }
}

#[test]
fn oauth_left_unsaid_is_on_where_older_charts_rely_on_it() {
    let url = ("MCP_ADVERTISED_URL", "https://mcp.example.com");
    oauth(&read(&[&[url]]).unwrap());
    let with_key = read(&[&[url, ("LENSES_API_KEY", "key")]]).unwrap();
    assert!(matches!(with_key.transport, Transport::Stdio { .. }));
    let off = errors(&[&[url, ("OAUTH_ENABLED", "no")]]);
    assert!(off.contains("LENSES_API_KEY is not set: OAuth is off"), "{off}");
    let nothing = errors(&[&[]]);
    assert!(nothing.contains("or set OAUTH_ENABLED=true and MCP_ADVERTISED_URL"), "{nothing}");
}

#[test]
fn an_api_key_alone_is_for_stdio_and_over_http_someone_must_be_named() {
    assert!(matches!(read(&[&[("LENSES_API_KEY", "key")]]).unwrap().transport, Transport::Stdio { .. }));
    let settings = read(&[API_KEY]).unwrap();
    assert!(matches!(&http(&settings).sign_in, SignIn::ApiKey { callers: Callers::Token(_), .. }));
    assert_eq!(settings.warnings, Vec::<String>::new());

    let unsaid = errors(&[API_KEY, &[("MCP_CALLER_TOKEN", "")]]);
    assert!(unsaid.contains("MCP_CALLER_TOKEN is not set: over HTTP callers must show a token"), "{unsaid}");
    let anyone = read(&[API_KEY, &[("MCP_CALLER_TOKEN", ""), ("MCP_CALLERS", "anyone")]]).unwrap();
    assert!(matches!(&http(&anyone).sign_in, SignIn::ApiKey { callers: Callers::Anyone, .. }));
    assert!(anyone.warnings[0].starts_with("MCP_CALLERS=anyone"));
    let both = errors(&[API_KEY, &[("MCP_CALLERS", "anyone")]]);
    assert!(both.contains("MCP_CALLER_TOKEN and MCP_CALLERS are both set"), "{both}");
    let other = errors(&[API_KEY, &[("MCP_CALLER_TOKEN", ""), ("MCP_CALLERS", "everyone")]]);
    assert!(other.contains("MCP_CALLERS is \"everyone\": write anyone"), "{other}");
}

#[test]
fn what_weakens_sign_in_or_is_not_used_is_warned_of() {
    let settings = read(&[OAUTH, &[("LENSES_API_KEY", "key"), ("MCP_AUDIENCE", "ignored")]]).unwrap();
    assert!(settings.warnings.iter().any(|warning| warning.starts_with("LENSES_API_KEY is set but not used")));
    assert!(settings.warnings.iter().any(|warning| warning.starts_with("MCP_AUDIENCE=ignored")));
}

#[test]
fn an_empty_variable_is_its_default() {
    let all: Vec<_> = lenses_mcp_server::settings::variable::ALL.iter().map(|known| (known.name, "  ")).collect();
    let settings = read(&[&all, OAUTH]).unwrap();
    assert_eq!(settings.effective().to_string(), read(&[OAUTH]).unwrap().effective().to_string());
}

#[test]
fn zero_and_less_turn_the_cache_off_as_they_always_did() {
    for (text, seconds) in [("0", 0), ("-1", 0), ("30", 30), ("1500ms", 1)] {
        let settings = read(&[OAUTH, &[("INTROSPECTION_CACHE_TTL", text)]]).unwrap();
        assert_eq!(oauth(&settings).introspection.cache_ttl.as_secs(), seconds, "{text}");
    }
}

#[test]
fn the_environment_wins_over_the_settings_file() {
    let files = Files(
        [(
            "/etc/mcp/settings.env",
            "# made by the operator\nOAUTH_ENABLED='true'\nMCP_ADVERTISED_URL='https://file.example.com'\nPORT='7000'\nOTHER='x'\n",
        )]
        .into(),
    );
    let named = ("MCP_SETTINGS_FILE", "/etc/mcp/settings.env");
    let settings = read_with(&files, &[&[named, ("PORT", "7001"), ("MCP_ADVERTISED_URL", "")]]).unwrap();
    assert_eq!(http(&settings).listen.port(), 7001);
    assert_eq!(oauth(&settings).advertised_url.resource(), "https://file.example.com/mcp");
    assert!(settings.effective().to_string().contains("MCP_ADVERTISED_URL='https://file.example.com' # settings file"));
}

#[test]
fn a_dotenv_file_in_the_working_directory_is_read_where_there_is_one() {
    let files = Files([(".env", "LENSES_API_KEY=key\nLENSES_LICENSE=of-another-program\n")].into());
    assert!(matches!(read_with(&files, &[]).unwrap().transport, Transport::Stdio { .. }));
}

#[test]
fn a_settings_file_that_cannot_be_used_is_named() {
    let named = ("MCP_SETTINGS_FILE", "/settings");
    let missing = read(&[OAUTH, &[named]]).unwrap_err().to_string();
    assert!(missing.contains("MCP_SETTINGS_FILE names \"/settings\", which can't be read"), "{missing}");

    let files = Files([("/settings", "PORT='1'\nLENSES_API_KEY='hunter2\n")].into());
    let torn = read_with(&files, &[OAUTH, &[named]]).unwrap_err().to_string();
    assert!(torn.contains("entry 2 of the settings file \"/settings\"") && !torn.contains("hunter2"), "{torn}");

    let files = Files([("/settings", "MCP_AUDIENCES='required'\nLENSES_COLOUR='blue'\nPATH='/bin'\n")].into());
    let unknown = read_with(&files, &[OAUTH, &[named]]).unwrap_err().to_string();
    assert!(
        unknown
            .contains("MCP_AUDIENCES in the settings file \"/settings\" is not a setting: did you mean MCP_AUDIENCE?")
    );
    assert!(unknown.contains("LENSES_COLOUR in the settings file"), "{unknown}");
    assert_eq!(unknown.lines().count(), 2, "{unknown}");
}

#[test]
fn each_secret_can_be_in_a_file() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    let files = Files(
        [
            ("/key", "from-file\n"),
            ("/id", "id"),
            ("/secret", "s\r\n"),
            ("/caller", "c"),
            ("/seal", key),
            ("/empty", "\n"),
        ]
        .into(),
    );
    let settings = read_with(
        &files,
        &[&[
            ("LENSES_API_KEY_FILE", "/key"),
            ("MCP_CALLER_TOKEN_FILE", "/caller"),
            ("MCP_SEALING_KEY_FILE", "/seal"),
            ("TRANSPORT", "http"),
        ]],
    )
    .unwrap();
    let SignIn::ApiKey { api_key, callers: Callers::Token(token) } = &http(&settings).sign_in else {
        panic!("not a key")
    };
    assert_eq!((api_key.expose_secret(), token.expose_secret()), ("from-file", "c"));
    assert!(settings.sealing_key.is_some());
    assert!(settings.effective().to_string().contains("LENSES_API_KEY='(hidden)' # secret file"));

    let files_of_client = [("INTROSPECTION_CLIENT_ID_FILE", "/id"), ("INTROSPECTION_CLIENT_SECRET_FILE", "/secret")];
    let settings = read_with(&files, &[OAUTH, &files_of_client]).unwrap();
    assert_eq!(oauth(&settings).introspection.client.as_ref().unwrap().secret.expose_secret(), "s");

    for (set, expected) in [
        (
            &[("LENSES_API_KEY", "a"), ("LENSES_API_KEY_FILE", "/key")][..],
            "LENSES_API_KEY and LENSES_API_KEY_FILE are both set",
        ),
        (&[("LENSES_API_KEY_FILE", "/none")], "LENSES_API_KEY_FILE names \"/none\", which can't be read"),
        (&[("LENSES_API_KEY_FILE", "/empty")], "LENSES_API_KEY is an empty file: write the secret into it"),
    ] {
        let errors = read_with(&files, &[set]).unwrap_err().to_string();
        assert!(errors.contains(expected), "{errors}");
    }
}
