"""MCP Inspector, by its command line."""

from trial import TOPIC, contains, lacks

TITLE = HEADING = "MCP Inspector"
ARGUMENTS = f'{{"environment": "development", "sql": "DROP TABLE {TOPIC}"}}'
DELETION = f"--method tools/call --tool-name execute_sql --tool-args-json '{ARGUMENTS}'"


def version(trial):
    return trial.run("mcp-inspector --version").strip()


def follow(trial):
    trial.environment.update(MCP_AUTO_OPEN_ENABLED="true", MCP_INSPECTOR_SECRET_STORE="file")
    start = (
        trial.oauth.command("npx @modelcontextprotocol/inspector")
        + f" --cli --server-url {trial.bed.url} --protocol-era modern"
    )
    with trial.step("sign in"):
        trial.run(f"{start} --method tools/call --tool-name whoami")
        assert trial.sign_ins() == 1
    with trial.step("list"):
        listed = trial.run(f"{start} --method tools/list")
        contains(listed, "list_environments", "execute_sql")
        lacks(listed, "delete_kafka_connector")
    with trial.step("call"):
        contains(
            trial.run(f"{start} --method tools/call --tool-name list_environments"), "development"
        )
    refused = trial.run(f"{start} {DELETION}", fails=True)
    contains(refused, "AUTHORIZED without authorization code")
    assert trial.bed.has_topic(TOPIC)
    trial.lacks(
        "step up", "its command line refreshes the token and fails; not driven in a browser"
    )
    trial.tick("read", "write", "delete")
    trial.run(f"{start} --relogin {DELETION}")
    assert trial.sign_ins() == 2
    assert not trial.bed.has_topic(TOPIC)
    trial.lacks(
        "ask before a deletion",
        "its command line declares no elicitation; not driven in a browser",
    )
    trial.lacks("sign out", "its command line has `--relogin` only; not driven in a browser")
    trial.fresh_home("with-key")
    with trial.step("API key"):
        header = f"{trial.key.command('Authorization')}: {trial.key.command('Bearer')}"
        start = start.replace(trial.bed.url, trial.bed.key_url)
        contains(
            trial.run(
                f"{start} --header '{header}' --method tools/call --tool-name list_environments"
            ),
            "development",
        )
