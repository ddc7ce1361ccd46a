"""The TypeScript SDK 1, by the page's example with the changes that the page names for it."""

from trial import TOPIC, contains

from .typescript_2 import (
    CALL,
    DELETION,
    HEADING,
    example,
    installed,
    sign_in_and_call,
    sign_out_and_use_a_key,
)

__all__ = ["HEADING"]
TITLE = "TypeScript SDK 1"



def version(trial):
    return installed(trial, "sdk")


def changed(trial, text):
    """The example with the imports of the SDK 1, and the argument of `finishAuth`."""
    index = trial.oauth.command("client/index.js")
    transport, auth = (
        index.replace("index.js", trial.oauth.command(name).removeprefix("…/"))
        for name in ("streamableHttp.js", "auth.js")
    )
    code = trial.oauth.command('parameters.get("code")')
    for old, new in {
        'import { Client } from "@modelcontextprotocol/client"': (
            f'import {{ Client }} from "{index}"'
        ),
        "import { StreamableHTTPClientTransport, UnauthorizedError } "
        'from "@modelcontextprotocol/client"': (
            f'import {{ StreamableHTTPClientTransport }} from "{transport}";\n'
            f'import {{ UnauthorizedError }} from "{auth}"'
        ),
        "finishAuth(parameters)": f"finishAuth({code})",
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def follow(trial):
    trial.environment["SDK_1"] = "1"
    (trial.work / "example.mjs").write_text(changed(trial, example(trial)))
    sign_in_and_call(trial)
    contains(trial.run(f"{CALL} {DELETION}", fails=True), "403")
    assert trial.bed.has_topic(TOPIC)
    trial.lacks("step up", "the call fails; sign in again")
    trial.tick("read", "write", "delete")
    with trial.step("ask before a deletion"):
        contains(trial.run(f"{CALL} {DELETION}"), "ASKED Execute SQL?", "RESULT")
        assert not trial.bed.has_topic(TOPIC)
    sign_out_and_use_a_key(trial)
