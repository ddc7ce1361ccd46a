"""Qwen Code, through its dialog `/mcp`."""

import json

from trial import DELETION, TOPIC, contains, lacks

TITLE = HEADING = "Qwen Code"
DIALOG = "/mcp"


def version(trial):
    return trial.run("qwen --version").split()[-1]


def ask(trial, text):
    """One question to the model, without a person."""
    return trial.run(f"qwen --approval-mode yolo -p '{text}'", seconds=120)


def started_before(trial):
    """What Qwen Code keeps of its first start, which asks for a model and for trust."""
    path = trial.home / ".qwen" / "settings.json"
    settings = json.loads(path.read_text())
    settings["security"] = {
        "auth": {"selectedType": "openai"},
        "folderTrust": {"enabled": False},
    }
    settings["privacy"] = {"usageStatisticsEnabled": False}
    settings["general"] = {"enableAutoUpdate": False}
    # The stand-in for the model does not search for tools: offer it all of them.
    settings["tools"] = {"toolSearch": {"enabled": False}}
    path.write_text(json.dumps(settings))


def open_dialog(terminal):
    terminal.see("Type your message")
    terminal.say(DIALOG)
    terminal.see("❯ lenses")


def dialog(trial, action, done):
    """Chooses `action` for the server in the dialog, and waits until it shows `done`."""
    with trial.terminal("qwen") as terminal:
        open_dialog(terminal)
        terminal.press("enter")
        terminal.see(action)
        for _ in range(10):
            if f"› {action}" in terminal.text():
                break
            terminal.press("down")
        terminal.see(f"› {action}")
        terminal.press("enter")
        terminal.see(done)
        terminal.settle()


def follow(trial):
    trial.environment.update(
        OPENAI_API_KEY="none",
        OPENAI_BASE_URL=f"{trial.model.url}/v1",
        OPENAI_MODEL="stand-in",
        DISPLAY=":0",
    )
    trial.run(trial.oauth.command("qwen mcp add", "lenses"))
    started_before(trial)
    assert DIALOG in trial.oauth.spans
    with trial.step("sign in"):
        # As the page says, the first session signs in by itself.
        with trial.terminal("qwen") as terminal:
            open_dialog(terminal)
            terminal.see("✓ connected")
        assert trial.sign_ins() == 1
    with trial.step("list"):
        offered = ask(trial, "CALL no_such_tool")
        contains(offered, "list_environments", "execute_sql")
        lacks(offered, "delete_kafka_connector")
    with trial.step("call"):
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
    ask(trial, DELETION)
    assert trial.bed.has_topic(TOPIC)
    assert trial.sign_ins() == 1
    trial.lacks("step up", "the call fails; sign in again")
    trial.tick("read", "write", "delete")
    dialog(trial, trial.oauth.command("Re-authenticate"), "Authentication successful")
    assert trial.sign_ins() == 2
    contains(ask(trial, DELETION), "RESULT")
    assert not trial.bed.has_topic(TOPIC)
    trial.lacks("ask before a deletion", "declares no elicitation; the deletion runs")
    with trial.step("sign out"):
        clear = trial.oauth.command("Clear Authentication")
        dialog(trial, clear, "disconnected")
        before = trial.sign_ins()
        with trial.terminal("qwen") as terminal:
            open_dialog(terminal)
            terminal.see("✓ connected")
        assert trial.sign_ins() == before + 1
        trial.run(trial.oauth.command("qwen mcp remove"))
        contains(ask(trial, "CALL list_environments"), "NOT OFFERED")
    trial.fresh_home("with-key")
    with trial.step("API key"):
        trial.run(f"{trial.key.command('qwen mcp add', 'lenses')} {trial.key.command('--header')}")
        started_before(trial)
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
