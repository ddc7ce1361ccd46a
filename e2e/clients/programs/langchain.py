"""LangChain's adapters, with the page's file for programs that send a header."""

from trial import HERE, TOPIC, contains

TITLE = "LangChain (`langchain-mcp-adapters`)"
HEADING = "Libraries and other programs"
DELETION = f'execute_sql \'{{"environment": "development", "sql": "DROP TABLE {TOPIC}"}}\''
HEADER = "driven with a header only"


def version(trial):
    ask = "from importlib.metadata import version; print(version('langchain-mcp-adapters'))"
    return trial.run(f'{python(trial)} -c "{ask}"').strip()


def python(trial):
    # Its adapters want an older SDK than fastmcp does.
    return trial.target / "langchain/bin/python"


def follow(trial):
    trial.lacks("sign in", HEADER)
    (trial.work / "file.json").write_text(trial.key.block("json"))
    contains(trial.key.command("transport"), "transport")
    call = f"{python(trial)} {HERE}/scripts/with_langchain.py file.json"
    with trial.step("API key"), trial.step("call"), trial.step("list"):
        called = trial.run(f"{call} list_environments '{{}}'")
        contains(called, "delete_kafka_connector", "RESULT", "development")
    trial.lacks("step up", HEADER)
    with trial.step("ask before a deletion"):
        contains(trial.run(f"{call} {DELETION}"), "ASKED Execute SQL?", "RESULT")
        assert not trial.bed.has_topic(TOPIC)
    trial.lacks("sign out", HEADER)
