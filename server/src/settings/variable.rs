//! Every variable that the server reads: the one list behind reading, `--help`, `--check`, the
//! check for unknown names and `docs/settings.md`.

use std::fmt::Write as _;

/// One setting: its name in the environment and in the settings file alike.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: &'static str,
    /// The value that an unset or empty variable has; `None` where there is none, or where it
    /// follows from others.
    pub default: Option<&'static str>,
    /// Whether the value is a secret: never shown, and `<name>_FILE` may name a file that holds it.
    pub secret: bool,
    /// What it is for, in one line.
    pub meaning: &'static str,
}

/// Variables that belong together.
#[derive(Debug)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// The variables, in the order in which they are shown.
    pub variables: &'static [&'static Variable],
}

/// All variables with their meaning, for `--help`.
#[must_use]
pub fn help() -> String {
    let mut text =
        "Settings are environment variables; a secret X may also be in a file that X_FILE names.\n"
            .to_owned();
    for Group { title, variables } in GROUPS {
        let _infallible = writeln!(text, "\n{title}:");
        for Variable { name, default, meaning, .. } in *variables {
            let default = default.map(|default| format!(" [{default}]")).unwrap_or_default();
            let _infallible = writeln!(text, "  {name}{default}\n      {meaning}");
        }
    }
    text
}

macro_rules! variables {
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    (@secret) => { false };
    (@secret $secret:tt) => { $secret };
    ($(
        [$title:literal]
        $($(#[secret $secret:tt])? $name:ident $(= $default:literal)?: $meaning:literal;)+
    )+) => {
        $($(
            #[doc = concat!("`", stringify!($name), "`")]
            pub const $name: Variable = Variable {
                name: stringify!($name),
                default: variables!(@default $($default)?),
                secret: variables!(@secret $($secret)?),
                meaning: $meaning,
            };
        )+)+

        /// Every variable, in groups.
        pub const GROUPS: &[Group] = &[$(Group { title: $title, variables: &[$(&$name,)+] },)+];

        /// Every variable, in the order in which they are shown.
        pub const ALL: &[&Variable] = &[$($(&$name,)+)+];
    };
}

variables! {
    ["Settings file"]
    MCP_SETTINGS_FILE: "Settings file in dotenv format, same names; the environment wins. Default: \
                        .env here, if there";

    ["Lenses HQ"]
    LENSES_URL = "http://localhost:9991":
        "Lenses HQ as this server reaches it; a path is kept as a prefix";
    LENSES_ADVERTISED_URL:
        "Lenses HQ as clients reach it: byte for byte HQ's issuerURL. Default: LENSES_URL";
    LENSES_API_HTTP_URL: "Older: stands for LENSES_URL in HTTP calls, its port left out";
    LENSES_API_HTTP_PORT: "Older: the port of HTTP calls. Default: LENSES_URL's";
    LENSES_API_WEBSOCKET_URL:
        "Older: ws:// or wss://, stands for LENSES_URL in websockets, its port left out";
    LENSES_API_WEBSOCKET_PORT: "Older: the port of websockets. Default: LENSES_URL's";
    LENSES_CA_FILE: "CA certificates for HQ, in PEM, besides the machine's";
    LENSES_CLIENT_CERT_FILE: "Certificate that is shown to HQ (mTLS), in PEM, its chain behind it";
    LENSES_CLIENT_KEY_FILE: "That certificate's key, in PEM, unencrypted";
    #[secret true] LENSES_API_KEY: "Service account token for HQ, used when OAuth is off";

    ["Proxies"]
    #[secret true] HTTPS_PROXY: "HTTP proxy for https addresses of HQ and of the traces' \
                                 collector: http://[user:password@]host:port. Also https_proxy";
    #[secret true] HTTP_PROXY: "The same for http addresses. Also http_proxy";
    #[secret true] MCP_PROXY_USERNAME: "User name for a proxy whose URL has none";
    #[secret true] MCP_PROXY_PASSWORD: "That user's password";
    NO_PROXY: "What is reached without a proxy: comma list of domains with all below, IP addresses \
               and networks, or *. Also no_proxy";
    MCP_PROXY_LOOPBACK = "false": "true = loopback addresses, too, are reached through a proxy";

    ["Sign-in"]
    OAUTH_ENABLED: "true or false. Default: true if MCP_ADVERTISED_URL is set and LENSES_API_KEY \
                    is not, else false";
    MCP_ADVERTISED_URL: "This server as clients reach it, without /mcp; required with OAuth";
    MCP_SCOPES = "read,write,delete":
        "Scopes that this server offers; tools above them do not exist here";
    MCP_READ_ONLY = "false": "true = only tools that read, and of SQL only statements that read";
    MCP_TOOLS_ALLOW: "Only these tools, comma list of names or group/*. Default: all";
    MCP_TOOLS_DENY: "Not these tools, comma list of names or group/*; wins over MCP_TOOLS_ALLOW";
    MCP_ENVIRONMENTS:
        "Lenses environments that tools may touch, comma list. Default: all that the user may see";
    MCP_ENVIRONMENT_RULES: "What holds in which environments, first match wins: 'prod*: read; \
                            staging-*: read write, confirm=required; *: read write delete'. After \
                            the colon: scopes or none, confirm=, allow= and deny= (tools, with \
                            blanks between them). Never more than the settings above offer";
    MCP_CONFIRM = "destructive": "Before something is deleted: destructive = ask the user through \
                                  each client that declares elicitation, required = refuse other \
                                  clients, never";
    INTROSPECTION_URL: "Token introspection at HQ. Default: <LENSES_URL>/oauth2/introspect";
    INTROSPECTION_CACHE_TTL = "0":
        "How long an active token is believed without asking HQ; 0 = ask each time";
    #[secret true] INTROSPECTION_CLIENT_ID:
        "Client for introspection, where HQ does not allow it unauthenticated";
    #[secret true] INTROSPECTION_CLIENT_SECRET: "That client's secret";
    MCP_TOKEN_EXCHANGE = "auto": "Show HQ a token of its own (RFC 8693): auto = if it offers that \
                                  to the client above, required, off";
    MCP_AUDIENCE = "whenPresent":
        "Whether a token's aud must name this server: required, whenPresent, ignored";
    MCP_ALLOWED_CLIENTS: "Client ids of the applications that may call with OAuth, comma list; a \
                          token of another gets 403. Default: all";
    MCP_CLIENT_REGISTRATION = "dynamic": "How HQ knows its clients: dynamic = they register \
                                          themselves or are named by a Client ID Metadata \
                                          Document, manual = they are registered by hand. \
                                          Diagnostics only";
    #[secret true] MCP_CALLER_TOKEN: "Bearer token that callers must show when OAuth is off: at \
                                      least 16 letters, digits or -._~+/";
    MCP_CALLERS: "anyone = callers need no token when OAuth is off; to be said in so many words";

    ["Listening"]
    TRANSPORT: "http, streamable-http or stdio. Default: http with OAuth, else stdio";
    HOST = "0.0.0.0": "Address of the MCP endpoint";
    PORT = "8000": "Port of the MCP endpoint";
    TLS_CERT_FILE: "Certificate of the MCP endpoint, in PEM, its chain behind it; a changed file \
                    is taken up. Default: no TLS";
    TLS_KEY_FILE: "That certificate's key, in PEM, unencrypted";
    ADMIN_HOST = "0.0.0.0": "Address of the admin endpoints";
    ADMIN_PORT = "9464": "Port of /livez, /readyz, /metrics and /diagnostics. If it is taken and \
                          not set here, the server starts without them";
    MCP_ALLOWED_HOSTS: "Further Host values, comma list; the advertised URL's and loopback are \
                        always in. The admin endpoints take them on any port, and the address of \
                        the machine or pod";
    MCP_ALLOWED_ORIGINS:
        "Further browser origins, comma list; the advertised URL's and loopback are always in";
    MCP_TRUSTED_PROXIES: "Addresses or networks (10.0.0.0/8) of proxies, comma list: believed \
                          about their clients' addresses";
    #[secret true] MCP_SEALING_KEY: "Base64 of 32 bytes or more, the same in all replicas; seals \
                                     state handed to clients. Default: a new key at each start, so \
                                     that an open question ends with a restart";
    MCP_REPLICA_HOST: "IP address at which the other replicas reach this one's ADMIN_PORT, to send \
                       on an answer that it waits for";

    ["Limits"]
    MCP_MAX_BODY_BYTES = "1048576": "Largest request body, in bytes; a longer one gets 413. At \
                                     most a quarter of MCP_MEMORY_BUDGET_BYTES";
    MCP_BODY_TIMEOUT = "10s":
        "Longest time from a request's head to the end of its body; a slower one gets 408";
    MCP_REQUEST_TIMEOUT = "60s":
        "Longest time from a request to its response's head; a stream that began is not cut";
    MCP_MAX_CONCURRENT_REQUESTS = "256":
        "Requests and streams answered at a time; more get 503. Connections: four times as many";
    MCP_CONCURRENT_REQUESTS_PER_USER = "16":
        "Requests and streams of one user answered at a time; more get 429";
    MCP_MEMORY_BUDGET_BYTES: "Bytes of bodies, of HQ's replies and of answers in memory at a time, \
                              a quarter of them per user; more wait 1s, then get 503. Default: a \
                              quarter of the memory limit of the control group, else 67108864";
    MCP_CONNECTIONS_PER_ADDRESS = "64":
        "Connections of one address (IPv6: /64 network); one more closes its longest-idle one";
    MCP_HEAD_TIMEOUT = "10s":
        "Longest time for a request's head, from its first byte, and for a TLS handshake";
    MCP_WRITE_TIMEOUT = "30s": "Longest time in which a client takes nothing of a response";
    MCP_IDLE_TIMEOUT = "75s":
        "Longest time from a response to the next request; above a load balancer's own (often 60s)";
    MCP_CALLS_PER_MINUTE_PER_USER = "600":
        "Calls that one user may make a minute, at each replica; 0 = any number";
    MCP_FAILED_SIGN_INS_PER_MINUTE = "20":
        "Access tokens of one client address that HQ may refuse a minute, at each replica; after \
         that, tokens that it did not accept within the hour get 429; 0 = any number";
    MCP_CONCURRENT_INTROSPECTIONS_PER_ADDRESS:
        "Access tokens of one client address that HQ is asked about at a time; more get 503. \
         Default: a quarter of MCP_MAX_CONCURRENT_REQUESTS";
    MCP_RESPONSE_MAX_BYTES = "4194304": "Largest reply read from HQ, in bytes";
    MCP_RESULT_MAX_BYTES = "262144":
        "Bytes after which a list or a query's result is cut at a record; one is always whole";
    MCP_SQL_MAX_ROWS = "1000": "Rows after which a query's result is cut";
    MCP_SQL_TIMEOUT = "30s": "Longest time that a query may run";
    SHUTDOWN_GRACE = "25s": "Longest time from SIGTERM to exit";

    ["Logs"]
    LOG_LEVEL = "info": "error, warn, info, debug or trace";
    LOG_FORMAT = "text": "text or json; always on standard error";
    MCP_LOG_LINE_MAX_BYTES = "8192": "Longest line, in bytes; a longer one is cut and says so";

    ["Audit"]
    MCP_AUDIT: "Where each call, denial and failed sign-in is recorded, one JSON object a line: \
                stdout, file:/path or off. Default: stdout, over stdio off";

    ["Traces"]
    OTEL_ENABLED = "false": "true = send a span for each MCP request and each call to HQ. A fault \
                             below is logged, and no span sent";
    OTEL_EXPORTER = "otlp": "otlp, or console: as log lines at level info";
    OTEL_SERVICE_NAME: "Default: service.name of OTEL_RESOURCE_ATTRIBUTES, else lenses-mcp";
    OTEL_RESOURCE_ATTRIBUTES:
        "Attributes of this server, comma list of name=value, values percent-encoded";
    OTEL_EXPORTER_OTLP_PROTOCOL = "http/protobuf": "http/protobuf or grpc";
    OTEL_EXPORTER_OTLP_ENDPOINT: "The collector; with http/protobuf, /v1/traces is added. Default: \
                                  http://localhost:4318, with grpc :4317";
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "The same, nothing added; wins";
    #[secret true] OTEL_EXPORTER_OTLP_HEADERS:
        "Headers for the collector, comma list of name=value, values percent-encoded";
    OTEL_TRACES_SAMPLER = "parentbased_always_on":
        "always_on, always_off or traceidratio, each also with parentbased_ before it";
    OTEL_TRACES_SAMPLER_ARG:
        "Share of traces that are sampled by traceidratio, from 0 to 1. Default: 1";
}
