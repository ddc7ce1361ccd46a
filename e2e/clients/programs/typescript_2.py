"""The TypeScript SDK 2, by the page's own example."""

import json
import shutil

from trial import HERE, TOPIC, contains, lacks

TITLE = "TypeScript SDK 2"
HEADING = "Libraries and other programs"
DELETION = f'execute_sql \'{{"environment": "development", "sql": "DROP TABLE {TOPIC}"}}\''
CALL = "node with_typescript.mjs"


def version(trial):
    return installed(trial, "client")


def installed(trial, package):
    path = trial.target / "node_modules/@modelcontextprotocol" / package / "package.json"
    return json.loads(path.read_text())["version"]


def example(trial):
    """The page's example as a file, and beside it what calls other tools with it."""
    # The SDK's classes reach the script by way of the example, so that both use one SDK.
    text = trial.oauth.block("js") + "export { Client, StreamableHTTPClientTransport };\n"
    (trial.work / "example.mjs").write_text(text)
    shutil.copy(HERE / "scripts/with_typescript.mjs", trial.work)
    return text


def sign_in_and_call(trial):
    with trial.step("sign in"):
        listed = trial.run("node example.mjs")
        assert trial.sign_ins() == 1
    with trial.step("list"):
        contains(listed, "list_environments", "execute_sql")
        lacks(listed, "delete_kafka_connector")
    with trial.step("call"):
        contains(trial.run(f"{CALL} list_environments '{{}}'"), "RESULT", "development")


def sign_out_and_use_a_key(trial):
    # The page's example keeps the token in memory.
    with trial.step("sign out", "the token is gone when the program ends"):
        before = trial.sign_ins()
        trial.run("node example.mjs")
        assert trial.sign_ins() == before + 1
    with trial.step("API key"):
        key = f"{trial.bed.key_url} {trial.bed.caller_token}"
        contains(trial.run(f"{CALL} list_environments '{{}}' {key}"), "RESULT", "development")


def follow(trial):
    example(trial)
    sign_in_and_call(trial)
    with trial.step("step up"), trial.step("ask before a deletion"):
        before = trial.sign_ins()
        trial.tick("read", then=("read", "write", "delete"))
        called = trial.run(f"{CALL} {DELETION}")
        assert trial.sign_ins() == before + 2
        contains(called, "ASKED Execute SQL?", "RESULT")
        assert not trial.bed.has_topic(TOPIC)
    sign_out_and_use_a_key(trial)
