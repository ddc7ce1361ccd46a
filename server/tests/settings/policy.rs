//! Rules for environments, the clients that may call, and where audit lines go.

use lenses_mcp_server::settings::AuditOutput;

use crate::{API_KEY, OAUTH, errors, oauth, read};

#[test]
fn a_policy_that_cannot_be_is_told_with_what_to_write() {
    for (name, value, message) in [
        ("MCP_ENVIRONMENT_RULES", "a: read; b: raed", "rule 2: \"raed\" is not a scope"),
        (
            "MCP_ENVIRONMENT_RULES",
            "*: read; prod: none",
            "rule 2: it is never used, because rule 1 is for every environment",
        ),
        ("MCP_ALLOWED_CLIENTS", ",", "write client ids as HQ lists them"),
        ("MCP_ENVIRONMENTS", " , ", "MCP_ENVIRONMENTS is \",\": write names of environments"),
        ("MCP_TOOLS_ALLOW", ",", "MCP_TOOLS_ALLOW is \",\": write names of tools or group/*"),
        ("MCP_TOOLS_DENY", ",,", "MCP_TOOLS_DENY is \",,\": write names of tools or group/*"),
        (
            "MCP_ENVIRONMENT_RULES",
            ";",
            "MCP_ENVIRONMENT_RULES is \";\": rule 1: it is missing: write",
        ),
        (
            "MCP_ENVIRONMENT_RULES",
            "*: read, allow=list_topics,get_topic",
            "\"get_topic\" is not a scope: write the tools after allow= with blanks between them",
        ),
        ("MCP_SCOPES", ",", "write at least one of read, write, delete"),
        ("MCP_SCOPES", "read;write", "\"read;write\" is not a scope; the scopes are read, write"),
        ("MCP_ALLOWED_CLIENTS", "a b", "without blanks"),
        ("MCP_ALLOWED_CLIENTS", "mcp-*", "whole and without blanks, quotes and stars"),
        ("MCP_AUDIT", "stderr", "MCP_AUDIT is \"stderr\": write stdout, off or file:/path"),
        ("MCP_AUDIT", "file:audit.jsonl", "write an absolute path after file:"),
        ("MCP_AUDIT", "file:/", "write an absolute path after file:"),
    ] {
        let faults = errors(&[OAUTH, &[(name, value)]]);
        assert!(faults.contains(message), "{name}={value}: {faults}");
    }
    let allow = [("MCP_TOOLS_ALLOW", "topics/*"), ("MCP_ENVIRONMENT_RULES", "*: none")];
    let faults = errors(&[OAUTH, &allow]);
    assert!(faults.contains("MCP_ENVIRONMENT_RULES are both set: leave at least one"), "{faults}");
}

#[test]
fn audit_lines_go_to_standard_output_unless_it_is_the_protocol() {
    let stdio: &[(&str, &str)] = &[("LENSES_API_KEY", "key")];
    let file = AuditOutput::File("/var/log/audit.jsonl".into());
    for (base, value, output) in [
        (OAUTH, "", AuditOutput::Stdout),
        (OAUTH, "stdout", AuditOutput::Stdout),
        (OAUTH, "off", AuditOutput::Off),
        (OAUTH, "file:/var/log/audit.jsonl", file.clone()),
        (stdio, "", AuditOutput::Off),
        (stdio, "file:/var/log/audit.jsonl", file),
    ] {
        let settings = read(&[base, &[("MCP_AUDIT", value)]]).unwrap();
        assert_eq!(settings.audit, output, "{value}");
    }
    let errors = errors(&[stdio, &[("MCP_AUDIT", "stdout")]]);
    assert!(errors.contains("over stdio, standard output is the protocol"), "{errors}");
}

#[test]
fn allowed_clients_are_named_and_need_oauth() {
    let clients = [("MCP_ALLOWED_CLIENTS", "claude-prod, https://codex.example.com/client.json")];
    let settings = read(&[OAUTH, &clients]).unwrap();
    let allowed: Vec<_> = oauth(&settings).allowed_clients.iter().flatten().collect();
    assert_eq!(allowed, ["claude-prod", "https://codex.example.com/client.json"]);
    let errors = errors(&[API_KEY, &clients]);
    assert!(errors.contains("MCP_ALLOWED_CLIENTS is set with OAuth off"), "{errors}");
}
