"""The Python SDK, by the page's own example."""

from trial import HERE, TOPIC, contains, lacks

TITLE = "Python SDK (`mcp`)"
HEADING = "Libraries and other programs"
DELETION = f'execute_sql \'{{"environment": "development", "sql": "DROP TABLE {TOPIC}"}}\''


def version(trial):
    ask = "from importlib.metadata import version; print(version('mcp'))"
    return trial.run(f'{python(trial)} -c "{ask}"').strip()


def python(trial):
    return trial.target / "python/bin/python"


def follow(trial):
    (trial.work / "example.py").write_text(trial.oauth.block("python", 1))
    example = f"{python(trial)} example.py"
    call = f"{python(trial)} {HERE}/scripts/with_mcp.py {trial.work}"
    with trial.step("sign in"):
        listed = trial.run(example)
        assert trial.sign_ins() == 1
    with trial.step("list"):
        contains(listed, "list_environments", "execute_sql")
        lacks(listed, "delete_kafka_connector")
    with trial.step("call"):
        contains(trial.run(f"{call} list_environments '{{}}'"), "RESULT", "development")
    with trial.step("step up"), trial.step("ask before a deletion"):
        before = trial.sign_ins()
        trial.tick("read", then=("read", "write", "delete"))
        called = trial.run(f"{call} {DELETION}")
        assert trial.sign_ins() == before + 2
        contains(called, "ASKED Execute SQL?", "RESULT")
        assert not trial.bed.has_topic(TOPIC)
    # The page's example keeps the token in memory.
    with trial.step("sign out", "the token is gone when the program ends"):
        before = trial.sign_ins()
        trial.run(example)
        assert trial.sign_ins() == before + 1
    with trial.step("API key"):
        key = f"{trial.bed.key_url} {trial.bed.caller_token}"
        contains(trial.run(f"{call} list_environments '{{}}' {key}"), "RESULT", "development")
