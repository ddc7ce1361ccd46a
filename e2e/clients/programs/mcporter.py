"""mcporter."""

from trial import TOPIC, contains, lacks

TITLE = "mcporter"
HEADING = "mcp-remote and mcporter"
# It wants this for a URL without TLS, as this one on loopback.
PLAIN = "--allow-http"
DELETION = f'--args \'{{"environment": "development", "sql": "DROP TABLE {TOPIC}"}}\''


def version(trial):
    return trial.run("mcporter --version").strip()


def follow(trial):
    url = trial.bed.url
    with trial.step("sign in"):
        trial.run(f"{trial.oauth.command('npx mcporter auth')} {PLAIN}")
        assert trial.sign_ins() == 1
    with trial.step("list"):
        listed = trial.run(f"npx mcporter list {url} {PLAIN} --json")
        contains(listed, "list_environments", "execute_sql")
        lacks(listed, "delete_kafka_connector")
    with trial.step("call"):
        contains(trial.run(f"npx mcporter call {url}.list_environments {PLAIN}"), "development")
    delete = f"npx mcporter call {url}.execute_sql {PLAIN} {DELETION}"
    refused = trial.run(f"{delete} || true")
    lacks(refused, "dropped")
    assert trial.bed.has_topic(TOPIC)
    trial.lacks("step up", "the call fails; sign in again")
    trial.tick("read", "write", "delete")
    trial.run(f"{trial.oauth.command('npx mcporter auth', '--reset')} {PLAIN}")
    assert trial.sign_ins() == 2
    trial.run(delete)
    assert not trial.bed.has_topic(TOPIC)
    trial.lacks("ask before a deletion", "declares no elicitation; the deletion runs")
    trial.fresh_home("named")
    with trial.step("sign out"):
        trial.run(f"npx mcporter config add lenses {url} {PLAIN}")
        trial.run("npx mcporter auth lenses")
        contains(trial.run("npx mcporter call lenses.list_environments"), "development")
        trial.run(trial.oauth.command("npx mcporter config logout"))
        before = trial.sign_ins()
        trial.run("npx mcporter call lenses.list_environments")
        assert trial.sign_ins() == before + 1
    with trial.step("API key"):
        header = f"'Authorization=Bearer {trial.bed.caller_token}'"
        listed = trial.run(
            f"npx mcporter list {trial.bed.key_url} {PLAIN} --header {header} --json"
        )
        contains(listed, "list_environments")
