"""The stand-in HQ and two servers as processes on loopback: with OAuth, and with an API key."""

import contextlib
import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request

START_SECONDS = 20


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def status(url, token=None):
    """The status of a GET, or None if nobody answers."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=10
        ) as reply:
            return reply.status
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return None


class Bed:
    """HQ and two servers of its own for one program, so that no program sees what another did."""

    def __init__(self, hq, server, logs):
        self.hq_program, self.server_program, self.logs = hq, server, logs
        self.key, self.caller_token = (secrets.token_hex(16) for _ in range(2))
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        with self.stack:
            self.hq = f"http://127.0.0.1:{free_port()}"
            listen = self.hq.removeprefix("http://")
            self._start(
                "hq",
                [self.hq_program, "--listen", listen, "--service-account-token", self.key],
                {},
            )
            self._await(f"{self.hq}/.well-known/oauth-authorization-server")
            self.url, admin = self._serve("oauth", {"OAUTH_ENABLED": "true"})
            key = {"LENSES_API_KEY": self.key, "MCP_CALLER_TOKEN": self.caller_token}
            self.key_url, key_admin = self._serve("api-key", {"TRANSPORT": "http", **key})
            self.admins = (admin, key_admin)
            self.stack = self.stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def _serve(self, name, variables):
        port, admin = free_port(), free_port()
        base = f"http://127.0.0.1:{port}"
        self._start(
            name,
            [self.server_program],
            {
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "ADMIN_HOST": "127.0.0.1",
                "ADMIN_PORT": str(admin),
                "LENSES_URL": self.hq,
                "MCP_ADVERTISED_URL": base,
                **variables,
            },
        )
        self._await(f"http://127.0.0.1:{admin}/readyz")
        return f"{base}/mcp", f"http://127.0.0.1:{admin}"

    def _start(self, name, command, variables):
        log = self.stack.enter_context(open(self.logs / f"{name}.log", "wb"))
        environment = {"PATH": os.environ["PATH"], **variables}
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.terminate)

    def _await(self, url):
        deadline = time.monotonic() + START_SECONDS
        while status(url) != 200:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{url} did not answer within {START_SECONDS} s; see {self.logs}"
                )
            time.sleep(0.05)

    def has_topic(self, topic):
        """Whether HQ has the topic, as its own service account sees it."""
        at = f"{self.hq}/api/v1/environments/development/proxy/api/topics/{topic}"
        found = status(at, self.key)
        if found not in (200, 404):
            raise RuntimeError(f"{at} answered {found}")
        return found == 200

    def revisions(self):
        """The MCP revisions that were spoken to the servers, as they count them."""
        lines = []
        for admin in self.admins:
            with urllib.request.urlopen(f"{admin}/metrics", timeout=10) as reply:
                lines += reply.read().decode().splitlines()
        counts = [
            line
            for line in lines
            if line.startswith("mcp_server_operation_duration_seconds_count")
        ]
        parts = [
            line.split('mcp_protocol_version="')[1].split('"')[0]
            for line in counts
            if "mcp_protocol_version" in line
        ]
        return sorted(set(parts))
