//! The operator's settings: flags of `run`, each with an environment variable, all checked before anything starts.

use std::{net::SocketAddr, str::FromStr, sync::LazyLock};

use clap::{ArgAction, Args, ValueEnum};
use ipnet::IpNet;
use lenses_mcp_crds::VerificationMode;
use regex::Regex;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// The image of the server that belongs to this operator: the same version, released together.
pub(crate) const SERVER_IMAGE: &str =
    concat!("lensesio/lenses-mcp-server:", env!("CARGO_PKG_VERSION"));

/// The settings of `run`.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// The image of a server whose resource names none.
    #[arg(long, env = "SERVER_IMAGE", default_value = SERVER_IMAGE, value_parser = image)]
    pub server_image: String,

    /// Pull secrets of servers whose resource names none, separated by commas. Each namespace with
    /// servers needs these Secrets.
    #[arg(long, env = "SERVER_IMAGE_PULL_SECRETS", default_value = "", value_parser = secrets)]
    pub server_image_pull_secrets: Secrets,

    /// The namespaces to watch, separated by commas. Empty: all of them.
    #[arg(long, env = "WATCH_NAMESPACES", default_value = "", value_parser = namespaces)]
    pub watch_namespaces: Namespaces,

    /// Which resources are this operator's, as a label selector such as `tier=gold` or `tier in (gold, silver)`. Empty: all of them.
    /// Operators that share a cluster need selectors that never select the same resource, and each its own Lease.
    #[arg(long, env = "WATCH_SELECTOR", default_value = "", value_parser = selector)]
    pub watch_selector: String,

    /// How many servers at a time get what another version or default makes of them: image, settings and pod template. Those that
    /// do not serve and verify as before keep their places, so that a version that does not work stops there.
    #[arg(long, env = "UPGRADES_AT_ONCE", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub upgrades_at_once: u16,

    /// The domain of this cluster's DNS names.
    #[arg(long, env = "CLUSTER_DOMAIN", default_value = "cluster.local", value_parser = domain)]
    pub cluster_domain: String,

    /// The Lease by which one operator at a time works.
    #[arg(long, env = "LEASE_NAME", default_value = crate::MANAGER, value_parser = domain)]
    pub lease_name: String,

    /// The namespace of the Lease. Default: the namespace that the process runs in.
    #[arg(long, env = "POD_NAMESPACE", value_name = "POD_NAMESPACE", value_parser = label)]
    pub lease_namespace: Option<String>,

    /// Who this process is in the Lease and in events. Default: a name made at start.
    #[arg(long, env = "POD_NAME", value_name = "POD_NAME", value_parser = non_empty)]
    pub identity: Option<String>,

    /// Where /livez, /readyz and /metrics are served.
    #[arg(long, env = "ADMIN_ADDRESS", default_value = "0.0.0.0:9090")]
    pub admin_address: SocketAddr,

    /// The HTTP proxy of resources whose `spec.lenses.proxy` has `fromEnvironment`. Empty: none. The
    /// API server and the servers are reached without it.
    #[arg(long, env = "HTTPS_PROXY", value_name = "HTTPS_PROXY", default_value = "", value_parser = proxy)]
    pub proxy: String,

    /// What such resources reach without the proxy, separated by commas: domains with all below them,
    /// IP addresses and networks.
    #[arg(long, env = "NO_PROXY", value_name = "NO_PROXY", default_value = "")]
    pub no_proxy: String,

    /// How many resources are worked on at the same time. Each takes at most one connection to the API server.
    #[arg(long, env = "CONCURRENCY", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=128))]
    pub concurrency: u16,

    /// The mean time between two comparisons of a cache with the API server, in seconds. Each lists the
    /// metadata of one kind.
    #[arg(long, env = "RESYNC_INTERVAL_SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u32).range(10..=86_400))]
    pub resync_interval_seconds: u32,

    /// What the authors of resources are trusted with.
    #[command(flatten)]
    pub trust: AuthorTrust,

    /// What is logged, as tracing filter directives such as `info` or `lenses_mcp_operator=debug`.
    #[arg(long, env = "LOG_LEVEL", default_value = "info", value_parser = log_filter)]
    pub log_level: String,

    /// How a line of the log is written.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}

/// What the authors of `LensesMcpServer` resources are trusted with.
#[derive(Args, Clone, Debug)]
pub struct AuthorTrust {
    /// Whether verification uses a Secret only if it has the label mcp.lenses.io/operator-may-read:
    /// "true". Pods mount what a resource names in either case.
    #[arg(long, env = "SECRETS_REQUIRE_LABEL", default_value_t = true, action = ArgAction::Set)]
    pub secrets_require_label: bool,

    /// Whether spec.podTemplate may ask for what the Pod Security Standard baseline forbids, and for
    /// another service account.
    #[arg(long, env = "POD_TEMPLATE_ALLOW_HOST_ACCESS", default_value_t = false, action = ArgAction::Set)]
    pub pod_template_allow_host_access: bool,

    /// What verification examines if a resource does not say: endpoint, service or off.
    #[arg(long, env = "VERIFICATION_MODE", default_value = "endpoint", value_parser = mode)]
    pub verification_mode: VerificationMode,

    /// The address ranges that verification may dial, separated by commas, such as 10.0.0.0/8.
    /// Empty: all, except loopback, link-local and cloud metadata addresses and the API server. A
    /// range within such an exception lifts it.
    #[arg(long, env = "VERIFICATION_ALLOWED_CIDRS", default_value = "", value_parser = cidrs)]
    pub verification_allowed_cidrs: Cidrs,
}

/// Address ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cidrs(pub Vec<IpNet>);

/// Namespaces to watch; none means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces(pub Vec<String>);

/// Names of Secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(pub Vec<String>);

/// How a line of the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

pub(crate) fn image(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(char::is_whitespace) {
        return Err(
            "write an image with a tag or a digest, such as lensesio/lenses-mcp-server:0.1.0"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

fn namespaces(text: &str) -> Result<Namespaces, String> {
    let mut names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(label)
        .collect::<Result<Vec<_>, _>>()?;
    names.sort_unstable();
    names.dedup();
    Ok(Namespaces(names))
}

fn mode(text: &str) -> Result<VerificationMode, String> {
    VerificationMode::ALL
        .into_iter()
        .find(|mode| mode.as_str() == text)
        .ok_or_else(|| format!("{text:?} is not a mode: write endpoint, service or off"))
}

fn cidrs(text: &str) -> Result<Cidrs, String> {
    let ranges = text.split(',').map(str::trim).filter(|range| !range.is_empty());
    ranges
        .map(|range| {
            let remedy =
                |_| format!("{range:?} is not an address range: write one such as 10.0.0.0/8");
            range.parse::<IpNet>().map(|range| range.trunc()).map_err(remedy)
        })
        .collect::<Result<_, _>>()
        .map(Cidrs)
}

fn secrets(text: &str) -> Result<Secrets, String> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(domain).collect::<Result<_, _>>().map(Secrets)
}

/// A DNS label, as RFC 1123 has it.
pub(crate) fn label(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty()
        || text.len() > 63
        || !text.chars().all(good)
        || text.starts_with('-')
        || text.ends_with('-')
    {
        return Err(format!(
            "{text:?} is not a name: write at most 63 lower-case letters, digits and '-'"
        ));
    }
    Ok(text.to_owned())
}

pub(crate) fn domain(text: &str) -> Result<String, String> {
    text.split('.').try_for_each(|part| label(part).map(drop))?;
    Ok(text.to_owned())
}

/// An `http` proxy without credentials, or nothing.
pub(crate) fn proxy(text: &str) -> Result<String, String> {
    const REMEDY: &str = "write http://proxy.example.com:3128, without credentials: those of a proxy \
                          belong into spec.lenses.proxy.credentialsSecretRef of a resource";
    if text.is_empty() {
        return Ok(String::new());
    }
    let url = url::Url::parse(text).map_err(|_| REMEDY)?;
    let is_bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    if url.scheme() == "http" && url.has_host() && is_bare && url.query().is_none() {
        Ok(text.trim_end_matches('/').to_owned())
    } else {
        Err(REMEDY.to_owned())
    }
}

fn non_empty(text: &str) -> Result<String, String> {
    if text.is_empty() {
        Err("write a name, or leave it out".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// `EnvFilter` alone takes a misspelt level for the name of a module, and then logs nothing.
fn log_filter(text: &str) -> Result<String, String> {
    for directive in text.split(',').map(str::trim) {
        let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
        if LevelFilter::from_str(level).is_err() || level.is_empty() {
            return Err(format!(
                "{level:?} is no level: write error, warn, info, debug, trace or off, \
                 or TARGET=LEVEL, separated by commas"
            ));
        }
    }
    EnvFilter::try_new(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

/// As the API server parses it, which otherwise refuses each watch.
fn selector(text: &str) -> Result<String, String> {
    static SELECTOR: LazyLock<Result<Regex, regex::Error>> = LazyLock::new(|| {
        let name = "[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?";
        let key = format!("(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?/)?{name}");
        let values = format!(r"\(\s*(?:{name})?(?:\s*,\s*(?:{name})?)*\s*\)");
        let one =
            format!(r"!?\s*{key}|{key}\s*(?:==?|!=)\s*(?:{name})?|{key}\s+(?:in|notin)\s*{values}");
        Regex::new(&format!(r"^\s*(?:{one})(?:\s*,\s*(?:{one}))*\s*$"))
    });
    let fits = SELECTOR.as_ref().is_ok_and(|selector| selector.is_match(text));
    if !fits && !text.is_empty() {
        return Err("this is no label selector: write requirements such as tier=gold, \
                    tier in (gold, silver) or !draft, separated by commas"
            .to_owned());
    }
    Ok(text.to_owned())
}

/// The value of the chart that an option of `run` is set from.
#[must_use]
pub fn chart_value(option: &str) -> Option<&'static str> {
    const VALUES: [(&str, &str); 15] = [
        ("--server-image", "serverImage"),
        ("--watch-namespaces", "watchNamespaces"),
        ("--watch-selector", "watchSelector"),
        ("--upgrades-at-once", "upgradesAtOnce"),
        ("--cluster-domain", "clusterDomain"),
        ("--log-level", "log.level"),
        ("--log-format", "log.format"),
        ("--lease-name", "the name of the release"),
        ("--server-image-pull-secrets", "serverImagePullSecrets"),
        ("--proxy", "proxy.url"),
        ("--concurrency", "concurrency"),
        ("--secrets-require-label", "secrets.requireLabel"),
        ("--pod-template-allow-host-access", "podTemplate.allowHostAccess"),
        ("--verification-mode", "verification.mode"),
        ("--verification-allowed-cidrs", "verification.allowedCIDRs"),
    ];
    let name = option.split(' ').next()?;
    VALUES.iter().find(|(option, _)| *option == name).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_a_list_without_repetition() {
        for (text, names) in
            [("", vec![]), (" , ", vec![]), ("a", vec!["a"]), ("b, a,b", vec!["a", "b"])]
        {
            assert_eq!(namespaces(text).unwrap().0, names, "{text:?}");
        }
        assert_eq!(secrets("a, b.c").unwrap().0, ["a", "b.c"]);
        assert!(secrets("a_b").is_err());
        for text in ["A", "a b", "-a", "a-", "a,b.c"] {
            assert!(namespaces(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn ranges_and_modes_are_checked_before_anything_starts() {
        assert_eq!(cidrs(" , ").unwrap(), Cidrs::default());
        assert_eq!(cidrs("10.1.2.3/8, fd00::/8").unwrap().0.len(), 2);
        for text in ["10.0.0.0", "10.0.0.0/33", "x", "10.0.0.0/8;fd00::/8"] {
            assert!(cidrs(text).unwrap_err().contains("10.0.0.0/8"), "{text:?}");
        }
        for text in ["endpoint", "service", "off"] {
            assert_eq!(mode(text).unwrap().as_str(), text);
        }
        assert!(mode("Endpoint").is_err());
    }

    #[test]
    fn what_cannot_be_a_name_or_an_image_is_refused() {
        assert!(domain("cluster.local").is_ok());
        for text in ["", ".", "cluster.", "Cluster.local", "a..b"] {
            assert!(domain(text).is_err(), "{text:?}");
        }
        for text in ["", "a b", "\t"] {
            assert!(image(text).is_err(), "{text:?}");
        }
        for text in ["", "http://proxy:3128", "http://[fd00::1]/"] {
            assert!(proxy(text).is_ok(), "{text:?}");
        }
        for text in ["proxy:3128", "https://proxy", "http://a:b@proxy", "http://proxy/path"] {
            assert!(proxy(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_log_filter_names_levels_that_there_are() {
        for text in ["info", "OFF", "info,kube=warn", "a[b{c=d}]=trace"] {
            assert!(log_filter(text).is_ok(), "{text:?}");
        }
        for text in ["", "blah", "a=b=c", "info,", "kube", "info,kube=loud"] {
            assert!(log_filter(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_selector_is_one_that_the_api_server_takes() {
        for text in [
            "",
            "tier=gold",
            "tier==gold, !draft",
            "a.example.com/tier in (gold, silver),x!=y",
            "tier notin (gold)",
            "draft",
            "tier=",
        ] {
            assert!(selector(text).is_ok(), "{text:?}");
        }
        for text in ["tier=gold,", "=gold", "tier in gold", "a b", "-a", "tier=a/b", "a/b/c"] {
            assert!(selector(text).is_err(), "{text:?}");
        }
    }
}
