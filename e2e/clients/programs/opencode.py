"""opencode."""

import json

from trial import DELETION, TOPIC, contains, lacks

TITLE = HEADING = "opencode"


def version(trial):
    return trial.run("opencode --version").strip()


def configure(trial, file):
    """The page's file, with the stand-in for the model beside the server."""
    options = {"baseURL": f"{trial.model.url}/v1", "apiKey": "none"}
    provider = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {"stand-in": {}}}
    file |= {
        "provider": {"local": provider},
        "model": "local/stand-in",
        "small_model": "local/stand-in",
    }
    (trial.work / "opencode.json").write_text(json.dumps(file))


def ask(trial, text):
    """One question to the model, without a person."""
    return trial.run(f"opencode run '{text}'", seconds=120)


def follow(trial):
    configure(trial, json.loads(trial.oauth.block("json")))
    with trial.step("sign in"):
        trial.run(trial.oauth.command("opencode mcp auth"))
        contains(trial.run("opencode mcp list"), "✓ lenses", "connected")
    with trial.step("list"):
        offered = ask(trial, "CALL no_such_tool")
        contains(offered, "lenses_list_environments", "lenses_execute_sql")
        lacks(offered, "delete_kafka_connector")
    with trial.step("call"):
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
    refused = ask(trial, DELETION)
    contains(refused, "403 after trying upscoping")
    assert trial.bed.has_topic(TOPIC)
    trial.lacks("step up", "fails with `403 after trying upscoping`; sign in again")
    trial.tick("read", "write", "delete")
    trial.run(trial.oauth.command("opencode mcp logout"))
    contains(trial.run("opencode mcp list"), "needs authentication")
    trial.run(trial.oauth.command("opencode mcp auth"))
    contains(ask(trial, DELETION), "RESULT")
    assert not trial.bed.has_topic(TOPIC)
    trial.lacks("ask before a deletion", "declares no elicitation; the deletion runs")
    with trial.step("sign out"):
        trial.run(trial.oauth.command("opencode mcp logout"))
        contains(trial.run("opencode mcp list"), "needs authentication")
    trial.fresh_home("with-key")
    with trial.step("API key"):
        file = json.loads(trial.key.block("json"))
        fields = json.loads(f"{{{trial.key.command('headers', 'oauth')}}}")
        file["mcp"]["lenses"] |= fields
        configure(trial, file)
        contains(ask(trial, "CALL list_environments"), "RESULT", "development")
