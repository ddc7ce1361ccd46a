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
    """What Claude Code keeps of its first start, which asks for a login at Anthropic, a theme and trust."""
    path = trial.home / ".claude.json"
    state = json.loads(path.read_text())
    state.update(hasCompletedOnboarding=True, theme="dark", customApiKeyResponses={"approved": ["none"]})
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
    with trial.terminal(f"claude --debug-file /tmp/cl/claude.debug --permission-mode default {ALLOW}") as terminal:
        terminal.see("manual mode on")
        with trial.step("step up"):
            trial.tick("read", "write", "delete")
            terminal.say(DELETION)
            terminal.see("needs additional permissions for this tool")
            terminal.settle()
            terminal.press("enter")
            terminal.see("RESULT", "This can't be undone")
            print(terminal.text()[-900:])
            assert trial.offered() == ["read", "delete"], trial.offered()
        with trial.step("ask before a deletion"):
            terminal.say(DELETION)
            terminal.see("never", seconds=8)
