"""fastmcp, by the page's own example."""

from trial import HERE, TOPIC, contains, lacks

TITLE = "fastmcp"
HEADING = "Libraries and other programs"
DELETION = f'\'{{"environment": "development", "sql": "DROP TABLE {TOPIC}"}}\''


def version(trial):
    return trial.run(f"{python(trial)} -c 'import fastmcp; print(fastmcp.__version__)'").split()[-1]


def python(trial):
    return trial.target / "mcp2/bin/python"


def follow(trial):
    example = trial.work / "example.py"
    lines = trial.oauth.block("python").splitlines()
    inner = "\n".join(f"    {line}" for line in lines if not line.startswith("from"))
    example.write_text(f"import asyncio\n{lines[0]}\nasync def main():\n{inner}\nasyncio.run(main())\n")
    script = f"{python(trial)} {HERE}/scripts/with_fastmcp.py"
    with trial.step("sign in"):
        listed = trial.run(f"{python(trial)} example.py")
        assert trial.sign_ins() == 1
    with trial.step("list"):
        contains(listed, "list_environments", "execute_sql")
        lacks(listed, "delete_kafka_connector")
    with trial.step("call"):
        contains(trial.run(f"{script} {trial.bed.url} oauth list_environments '{{}}'"), "RESULT", "development")
    print(trial.run(f"{script} {trial.bed.url} oauth execute_sql {DELETION} || true")[-800:])
    assert trial.bed.has_topic(TOPIC)
    trial.tick("read", "write", "delete")
    print(trial.run(f"{script} {trial.bed.url} oauth execute_sql {DELETION} || true")[-800:])
    print(trial.bed.has_topic(TOPIC), trial.sign_ins())
