"""Gemini CLI."""

import json

from trial import DELETION, TOPIC, contains, lacks

TITLE = HEADING = "Gemini CLI"


def version(trial):
    return trial.run("gemini --version").split()[-1]


def ask(trial, text):
    """One question to the model, without a person."""
    return trial.run(f"gemini --approval-mode yolo -p '{text}'", seconds=120)


def started_before(trial):
    """What Gemini CLI keeps of its first start, which asks for a login at Google and for trust."""
    path = trial.home / ".gemini" / "settings.json"
    settings = json.loads(path.read_text())
    settings["security"] = {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}}
    settings["privacy"] = {"usageStatisticsEnabled": False}
    settings["general"] = {"enableAutoUpdate": False, "enableAutoUpdateNotification": False}
    path.write_text(json.dumps(settings))


def say(terminal, text):
    """Types a line and sends it."""
    terminal.settle()
    terminal.type(text)
    terminal.settle()
    terminal.press("enter")


def follow(trial):
    trial.environment.update(
        GEMINI_API_KEY="none", GOOGLE_GEMINI_BASE_URL=trial.model.url, DISPLAY=":0", GEMINI_CLI_TRUST_WORKSPACE="true"
    )
    trial.run(trial.oauth.command("gemini mcp add", "lenses"))
    started_before(trial)
    with trial.step("sign in"):
        with trial.terminal("gemini") as terminal:
            terminal.see("Type your message")
            say(terminal, trial.oauth.command("/mcp auth"))
            terminal.see("never", seconds=10)
