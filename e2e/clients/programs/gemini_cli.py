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
    settings["security"] = {
        "auth": {"selectedType": "gemini-api-key"},
        "folderTrust": {"enabled": False},
    }
    settings["privacy"] = {"usageStatisticsEnabled": False}
    settings["general"] = {"enableAutoUpdate": False, "enableAutoUpdateNotification": False}
    path.write_text(json.dumps(settings))


def sign_in(trial, terminal):
    terminal.see("Type your message")
    terminal.say(trial.oauth.command("/mcp auth"))
    terminal.see("Do you want to continue?")
    terminal.settle()
    terminal.press("enter")
    terminal.see("Successfully authenticated and reloaded tools")


def follow(trial):
    trial.environment.update(
        GEMINI_API_KEY="none",
        GOOGLE_GEMINI_BASE_URL=trial.model.url,
        DISPLAY=":0",
        GEMINI_CLI_TRUST_WORKSPACE="true",
    )
    trial.run(trial.oauth.command("gemini mcp add", "lenses"))
    started_before(trial)
    with trial.step("sign in"):
        with trial.terminal("gemini") as terminal:
            sign_in(trial, terminal)
    with trial.step("list"):
        offered = ask(trial, "CALL no_such_tool")
        contains(offered, "list_environments", "execute_sql")
        lacks(offered, "delete_kafka_connector")
    with trial.step("call"):
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
    ask(trial, DELETION)
    assert trial.bed.has_topic(TOPIC)
    trial.lacks("step up", "the call fails; sign in again")
    trial.tick("read", "write", "delete")
    with trial.terminal("gemini") as terminal:
        sign_in(trial, terminal)
    contains(ask(trial, DELETION), "RESULT")
    assert not trial.bed.has_topic(TOPIC)
    trial.lacks("ask before a deletion", "declares no elicitation; the deletion runs")
    with trial.step("sign out"):
        path = trial.home / trial.oauth.command("mcp-oauth-tokens").removeprefix("~/")
        entries = json.loads(path.read_text())
        path.write_text(
            json.dumps([entry for entry in entries if entry["serverName"] != "lenses"])
        )
        contains(ask(trial, "CALL list_environments"), "NOT OFFERED")
    trial.fresh_home("with-key")
    with trial.step("API key"):
        trial.run(
            f"{trial.key.command('gemini mcp add', 'lenses')} {trial.key.command('--header')}"
        )
        started_before(trial)
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
