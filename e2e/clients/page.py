"""The commands and files of docs/clients.md, as they stand there but for the URL and the token."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
URL = "https://mcp.example.com/mcp"
TOKEN = "YOUR_TOKEN"


class Section:
    """What stands under one heading."""

    def __init__(self, heading, url, token=TOKEN):
        parts = re.split(r"^#{2,3} ", PAGE.read_text(), flags=re.MULTILINE)
        found = [part for part in parts if part.splitlines()[0] == heading]
        if len(found) != 1:
            raise LookupError(f"{PAGE} has {len(found)} sections {heading!r}")
        text = found[0]
        fenced = re.findall(r"^```(\w+)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
        self.blocks = [(kind, self._filled(block, url, token)) for kind, block in fenced]
        text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        self.spans = [self._filled(span, url, token) for span in re.findall(r"`([^`]+)`", text)]
        self.heading = heading

    @staticmethod
    def _filled(text, url, token):
        return text.replace(URL, url).replace(TOKEN, token)

    def block(self, kind, number=0):
        """A file, whole."""
        return [block for found, block in self.blocks if found == kind][number]

    def command(self, *parts):
        """The first line or code span that holds all of `parts`."""
        lines = [
            line for kind, block in self.blocks if kind == "sh" for line in block.splitlines()
        ]
        for line in lines + self.spans:
            if all(part in line for part in parts):
                return line
        raise LookupError(f"{PAGE}, {self.heading}: nothing says {' … '.join(parts)}")
