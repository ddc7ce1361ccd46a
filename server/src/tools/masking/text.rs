//! Secrets inside text: told by the forms that they take.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

use super::{MASK, name::is_harmless};

/// One or more references to values that are kept elsewhere, and nothing else.
static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(\$\{[^{}]+\})+$").ok());

/// Secrets inside other text. References are matched first, so that nothing in them is taken for a
/// secret.
static INLINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // In quotes, doubled or never closed, with what follows at once.
    let quoted = r#"(?:\\?"[^"]*(?:"|\z)|'[^']*(?:'|\z))+[^\s&;,"'$]*"#;
    let scheme = "(?:basic|bearer|digest|negotiate|apikey|token|splunk|sso-key|genie-?key)";
    let names = concat!(
        r#"(?:[\w.-]*(?:password|passwd|passphrase|passcode|pass|pwd|secret|token|credentials?|"#,
        r#"signature|sig|(?:api|access|account|auth|client|consumer|encryption|function|master|"#,
        r#"private|sas|shared|signing|subscription)[_.-]?key)["']?)"#,
    );
    Regex::new(
        &[
            r"(?i)(?<reference>\$\{[^{}]+\})",
            // Kafka Connect's validation repeats the value that it refuses.
            r"|Invalid value (?<refused>(?s:.+?)) for configuration (?<setting>[\w.-]+)",
            // The same, cut before it ends.
            r"|(?<cut>\bInvalid value )(?s:.*)…\z",
            r"|(?<token>\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)*",
            r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|[rs]k_live_|AIza)[\w-]{10,})",
            // user:password@, with a slash in the password too, but no port and path; or a token@.
            r#"|(?<url>://[^\s/:@"']*:)(?:[^\s/"']*@|\d*[^\s\d/?#"'][^\s?#"']*@)"#,
            r#"|(?<bare>://)[^\s/:@?#"']+@"#,
            r"|(?<thin>:(?:thin|oci8?):[^\s/:@]*/)[^\s@]*@",
            // Oracle's user/password@//host:port/service and user/password@host:port/service.
            r#"|(?<oracle>(?:\A|[\s"'=])[\w.$-]+/)[^\s@"']+(?<host>@(?://|[\w.-]+:\d+[/:]))"#,
            // Who has the URL of a webhook or a bot can call it.
            r#"|(?<hook>\bhooks?\.[\w.-]+(?::\d+)?/|[\w.-]*webhook[\w.-]*(?::\d+)?/)[^\s"']+"#,
            r"|(?<bot>/bot)\d+:[\w-]+",
            r"|(?<header>\b(?:(?:proxy-)?authorization|(?:set-)?cookie|",
            r#"x-[\w-]*(?:key|token|auth|secret))["']?\s*[:=]\s*"#,
            &format!(r"(?:{scheme} +)?)(?:{quoted}|[^\s|][^\r\n|]*)"),
            &format!(r"|(?<scheme>\b{scheme} +)[a-z0-9+/=._~-]{{6,}}"),
            // Of a query: a comma separates nothing there.
            &format!(r"|(?<parameter>[?&;](?:{names}|code|key|auth)\s*=\s*)"),
            &format!(r#"(?:{quoted}|\{{[^}}]*\}}|(?:[^\s&;"'$]|\$[^\s&;"'{{])+)"#),
            &format!(r"|(?<name>{names}\s*[=:]\s*(?:{scheme} +)?)"),
            &format!(r#"(?:{quoted}|(?:[^\s&;,"'$]|\$[^\s&;,"'{{])+)"#),
        ]
        .concat(),
    )
    .ok()
});

/// The groups of what stands before a secret, and is shown.
const LEADS: &[&str] = &[
    "cut",
    "url",
    "bare",
    "thin",
    "oracle",
    "hook",
    "bot",
    "header",
    "scheme",
    "parameter",
    "name",
];

/// A line of a comment that sets something.
static COMMENTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"^(?<lead>[\s#-]*["']?(?<name>[\w.-]+)["']?\s*[:=]\s*)(?<value>\S.*)$"#).ok()
});

/// Whether a text can stay though its name says secret.
pub(in crate::tools) fn shows_nothing(text: &str) -> bool {
    matches!(text, "" | "true" | "false")
        || REFERENCE.as_ref().is_some_and(|reference| reference.is_match(text))
}

/// `text` with the secrets in it hidden.
pub(super) fn masked_text(text: &str) -> Cow<'_, str> {
    if text.contains("PRIVATE KEY") {
        return Cow::Owned(MASK.to_owned());
    }
    // A pattern that could not be compiled finds nothing safe to show. The tests need both.
    let Some(inline) = INLINE.as_ref() else { return Cow::Owned(MASK.to_owned()) };
    inline.replace_all(text, |found: &Captures<'_>| {
        if let Some(reference) = found.name("reference") {
            return reference.as_str().to_owned();
        }
        if let (Some(value), Some(setting)) = (found.name("refused"), found.name("setting")) {
            let (value, setting) = (value.as_str(), setting.as_str());
            let value = if is_harmless(setting) { masked_text(value) } else { MASK.into() };
            return format!("Invalid value {value} for configuration {setting}");
        }
        let lead = LEADS.iter().find_map(|group| found.name(group));
        let lead = lead.map_or("", |lead| lead.as_str());
        let whole = found.get(0).map_or("", |whole| whole.as_str());
        let value = whole.get(lead.len()..).unwrap_or_default();
        if shows_nothing(value.trim_matches(['"', '\''])) {
            return whole.to_owned();
        }
        let is_user = ["url", "bare", "thin"].iter().any(|group| found.name(group).is_some());
        let host = found.name("host").map_or(if is_user { "@" } else { "" }, |host| host.as_str());
        format!("{lead}{MASK}{host}")
    })
}

/// The reason of an error with the secrets in it hidden. Of one that was cut, the last word is left
/// out: it may be the begin of a secret that is not told from other text.
pub(super) fn masked_reason(reason: &str) -> String {
    match reason.strip_suffix('…') {
        None => masked_text(reason).into_owned(),
        Some(cut) => {
            let whole = cut.rsplit_once(char::is_whitespace).map_or("", |(whole, _)| whole);
            masked_text(&format!("{whole} …")).into_owned()
        }
    }
}

/// A comment with the secrets in it hidden: settings that are commented out are settings too.
pub(super) fn masked_comment(comment: &str) -> Cow<'_, str> {
    let setting = COMMENTED.as_ref().and_then(|commented| commented.captures(comment));
    match setting {
        Some(setting) if !is_harmless(&setting["name"]) && !shows_nothing(&setting["value"]) => {
            Cow::Owned(format!("{}{MASK}", &setting["lead"]))
        }
        _ => masked_text(comment),
    }
}
