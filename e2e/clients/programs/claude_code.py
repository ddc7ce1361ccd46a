"""Claude Code."""

import json

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


def started_before(trial):
    """What Claude Code keeps of its first start, which asks for a login, a theme and trust."""
    path = trial.home / ".claude.json"
    state = json.loads(path.read_text())
    state.update(
        hasCompletedOnboarding=True, theme="dark", customApiKeyResponses={"approved": ["none"]}
    )
    state["projects"].setdefault(str(trial.work), {})["hasTrustDialogAccepted"] = True
    path.write_text(json.dumps(state))


def follow(trial):
    trial.environment.update(
        ANTHROPIC_BASE_URL=trial.model.url, ANTHROPIC_API_KEY="none", ENABLE_TOOL_SEARCH="false"
    )
    with trial.step("sign in"):
        trial.run(trial.oauth.command("claude mcp add", "lenses"))
        login(trial)
        contains(trial.run("claude mcp list"), "Connected")
    with trial.step("list"):
        offered = ask(trial, "CALL no_such_tool")
        contains(offered, "mcp__lenses__list_environments", "mcp__lenses__execute_sql")
        lacks(offered, "delete_kafka_connector")
    with trial.step("call"):
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
    refused = ask(trial, DELETION)
    contains(refused, 'scope: "read delete"', "run /mcp to re-authenticate")
    started_before(trial)
    with trial.step("step up", "in a session it asks, and calls again"):
        with trial.terminal(f"claude --permission-mode default {ALLOW}") as terminal:
            trial.tick("read", "write", "delete")
            terminal.see("manual mode on")
            terminal.say(DELETION)
            terminal.see("needs additional permissions for this tool")
            terminal.press("enter")
            # Its new connection answers questions by itself until the session ends.
            terminal.see("RESULT The client closed the question")
        assert trial.offered() == ["read", "delete"], trial.offered()
        assert trial.bed.has_topic(TOPIC)
    contains(ask(trial, DELETION), "The client closed the question")
    assert trial.bed.has_topic(TOPIC)
    with trial.step("ask before a deletion", "in a session; `claude -p` cancels"):
        with trial.terminal(f"claude --permission-mode default {ALLOW}") as terminal:
            terminal.see("manual mode on")
            terminal.say(DELETION)
            terminal.see("This can't be undone", seconds=15)
            terminal.settle()
            assert trial.bed.has_topic(TOPIC)
            # Ticks `Go ahead`, and goes on to `Accept`.
            terminal.press("space", "down", "enter")
            terminal.see("RESULT")
        assert not trial.bed.has_topic(TOPIC)
    with trial.step("sign out"):
        trial.run(trial.oauth.command("claude mcp logout"))
        contains(trial.run("claude mcp list"), "Needs authentication")
    trial.fresh_home("with-key")
    with trial.step("API key"):
        trial.run(trial.key.command("claude mcp add", "--header"))
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
