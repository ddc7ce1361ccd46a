//! Settings that an operator wrote which is newer than the server.

use crate::{Files, OAUTH, read_with};

/// Reads a settings file that the operator of this version wrote, with these lines in it.
fn written_by_the_operator(version: &str, lines: &str) -> Result<Vec<String>, String> {
    let text = format!("# Written by lenses-mcp-operator {version}\n{lines}");
    let files = Files([("/settings", &*text)].into());
    let set = [("MCP_SETTINGS_FILE", "/settings"), ("LENSES_URL", "https://lenses.example.com")];
    match read_with(&files, &[OAUTH, &set]) {
        Ok(settings) => Ok(settings.warnings),
        Err(errors) => Err(errors.to_string()),
    }
}

#[test]
fn unknown_settings_of_a_newer_operator_are_ignored_and_reported_once() {
    let own = env!("CARGO_PKG_VERSION");
    let told = format!(
        "MCP_FROBNICATE, MCP_SCOPE in /settings have no effect: lenses-mcp-operator 1000.0.0 wrote \
         them, and this server is {own}; run a server image of the operator's version"
    );
    let lines = "MCP_SCOPE=read\nMCP_FROBNICATE=x\nMCP_READ_ONLY=true\n";
    assert_eq!(written_by_the_operator("1000.0.0", lines), Ok(vec![told]));
    assert_eq!(written_by_the_operator("1000.0.0", "MCP_READ_ONLY=true\n"), Ok(vec![]));
}

#[test]
fn the_warning_about_unknown_settings_of_a_newer_operator_is_bounded() {
    let lines: Vec<_> = (0..500).map(|n| format!("MCP_{}_{n:03}=x", "X".repeat(100))).collect();
    let lines = lines.join("\n");
    let warnings = written_by_the_operator("1000.0.0", &lines).unwrap();
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(warning.contains("X and 490 more in /settings"), "{warning}");
    assert!(warning.len() < 1000, "{warning}");
}

#[test]
fn an_unknown_setting_of_an_operator_not_newer_stops_the_start() {
    for version in [env!("CARGO_PKG_VERSION"), "0.0.1", "1000", "", "newer"] {
        let errors = written_by_the_operator(version, "MCP_FROBNICATE=x\n").unwrap_err();
        let told = "MCP_FROBNICATE in the settings file \"/settings\" is not a setting: remove it";
        assert_eq!(errors, told, "{version}");
    }
    // A variable of the environment is not the operator's.
    let text = "# Written by lenses-mcp-operator 1000.0.0\n";
    let files = Files([("/settings", text)].into());
    let set = [("MCP_SETTINGS_FILE", "/settings"), ("MCP_FROBNICATE", "x")];
    assert!(read_with(&files, &[OAUTH, &set]).is_err());
    // Nor is a value that cannot be used another name.
    assert!(written_by_the_operator("1000.0.0", "MCP_READ_ONLY=perhaps\n").is_err());
}
