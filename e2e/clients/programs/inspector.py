"""MCP Inspector, by its command line."""

from trial import TOPIC, contains, lacks

TITLE = HEADING = "MCP Inspector"
DELETION = f"--method tools/call --tool-name execute_sql --tool-args-json '{{\"environment\": \"development\", \"sql\": \"DROP TABLE {TOPIC}\"}}'"


def version(trial):
    return trial.run("mcp-inspector --version").strip()


def follow(trial):
    trial.environment.update(MCP_AUTO_OPEN_ENABLED="true", MCP_INSPECTOR_SECRET_STORE="file")
    start = trial.oauth.command("npx @modelcontextprotocol/inspector") + f" --cli --server-url {trial.bed.url} --protocol-era modern"
    with trial.step("sign in"):
        print(trial.run(f"{start} --method tools/call --tool-name whoami")[-600:])
        assert trial.sign_ins() == 1
    with trial.step("list"):
        listed = trial.run(f"{start} --method tools/list")
        contains(listed, "list_environments", "execute_sql")
        lacks(listed, "delete_kafka_connector")
    with trial.step("call"):
        contains(trial.run(f"{start} --method tools/call --tool-name list_environments"), "development")
    with trial.step("step up"):
        trial.tick("read", "write", "delete")
        with trial.terminal(f"{start} {DELETION}") as terminal:
            terminal.see("never", seconds=15)
