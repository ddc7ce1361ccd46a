//! Where values come from: environment, settings file, files of secrets.

use lenses_mcp_server::settings::{Callers, SignIn, Transport};
use secrecy::ExposeSecret;

use crate::{Files, OAUTH, http, oauth, read, read_with};

#[test]
fn an_empty_variable_is_its_default() {
    let all: Vec<_> =
        lenses_mcp_server::settings::variable::ALL.iter().map(|known| (known.name, "  ")).collect();
    let settings = read(&[&all, OAUTH]).unwrap();
    assert_eq!(settings.effective().to_string(), read(&[OAUTH]).unwrap().effective().to_string());
}

#[test]
fn the_environment_wins_over_the_settings_file() {
    let files = Files(
        [(
            "/etc/mcp/settings.env",
            "# made by the operator\nOAUTH_ENABLED='true'\n\
             MCP_ADVERTISED_URL='https://file.example.com'\nPORT='7000'\n",
        )]
        .into(),
    );
    let named = ("MCP_SETTINGS_FILE", "/etc/mcp/settings.env");
    let settings =
        read_with(&files, &[&[named, ("PORT", "7001"), ("MCP_ADVERTISED_URL", "")]]).unwrap();
    assert_eq!(http(&settings).listen.port(), 7001);
    assert_eq!(oauth(&settings).advertised_url.resource(), "https://file.example.com/mcp");
    assert!(
        settings
            .effective()
            .to_string()
            .contains("MCP_ADVERTISED_URL='https://file.example.com' # settings file")
    );
}

#[test]
fn a_dotenv_file_in_the_working_directory_is_read_if_present() {
    let files = Files([(".env", "LENSES_API_KEY=key\nLENSES_LICENSE=of-another-program\n")].into());
    assert!(matches!(read_with(&files, &[]).unwrap().transport, Transport::Stdio { .. }));
}

#[test]
fn a_settings_file_that_cannot_be_used_is_named() {
    let named = ("MCP_SETTINGS_FILE", "/settings");
    let missing = read(&[OAUTH, &[named]]).unwrap_err().to_string();
    assert!(
        missing.contains("MCP_SETTINGS_FILE names \"/settings\", which can't be read"),
        "{missing}"
    );

    let files = Files([("/settings", "PORT='1'\nLENSES_API_KEY='hunter2\n")].into());
    let torn = read_with(&files, &[OAUTH, &[named]]).unwrap_err().to_string();
    assert!(
        torn.contains("entry 2 of the settings file \"/settings\"") && !torn.contains("hunter2"),
        "{torn}"
    );

    let files = Files(
        [("/settings", "MCP_AUDIENCES='required'\nLENSES_COLOUR='blue'\nPATH='/bin'\n")].into(),
    );
    let unknown = read_with(&files, &[OAUTH, &[named]]).unwrap_err().to_string();
    assert_eq!(
        unknown,
        "LENSES_COLOUR in the settings file \"/settings\" is not a setting: remove it\n\
         MCP_AUDIENCES in the settings file \"/settings\" is not a setting: did you mean \
         MCP_AUDIENCE?\n\
         PATH in the settings file \"/settings\" is not a setting: remove it"
    );
}

#[test]
fn names_of_other_releases_are_reported_to_have_no_effect() {
    let set = [
        ("FASTMCP_STATELESS_HTTP", "true"),
        ("FASTMCP_LOG_LEVEL", "INFO"),
        ("FASTMCP_PORT", "1"),
        ("MCP_TRANSPORT", "http"),
        ("LENSES_HOST_URL", "http://hq"),
        ("LENSES_PORT", "9991"),
        ("AUTH_SERVER_URL", "https://hq"),
        ("MCP_SERVER_BASE_URL", "https://mcp"),
        // What Kubernetes sets in pods beside a Service called `mcp`.
        ("MCP_PORT", "tcp://10.0.0.1:80"),
        ("PYTHONUNBUFFERED", "1"),
    ];
    let hq = [("LENSES_URL", "https://lenses.example.com")];
    let settings = read(&[OAUTH, &hq, &set]).unwrap();
    let mut warnings = settings.warnings.clone();
    warnings.sort_unstable();
    assert_eq!(
        warnings,
        [
            "AUTH_SERVER_URL has no effect: set LENSES_ADVERTISED_URL",
            "FASTMCP_LOG_LEVEL has no effect: set LOG_LEVEL",
            "FASTMCP_PORT has no effect: it is a setting of the Python server's framework",
            "FASTMCP_STATELESS_HTTP has no effect: this server never keeps sessions",
            "LENSES_HOST_URL has no effect: set LENSES_URL",
            "LENSES_PORT has no effect: set LENSES_URL",
            "MCP_SERVER_BASE_URL has no effect: set MCP_ADVERTISED_URL",
            "MCP_TRANSPORT has no effect: set TRANSPORT",
        ]
    );
    let without = read(&[OAUTH, &hq]).unwrap();
    assert_eq!(settings.effective().to_string(), without.effective().to_string());

    // A file that was named holds settings and nothing else.
    let files = Files(
        [("/settings", "MCP_SERVER_BASE_URL='https://mcp'\nFASTMCP_LOG_LEVEL='INFO'\n")].into(),
    );
    let errors =
        read_with(&files, &[OAUTH, &[("MCP_SETTINGS_FILE", "/settings")]]).unwrap_err().to_string();
    assert_eq!(
        errors,
        "MCP_SERVER_BASE_URL in the settings file \"/settings\" is not a setting: did you mean \
         MCP_ADVERTISED_URL?"
    );
}

#[test]
fn each_secret_can_be_in_a_file() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    let files = Files(
        [
            ("/key", "from-file\n"),
            ("/id", "id"),
            ("/secret", "s\r\n"),
            ("/caller", "callers-token-in-a-file"),
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
    let SignIn::ApiKey { api_key, callers: Callers::Token(token) } = &http(&settings).sign_in
    else {
        panic!("not a key")
    };
    assert_eq!(
        (api_key.expose_secret(), token.expose_secret()),
        ("from-file", "callers-token-in-a-file")
    );
    assert!(settings.sealing_key.is_some());
    assert!(settings.effective().to_string().contains("LENSES_API_KEY='(hidden)' # secret file"));

    let files_of_client =
        [("INTROSPECTION_CLIENT_ID_FILE", "/id"), ("INTROSPECTION_CLIENT_SECRET_FILE", "/secret")];
    let settings = read_with(&files, &[OAUTH, &files_of_client]).unwrap();
    assert_eq!(oauth(&settings).introspection.client.as_ref().unwrap().secret.expose_secret(), "s");

    for (set, expected) in [
        (
            &[("LENSES_API_KEY", "a"), ("LENSES_API_KEY_FILE", "/key")][..],
            "LENSES_API_KEY and LENSES_API_KEY_FILE are both set",
        ),
        (
            &[("LENSES_API_KEY_FILE", "/none")],
            "LENSES_API_KEY_FILE names \"/none\", which can't be read",
        ),
        (
            &[("LENSES_API_KEY_FILE", "/empty")],
            "LENSES_API_KEY is an empty file: write the secret into it",
        ),
    ] {
        let errors = read_with(&files, &[set]).unwrap_err().to_string();
        assert!(errors.contains(expected), "{errors}");
    }
}
