//! What is often wrong at first, and what is then said: the value or the command that is right.

use crate::{API_KEY, Files, OAUTH, errors, read, read_with};

#[test]
fn a_caller_token_that_no_client_can_send_is_refused_unseen() {
    for (token, said) in [
        ("p@ssw0rd!2026", "characters that no bearer token has (RFC 6750)"),
        ("p@ssw0rd!2026-long-enough", "characters that no bearer token has (RFC 6750)"),
        ("x", "a secret of fewer than 16 characters"),
        ("fifteen-letters", "a secret of fewer than 16 characters"),
        ("two words, that are long", "a space"),
    ] {
        let errors = errors(&[API_KEY, &[("MCP_CALLER_TOKEN", token)]]);
        assert!(errors.starts_with("MCP_CALLER_TOKEN is a secret"), "{errors}");
        assert!(errors.contains(said) && errors.lines().count() == 1, "{errors}");
        assert!(token.len() == 1 || !errors.contains(token), "{errors}");
    }
    let short = errors(&[API_KEY, &[("MCP_CALLER_TOKEN", "x")]]);
    assert!(short.contains("at least 16 letters, digits or -._~+/"), "{short}");
    assert!(short.contains("`openssl rand -hex 32`"), "{short}");
    let files = Files([("/token", "short\n")].into());
    let of_file = [("MCP_CALLER_TOKEN", ""), ("MCP_CALLER_TOKEN_FILE", "/token")];
    let errors = read_with(&files, &[API_KEY, &of_file]).unwrap_err().to_string();
    assert!(errors.contains("fewer than 16"), "{errors}");
    for good in ["sixteen-letters.", "AZaz09-._~+/AZaz=="] {
        read(&[API_KEY, &[("MCP_CALLER_TOKEN", good)]]).unwrap();
    }
}

#[test]
fn a_value_in_quotes_is_told_to_be_written_without() {
    for (name, value) in [
        ("LENSES_URL", "\"https://lenses.example.com\""),
        ("MCP_ADVERTISED_URL", "'https://mcp.example.com'"),
        ("PORT", "\"8000\""),
        ("LENSES_API_KEY", "'hunter2'"),
    ] {
        let errors = errors(&[OAUTH, &[(name, value)]]);
        assert!(errors.starts_with(&format!("{name} is ")), "{errors}");
        assert!(
            errors.ends_with("write it without quotes around it, which docker's --env-file keeps")
        );
        assert!(!errors.contains("hunter2"), "{errors}");
    }
}

#[test]
fn in_a_container_localhost_is_said_not_to_be_the_machine() {
    let url = ("LENSES_URL", "http://localhost:9991");
    for mark in ["/.dockerenv", "/run/.containerenv"] {
        let files = Files([(mark, "")].into());
        let settings = read_with(&files, &[OAUTH, &[url]]).unwrap();
        assert_eq!(
            settings.warnings,
            ["LENSES_URL is http://localhost:9991/, which in a container is the container \
                 itself: \
                 for a Lenses HQ on this machine, run docker with \
                 -e LENSES_URL=http://host.docker.internal:9991 \
                 --add-host=host.docker.internal:host-gateway"]
        );
        let elsewhere = [("LENSES_URL", "https://lenses.example.com")];
        let settings = read_with(&files, &[OAUTH, &elsewhere]).unwrap();
        assert_eq!(settings.warnings, Vec::<String>::new());
    }
    assert_eq!(read(&[OAUTH, &[url]]).unwrap().warnings, Vec::<String>::new());
}
