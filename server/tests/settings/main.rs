//! Settings: what each variable may hold, what is said about what it may not, and how they decide
//! each other.

#![expect(clippy::panic, reason = "a test that fails says so by panicking")]

mod connections;
mod first_run;
mod lenses;
mod names;
mod policy;
mod sign_in;
mod sources;
mod traces;
mod values;

use std::{collections::BTreeMap, io, path::Path};

use lenses_mcp_server::settings::{
    Http, OAuth, Settings, SettingsErrors, SignIn, Transport, Variables,
};

const OAUTH: &[(&str, &str)] =
    &[("OAUTH_ENABLED", "true"), ("MCP_ADVERTISED_URL", "https://mcp.example.com")];
const API_KEY: &[(&str, &str)] = &[
    ("LENSES_URL", "https://lenses.example.com"),
    ("LENSES_API_KEY", "key"),
    ("TRANSPORT", "http"),
    ("MCP_CALLER_TOKEN", "callers-token-of-a-test"),
];

#[derive(Default)]
struct Files<'a>(BTreeMap<&'static str, &'a str>);

fn read_with(files: &Files<'_>, sets: &[&[(&str, &str)]]) -> Result<Settings, SettingsErrors> {
    let read_file = |path: &Path| match path.to_str().and_then(|path| files.0.get(path)) {
        Some(text) => Ok((*text).to_owned()),
        None => Err(io::ErrorKind::NotFound.into()),
    };
    // Later values replace earlier ones.
    let environment: BTreeMap<_, _> = sets
        .iter()
        .flat_map(|set| set.iter())
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Variables::load(environment, &read_file).and_then(|variables| Settings::read(&variables))
}

fn read(sets: &[&[(&str, &str)]]) -> Result<Settings, SettingsErrors> {
    read_with(&Files::default(), sets)
}

fn errors(sets: &[&[(&str, &str)]]) -> String {
    read(sets).map_or_else(
        |errors| errors.to_string(),
        |settings| panic!("accepted: {}", settings.effective()),
    )
}

/// A certificate that is its own CA, and its key.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["hq.test".to_owned()]);
    made.map(|made| (made.cert.pem(), made.signing_key.serialize_pem())).unwrap_or_default()
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
