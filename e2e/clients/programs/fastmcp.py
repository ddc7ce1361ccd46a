"""fastmcp, by the page's own example."""

from trial import HERE, TOPIC, contains, lacks

TITLE = "fastmcp"
HEADING = "Libraries and other programs"
DELETION = f'\'{{"environment": "development", "sql": "DROP TABLE {TOPIC}"}}\''


def version(trial):
    return trial.run(f"{python(trial)} -c 'import fastmcp; print(fastmcp.__version__)'").split()[
        -1
    ]


def python(trial):
    return trial.target / "python/bin/python"


def follow(trial):
    example = trial.work / "example.py"
    lines = trial.oauth.block("python").splitlines()
    inner = "\n".join(f"    {line}" for line in lines if not line.startswith("from"))
    example.write_text(
        f"import asyncio\n{lines[0]}\nasync def main():\n{inner}\nasyncio.run(main())\n"
    )
    script = f"{python(trial)} {HERE}/scripts/with_fastmcp.py"
    with trial.step("sign in"):
        listed = trial.run(f"{python(trial)} example.py")
        assert trial.sign_ins() == 1
    with trial.step("list"):
        contains(listed, "list_environments", "execute_sql")
        lacks(listed, "delete_kafka_connector")
    with trial.step("call"):
        contains(
            trial.run(f"{script} {trial.bed.url} oauth list_environments '{{}}'"),
            "RESULT",
            "development",
        )
    with trial.step("step up"), trial.step("ask before a deletion"):
        before = trial.sign_ins()
        trial.tick("read", then=("read", "write", "delete"))
        called = trial.run(f"{script} {trial.bed.url} oauth execute_sql {DELETION}")
        assert trial.sign_ins() == before + 2
        contains(called, "ASKED Execute SQL?", "RESULT")
        assert not trial.bed.has_topic(TOPIC)
    # The page's example keeps the token in memory.
    with trial.step("sign out", "the token is gone when the program ends"):
        before = trial.sign_ins()
        trial.run(f"{python(trial)} example.py")
        assert trial.sign_ins() == before + 1
    with trial.step("API key"):
        called = f"{script} {trial.bed.key_url} {trial.bed.caller_token} list_environments '{{}}'"
        contains(trial.run(called), "RESULT", "development")
