"""mcp-remote, started by a client that can only start a command: the Python SDK."""

import json

from trial import HERE, TOPIC, contains, lacks

TITLE = "mcp-remote"
HEADING = "mcp-remote and mcporter"
# It wants this for a URL without TLS, as this one on loopback.
PLAIN = "--allow-http"


def version(trial):
    return json.loads((trial.target / "node_modules/mcp-remote/package.json").read_text())[
        "version"
    ]


def call(trial, server, tool, arguments):
    file = trial.work / "server.json"
    file.write_text(json.dumps(server))
    return trial.run(
        f"{trial.target}/python/bin/python {HERE}/scripts/over_stdio.py "
        f"{file} {tool} '{json.dumps(arguments)}'"
    )


def follow(trial):
    server = json.loads(trial.oauth.block("json"))["mcpServers"]["lenses"]
    server["args"].append(PLAIN)
    deletion = {"environment": "development", "sql": f"DROP TABLE {TOPIC}"}
    with trial.step("sign in"):
        listed = call(trial, server, "list_environments", {})
        assert trial.sign_ins() == 1
    with trial.step("list"):
        contains(listed, "execute_sql")
        lacks(listed, "delete_kafka_connector")
    with trial.step("call"):
        contains(listed, "RESULT", "development")
    contains(call(trial, server, "execute_sql", deletion), "REFUSED")
    assert trial.bed.has_topic(TOPIC)
    trial.lacks("step up", "the call fails; sign in again")
    trial.tick("read", "write", "delete")
    with trial.step("sign out"):
        before = trial.sign_ins()
        trial.run(f"rm -r {trial.oauth.command('.mcp-auth')}")
        called = call(trial, server, "execute_sql", deletion)
        assert trial.sign_ins() == before + 1
    with trial.step("ask before a deletion", "if the program behind it does"):
        contains(called, "ASKED Execute SQL?", "RESULT")
        assert not trial.bed.has_topic(TOPIC)
    trial.fresh_home("with-key")
    with trial.step("API key"):
        server = json.loads(trial.key.block("json"))["mcpServers"]["lenses"]
        server["args"] += [*json.loads(f"[{trial.key.command('--header')}]"), PLAIN]
        contains(call(trial, server, "list_environments", {}), "RESULT", "development")
