"""Qwen Code."""

import json

from trial import DELETION, TOPIC, contains, lacks

TITLE = HEADING = "Qwen Code"


def version(trial):
    return trial.run("qwen --version").split()[-1]


def ask(trial, text):
    """One question to the model, without a person."""
    return trial.run(f"qwen --approval-mode yolo -p '{text}'", seconds=120)


def started_before(trial):
    """What Qwen Code keeps of its first start, which asks for a model."""
    path = trial.home / ".qwen" / "settings.json"
    settings = json.loads(path.read_text())
    settings["security"] = {"auth": {"selectedType": "openai"}, "folderTrust": {"enabled": False}}
    settings["privacy"] = {"usageStatisticsEnabled": False}
    settings["general"] = {"enableAutoUpdate": False}
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
        OPENAI_API_KEY="none", OPENAI_BASE_URL=f"{trial.model.url}/v1", OPENAI_MODEL="stand-in", DISPLAY=":0"
    )
    trial.run(trial.oauth.command("qwen mcp add", "lenses"))
    started_before(trial)
    with trial.step("sign in"):
        with trial.terminal("qwen") as terminal:
            sign_in(trial, terminal)
    with trial.step("list"):
        offered = ask(trial, "CALL no_such_tool")
        contains(offered, "list_environments", "execute_sql")
        lacks(offered, "delete_kafka_connector")
    with trial.step("call"):
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
    refused = ask(trial, DELETION)
    print(refused[:600])
    assert trial.bed.has_topic(TOPIC)
    trial.lacks("step up", "the call fails; sign in again")
    trial.tick("read", "write", "delete")
    with trial.terminal("qwen") as terminal:
        sign_in(trial, terminal)
    contains(ask(trial, DELETION), "RESULT")
    assert not trial.bed.has_topic(TOPIC)
    trial.lacks("ask before a deletion", "declares no elicitation; the deletion runs")
    with trial.step("sign out"):
        path = trial.home / trial.oauth.command("mcp-oauth-tokens").removeprefix("~/")
        entries = json.loads(path.read_text())
        path.write_text(json.dumps([entry for entry in entries if entry["serverName"] != "lenses"]))
        contains(ask(trial, "CALL list_environments"), "NOT OFFERED")
    trial.fresh_home("with-key")
    with trial.step("API key"):
        trial.run(f"{trial.key.command('qwen mcp add', 'lenses')} {trial.key.command('--header')}")
        started_before(trial)
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
