//! What the name of a setting says about its value.

use std::{collections::HashSet, sync::LazyLock};

/// Parts of a name, letters only, that make what it names a secret.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
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
    "functionkey",
    "keystorekey",
    "masterkey",
    "privatekey",
    "sharedkey",
    "signingkey",
    "subscriptionkey",
];

/// Last words of names of secrets.
const LAST_WORDS: &[&str] = &["pass", "sas", "cookie"];

/// Last words of names that speak about a secret and do not hold it: `token.endpoint.url`.
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

/// Parts of a name that make what it names a secret, whatever its last word says: anyone who has
/// the URL of a webhook can call it.
const ALWAYS_SECRET: &[&str] = &["webhook", "secretid", "connectionstring"];

/// The endings of names whose values are shown.
static HARMLESS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let lines = include_str!("harmless.txt").lines().filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace).collect()
});

/// Whether what is called `name` is a secret.
pub(in crate::tools) fn is_secret(name: &str) -> bool {
    let words = words(name);
    let letters = words.concat();
    let has = |parts: &[&str]| parts.iter().any(|part| letters.contains(part));
    let last = words.last().map_or("", String::as_str);
    has(ALWAYS_SECRET)
        || !ABOUT_SECRETS.contains(&last) && (has(SECRETS) || LAST_WORDS.contains(&last))
}

/// Whether the setting called `name` is known to hold nothing that has to be hidden.
pub(super) fn is_harmless(name: &str) -> bool {
    let words = words(name);
    let is_listed =
        |start: usize| HARMLESS.contains(words.get(start..).unwrap_or_default().join(".").as_str());
    !is_secret(name) && (0..words.len()).rev().take(ENDING_MAX).any(is_listed)
}

/// Most words of a listed ending.
const ENDING_MAX: usize = 7;

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
