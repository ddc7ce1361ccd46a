//! All faults of the settings together.

use crate::{API_KEY, OAUTH, errors, read};

#[test]
fn all_faults_are_told_together() {
    let errors = errors(&[&[
        ("OAUTH_ENABLED", "true"),
        ("LENSES_URL", "lenses"),
        ("PORT", "x"),
        ("MCP_AUDIENCE", "x"),
        ("LOG_LEVEL", "x"),
        ("TRANSPORT", "sse"),
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
    assert_eq!(errors.lines().count(), 7, "{errors}");
}

#[test]
fn no_error_and_no_listing_shows_a_secret() {
    for set in [
        &[("LENSES_URL", "https://user:hunter2@lenses.example.com")][..],
        &[("INTROSPECTION_URL", "https://user:hunter2@lenses.example.com")],
        &[("LENSES_URL", "https://lenses.example.com/?key=hunter2")],
        &[("MCP_SEALING_KEY", "hunter2")],
        &[("OAUTH_ENABLED", "false"), ("TRANSPORT", "http"), ("MCP_CALLER_TOKEN", "hunter2")],
        &[("INTROSPECTION_CLIENT_SECRET", "hunter2")],
        &[("INTROSPECTION_CLIENT_ID", "a"), ("INTROSPECTION_CLIENT_SECRET", "hunter2 hunter2")],
    ] {
        let errors = errors(&[OAUTH, set]);
        assert!(!errors.contains("hunter2"), "{errors}");
    }
    let settings = read(&[
        API_KEY,
        &[("LENSES_API_KEY", "hunter2"), ("MCP_CALLER_TOKEN", "hunter3-hunter3-")],
    ])
    .unwrap();
    assert!(!format!("{} {settings:?}", settings.effective()).contains("hunter"));
    assert!(settings.effective().to_string().contains("LENSES_API_KEY='(hidden)' # environment"));
}
