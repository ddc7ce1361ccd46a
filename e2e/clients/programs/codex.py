"""Codex."""

from trial import DELETION, TOPIC, contains, lacks

TITLE = HEADING = "Codex"
MODEL = """
model = "stand-in"
model_provider = "stand-in"
check_for_update_on_startup = false
mcp_oauth_credentials_store = "file"
[model_providers.stand-in]
name = "stand-in"
base_url = "{url}/v1"
wire_api = "responses"
[analytics]
enabled = false
[projects."{work}"]
trust_level = "trusted"
"""


def version(trial):
    return trial.run("codex --version").split()[-1]


def ask(trial, text):
    """One question to the model, without a person."""
    return trial.run(
        f"codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox '{text}'",
        seconds=120,
    )


def configure(trial):
    """The stand-in for the model, and what Codex keeps of its first start, which asks for trust."""
    config = trial.home / ".codex" / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(MODEL.format(url=trial.model.url, work=trial.work))


def follow(trial):
    configure(trial)
    with trial.step("sign in"):
        trial.run(trial.oauth.command("codex mcp add", "lenses"))
        trial.run(trial.oauth.command("codex mcp login"))
        contains(trial.run("codex mcp list"), "OAuth")
    with trial.step("list"):
        offered = ask(trial, "CALL no_such_tool")
        contains(offered, "list_environments", "execute_sql")
        lacks(offered, "delete_kafka_connector")
    with trial.step("call"):
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
    contains(ask(trial, DELETION), "Insufficient scope")
    assert trial.bed.has_topic(TOPIC)
    trial.lacks("step up", "the call fails with `Insufficient scope`; sign in again")
    trial.tick("read", "write", "delete")
    before = trial.sign_ins()
    trial.run(trial.oauth.command("codex mcp login", "--scopes"))
    assert trial.sign_ins() == before + 1
    with trial.step("ask before a deletion"):
        with trial.terminal(f"codex '{DELETION}'") as terminal:
            terminal.see("Allow the lenses MCP server to run tool")
            terminal.settle()
            terminal.press("enter")
            terminal.see("Execute SQL? This can't be undone.")
            terminal.settle()
            assert trial.bed.has_topic(TOPIC)
            terminal.type("1")
            terminal.settle()
            terminal.press("enter")
            terminal.see("RESULT")
        assert not trial.bed.has_topic(TOPIC)
    with trial.step("sign out"):
        trial.run(trial.oauth.command("codex mcp logout"))
        contains(trial.run("codex mcp list"), "Not logged in")
        contains(ask(trial, "CALL list_environments"), "NOT OFFERED")
    trial.fresh_home("with-key")
    configure(trial)
    with trial.step("API key"):
        trial.environment["MCP_CALLER_TOKEN"] = trial.bed.caller_token
        trial.run(trial.key.command("codex mcp add", "--bearer-token-env-var"))
        contains(trial.run("codex mcp list"), "Bearer token")
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
