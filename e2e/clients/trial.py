"""What one program is tried with: a home, a browser, a terminal, and the record of what worked."""

import contextlib
import os
import subprocess
import time
from pathlib import Path

from page import Section
from terminal import Terminal

HERE = Path(__file__).parent
STEPS = ("sign in", "list", "call", "step up", "ask before a deletion", "sign out", "API key")
# Each is documented by its program, or is a convention that several follow.
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "FASTMCP_CHECK_FOR_UPDATES": "off",
    "NO_UPDATE_NOTIFIER": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
}
# A topic of the stand-in HQ, and how it is deleted. The statement needs `delete`, its tool not.
TOPIC = "page_views"
DELETION = f"CALL execute_sql environment=development; sql=DROP TABLE {TOPIC};"


class Trial:
    """One program, one bed."""

    def __init__(self, heading, bed, model, target, directory):
        self.bed, self.model, self.target, self.directory = bed, model, target, directory
        self.oauth = Section(heading, bed.url)
        self.key = Section(heading, bed.key_url, bed.caller_token)
        self.record = {}
        commands = directory / "commands"
        commands.mkdir()
        for name in ("browser", "xdg-open", "open", "sensible-browser", "x-www-browser"):
            (commands / name).symlink_to(HERE / "browser")
        self.ticks = directory / "ticks"
        self.browsed = directory / "browser.log"
        self.environment = {
            "PATH": f"{commands}:{target}/node_modules/.bin:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "BROWSER": str(commands / "browser"),
            "BROWSER_TICKS": str(self.ticks),
            "BROWSER_LOG": str(self.browsed),
            **QUIET,
        }
        self.fresh_home("home")
        self.tick("read")

    def fresh_home(self, name):
        """A home in which the program was never started."""
        self.home = self.directory / name
        self.work = self.home / "work"
        self.work.mkdir(parents=True)
        # For `npx`: it takes the program from here and not from a registry.
        (self.work / "node_modules").symlink_to(self.target / "node_modules")
        self.environment.update(HOME=str(self.home), PWD=str(self.work))

    def tick(self, *scopes, then=None):
        """Says what the person ticks: `scopes`, and from the second time on `then`."""
        self.ticks.write_text("\n".join(" ".join(line) for line in (scopes, then) if line))

    def offered(self):
        """What HQ offered to tick the last time that the browser was opened."""
        lines = [
            line for line in self.browsed.read_text().splitlines() if line.startswith("offered")
        ]
        return lines[-1].split("ticked")[0].split()[1:]

    def sign_ins(self):
        """How often the person was asked for scopes."""
        return self.browsed.read_text().count("offered") if self.browsed.exists() else 0

    @contextlib.contextmanager
    def step(self, name, note=""):
        """Records that the step worked unless its block raises."""
        assert name in STEPS, name
        self.record[name] = "failed"
        yield
        self.record[name] = f"yes{note and f': {note}'}"

    def lacks(self, name, why):
        """Records what the program does not have."""
        self.record[name] = f"no: {why}"

    def run(self, command, seconds=90, fails=False, **variables):
        """Runs a line of shell as a script would, without a terminal, and gives what it wrote."""
        print(f"  $ {command}", flush=True)
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            env={**self.environment, **variables},
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
        )
        self._close_browser()
        output = done.stdout.decode(errors="replace")
        if (done.returncode != 0) != fails:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{output}")
        return output

    def _close_browser(self):
        """Waits for a browser that the program left behind: the next would get its answer."""
        deadline = time.monotonic() + 30
        while self.browsed.exists():
            log = self.browsed.read_text()
            if log.count("opened ") == log.count("ended\n"):
                return
            assert time.monotonic() < deadline, log
            time.sleep(0.1)

    def terminal(self, command, **variables):
        """Starts a line of shell in a terminal."""
        print(f"  $ {command}   (in a terminal)", flush=True)
        return Terminal(command, {**self.environment, **variables}, self.work)


def contains(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in:\n{text}"


def lacks(text, *parts):
    for part in parts:
        assert part not in text, f"{part!r} is in:\n{text}"
