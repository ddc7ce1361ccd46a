//! Secrets in connectors' settings, hidden from models.
//!
//! Kafka Connect gives a connector's settings as they were written, passwords included, and Lenses passes them on. What
//! settings mean is each connector's business, so secrets are told by their names, by the type that Kafka Connect gives
//! them, and by the forms that passwords take inside other values. A setting that points to a secret (`${file:…}`,
//! `${secret:…}`) is none and stays. Where it is not sure, a value is hidden rather than shown.

mod json;
mod yaml;

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

pub(super) use self::{json::mask_json, yaml::mask_yaml};

/// What stands in place of a secret.
pub(super) const MASK: &str = "********";

/// Parts of a name, letters only, that make what it names a secret.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "credential",
    "authorization",
    "userinfo",
    "jaasconfig",
    "keyfile",
    "accesskey",
    "accountkey",
    "apikey",
    "authkey",
    "encryptionkey",
    "keystorekey",
    "masterkey",
    "privatekey",
    "sharedkey",
    "signingkey",
    "subscriptionkey",
];

/// Last words of names that speak about a secret and do not hold it: `aws.access.key.id`, `token.endpoint.url`.
const ABOUT_SECRETS: &[&str] = &[
    "algorithm",
    "class",
    "enable",
    "enabled",
    "endpoint",
    "format",
    "id",
    "location",
    "ms",
    "name",
    "path",
    "provider",
    "seconds",
    "source",
    "type",
    "uri",
    "url",
    "version",
];

/// Where the name of a setting stands when its value stands beside it.
const NAME_FIELDS: &[&str] = &["name", "key", "property"];
/// Where the value stands.
const VALUE_FIELDS: &[&str] = &[
    "value",
    "values",
    "default",
    "default_value",
    "defaultValue",
    "recommended_values",
    "recommendedValues",
];

/// One or more references to values that are kept elsewhere, and nothing else.
static REFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^(\$\{[^{}]+\})+$").ok());
/// Secrets inside other text. References are matched first, so that nothing in them is taken for a secret.
static INLINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?<reference>\$\{[^{}]+\})",
        r"|(?<url>://[^\s/:@]*:)[^\s/]*@",
        r"|(?<thin>:thin:[^\s/:@]*/)[^\s@]*@",
        r"|(?<scheme>\b(?:basic|bearer) +)[a-z0-9+/=._~-]{6,}",
        r#"|(?<name>[\w.-]*(?:password|passwd|passphrase|pwd|secret|token|credentials?|api[_.-]?key|access[_.-]?key|"#,
        r#"account[_.-]?key|sig)["']?\s*[=:]\s*)"#,
        // In quotes, doubled or never closed, with what follows at once; or without quotes.
        r#"(?:(?:\\?"[^"]*(?:"|\z)|'[^']*(?:'|\z))+[^\s&;,"'$]*|[^\s&;,"'$]+)"#,
    ))
    .ok()
});

/// Whether a text can stay though its name says secret.
pub(super) fn shows_nothing(text: &str) -> bool {
    matches!(text, "" | "true" | "false")
        || REFERENCE.as_ref().is_some_and(|reference| reference.is_match(text))
}

/// Whether what is called `name` is a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let words = words(name);
    if words.last().is_some_and(|last| ABOUT_SECRETS.contains(&last.as_str())) {
        return false;
    }
    let letters = words.concat();
    SECRETS.iter().any(|secret| letters.contains(secret))
        || words.last().is_some_and(|last| last == "sas")
}

/// The words of a name, in lower case: `aws.secretAccessKey` is aws, secret, access, key.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_lower) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `text` with the secrets in it hidden.
fn masked_text(text: &str) -> Cow<'_, str> {
    if text.contains("PRIVATE KEY-----") {
        return Cow::Owned(MASK.to_owned());
    }
    // A pattern that could not be compiled finds nothing safe to show; a test holds that both compile.
    let Some(inline) = INLINE.as_ref() else { return Cow::Owned(MASK.to_owned()) };
    inline.replace_all(text, |found: &Captures<'_>| {
        if let Some(reference) = found.name("reference") {
            return reference.as_str().to_owned();
        }
        let lead = ["url", "thin", "scheme", "name"].iter().find_map(|group| found.name(group));
        let at = if found.name("url").is_some() || found.name("thin").is_some() { "@" } else { "" };
        format!("{}{MASK}{at}", lead.map_or("", |lead| lead.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn masked(value: impl std::borrow::Borrow<Value>) -> Value {
        serde_json::from_str(&mask_json(value.borrow().to_string())).unwrap()
    }

    #[test]
    fn fault_28_settings_that_name_a_secret_are_hidden() {
        for name in [
            "database.password",
            "connection.password",
            "ssl.key.password",
            "ssl.keystore.key",
            "password",
            "PASSWORD",
            "aws.secret.access.key",
            "aws.secretAccessKey",
            "AWS_SECRET_ACCESS_KEY",
            "client.secret",
            "auth.token",
            "accessToken",
            "value.converter.basic.auth.user.info",
            "sasl.jaas.config",
            "producer.override.sasl.jaas.config",
            "gcp.credentials",
            "gcs.credentials.json",
            "keyfile",
            "api.key",
            "apiKey",
            "x-api-key",
            "azure.account.key",
            "connect.cosmosdb.master.key",
            "snowflake.private.key",
            "snowflake.private.key.passphrase",
            "azure.sas",
            "mongo.pwd",
            "Authorization",
            "oauth2.client.secret",
        ] {
            assert_eq!(masked(json!({ name: "hunter2" })), json!({ name: MASK }), "{name}");
            assert_eq!(masked(json!({ name: 1234 })), json!({ name: MASK }), "{name}");
            assert_eq!(
                masked(json!([{ "name": name, "value": "hunter2" }])),
                json!([{ "name": name, "value": MASK }])
            );
            assert_eq!(
                masked(json!({ "key": name, "value": "hunter2" })),
                json!({ "key": name, "value": MASK })
            );
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let settings = json!({
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "tasks.max": "1",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "database.user": "orders",
            "database.hostname": "db:5432",
            "primary.key": "id",
            "connection.url": "jdbc:postgresql://db:5432/orders?ssl=true",
            "aws.access.key.id": "AKIA1",
            "aws.credentials.provider.class": "com.amazonaws.auth.Provider",
            "sasl.oauthbearer.token.endpoint.url": "https://id/token",
            "value.converter.basic.auth.credentials.source": "USER_INFO",
            "ssl.truststore.location": "/ca.jks",
            "schedule": "12:30@noon",
            "errors.tolerance": "all",
            "nested": [{ "state": "RUNNING", "id": 0, "key": "a", "value": "b" }, null, true, 1.5],
        });
        assert_eq!(masked(&settings), settings);
    }

    #[test]
    fn references_to_secrets_stay_and_so_does_what_shows_nothing() {
        for value in [
            json!("${file:/opt/db.properties:password}"),
            json!("${secret:path/to:key}"),
            json!("${env:A}${env:B}"),
            json!(""),
            json!(null),
            json!(true),
            json!("false"),
        ] {
            assert_eq!(
                masked(json!({ "database.password": value })),
                json!({ "database.password": value })
            );
        }
        assert_eq!(masked(json!({ "password": "${env:A}tail" })), json!({ "password": MASK }));
    }

    #[test]
    fn secrets_inside_other_values_are_hidden() {
        for (text, shown) in [
            ("jdbc:postgresql://u:p%40ss@db/x", "jdbc:postgresql://u:********@db/x"),
            ("mongodb+srv://u:p@ss@h/db?w=1", "mongodb+srv://u:********@h/db?w=1"),
            ("jdbc:oracle:thin:scott/tiger@db:1521:x", "jdbc:oracle:thin:scott/********@db:1521:x"),
            (
                "jdbc:mysql://db/x?user=u&password=p&ssl=1",
                "jdbc:mysql://db/x?user=u&password=********&ssl=1",
            ),
            (
                "jdbc:sqlserver://db;user=u;Password=p;x=1",
                "jdbc:sqlserver://db;user=u;Password=********;x=1",
            ),
            ("https://h/c?sv=1&sig=abc%3D", "https://h/c?sv=1&sig=********"),
            ("AccountName=a;AccountKey=b==;E=c", "AccountName=a;AccountKey=********;E=c"),
            ("Endpoint=sb://h/;SharedAccessKey=k", "Endpoint=sb://h/;SharedAccessKey=********"),
            (
                r#"required username="u" password="p w";"#,
                r#"required username="u" password=********;"#,
            ),
            ("password='hunter''3' x=1", "password=******** x=1"),
            (r#"password="hunter"2 x=1"#, "password=******** x=1"),
            ("password='hunter2", "password=********"),
            ("Authorization: Bearer abcdef.ghi|X: 1", "Authorization: Bearer ********|X: 1"),
            ("jdbc://db?password=${file:/x:y}&a=1", "jdbc://db?password=${file:/x:y}&a=1"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", MASK),
        ] {
            assert_eq!(
                masked(json!({ "connection.url": text })),
                json!({ "connection.url": shown })
            );
            assert_eq!(masked(json!(text)), json!(shown));
        }
    }

    #[test]
    fn all_that_a_secret_holds_is_hidden() {
        let held = json!({ "credentials": { "user": "u", "keys": ["a", 1], "on": true, "from": "${env:X}" } });
        let shown = json!({ "credentials": { "user": MASK, "keys": [MASK, MASK], "on": true, "from": "${env:X}" } });
        assert_eq!(masked(held), shown);
    }
}
