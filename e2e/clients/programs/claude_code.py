"""Claude Code."""

from trial import DELETION, TOPIC, contains, lacks

TITLE = HEADING = "Claude Code"
ALLOW = "--allowedTools mcp__lenses"


def version(trial):
    return trial.run("claude --version").split()[0]


def ask(trial, text):
    """One question to the model, without a person."""
    return trial.run(f"claude -p '{text}' {ALLOW}", seconds=120)


def login(trial):
    with trial.terminal(trial.oauth.command("claude mcp login")) as terminal:
        return terminal.end()


def follow(trial):
    trial.environment.update(
        ANTHROPIC_BASE_URL=trial.model.url, ANTHROPIC_API_KEY="none", ENABLE_TOOL_SEARCH="false"
    )
    with trial.step("sign in"):
        trial.run(trial.oauth.command("claude mcp add", "lenses"))
        login(trial)
        contains(trial.run("claude mcp list"), "Connected")
    with trial.step("list"):
        offered = ask(trial, "CALL no_such_tool {}")
        contains(offered, "mcp__lenses__list_environments", "mcp__lenses__execute_sql")
        lacks(offered, "delete_kafka_connector")
    with trial.step("call"):
        contains(ask(trial, "CALL list_environments {}"), "RESULT", "development")
    with trial.step("step up"):
        contains(ask(trial, f"CALL execute_sql {DELETION}"), "delete")
        assert trial.bed.has_topic(TOPIC)
