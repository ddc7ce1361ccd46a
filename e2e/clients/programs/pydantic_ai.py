"""pydantic-ai: with OAuth, and with the page's file for programs that send a header."""

from trial import HERE, TOPIC, contains, lacks

TITLE = "pydantic-ai"
HEADING = "Libraries and other programs"
DELETION = f'execute_sql \'{{"environment": "development", "sql": "DROP TABLE {TOPIC}"}}\''


def version(trial):
    ask = "from importlib.metadata import version; print(version('pydantic-ai-slim'))"
    return trial.run(f'{python(trial)} -c "{ask}"').strip()


def python(trial):
    return trial.target / "python/bin/python"


def follow(trial):
    script = f"{python(trial)} {HERE}/scripts/with_pydantic_ai.py {trial.bed.url}"
    list_environments = "list_environments '{}'"
    with trial.step("sign in"):
        called = trial.run(f"{script} oauth {list_environments}")
        assert trial.sign_ins() == 1
    with trial.step("list"):
        contains(called, "list_environments", "execute_sql")
        lacks(called, "delete_kafka_connector")
    with trial.step("call"):
        contains(called, "RESULT", "development")
    with trial.step("step up"), trial.step("ask before a deletion"):
        trial.tick("read", then=("read", "write", "delete"))
        called = trial.run(f"{script} oauth {DELETION}")
        assert trial.sign_ins() == 3
        contains(called, "ASKED Execute SQL?", "RESULT")
        assert not trial.bed.has_topic(TOPIC)
    # It keeps the token in memory.
    with trial.step("sign out", "the token is gone when the program ends"):
        trial.run(f"{script} oauth {list_environments}")
        assert trial.sign_ins() == 4
    (trial.work / "file.json").write_text(trial.key.block("json"))
    with trial.step("API key"):
        contains(trial.run(f"{script} file.json {list_environments}"), "RESULT", "development")
