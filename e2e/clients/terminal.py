"""A program in a terminal, and the screen that a person would see."""

import re
import time

import pexpect
import pyte

ROWS, COLUMNS = 60, 160
KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "tab": "\t",
    "space": " ",
}


# The keyboard protocol of newer terminals, which pyte shows as text.
KEYBOARD = re.compile(r"\x1b\[[<>=?][\d;]*u")


class Screen(pyte.Screen):
    """pyte's own takes the sequences that set a terminal's modes (`CSI > … m`) for colours."""

    def select_graphic_rendition(self, *attributes, private=False):
        if not private:
            super().select_graphic_rendition(*attributes)


class Terminal:
    """Ends the program when it is left."""

    def __init__(self, command, environment, directory):
        self.screen = Screen(COLUMNS, ROWS)
        self.stream = pyte.Stream(self.screen)
        self.program = pexpect.spawn(
            "/bin/sh",
            ["-c", f"exec {command}"],
            env={**environment, "TERM": "xterm-256color"},
            cwd=directory,
            dimensions=(ROWS, COLUMNS),
            encoding="utf-8",
            codec_errors="replace",
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.close(force=True)

    def text(self):
        """The screen, blanks at the ends of lines cut off."""
        return "\n".join(line.rstrip() for line in self.screen.display).strip()

    def _read(self, seconds):
        try:
            output = self.program.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        # What asks the terminal where its cursor is or what it can do waits for an answer.
        if "\x1b[6n" in output:
            self.program.send("\x1b[1;1R")
        if "\x1b[c" in output:
            self.program.send("\x1b[?62c")
        self.stream.feed(KEYBOARD.sub("", output))
        return True

    def see(self, *texts, seconds=40):
        """Waits until the screen shows one of `texts`, and tells which."""
        deadline = time.monotonic() + seconds
        running = True
        while True:
            screen = self.text()
            for text in texts:
                if text in screen:
                    return text
            if not running or time.monotonic() > deadline:
                raise AssertionError(f"the screen does not show {' or '.join(texts)}:\n{screen}")
            running = self._read(0.2)

    def end(self, seconds=60):
        """Waits until the program has ended, and gives its screen."""
        deadline = time.monotonic() + seconds
        while self._read(0.2):
            if time.monotonic() > deadline:
                raise AssertionError(f"did not end within {seconds} s:\n{self.text()}")
        self.program.close()
        if self.program.exitstatus != 0:
            raise AssertionError(f"ended with {self.program.exitstatus}:\n{self.text()}")
        return self.text()

    def settle(self):
        """Waits until nothing is written for half a second: then the program waits for a person."""
        before = None
        while before != (before := self.text()):
            deadline = time.monotonic() + 0.5
            while time.monotonic() < deadline:
                self._read(0.1)

    def type(self, text):
        self.program.send(text)

    def say(self, text):
        """Types a line and sends it. Typed at once, the Enter would be part of a paste."""
        self.settle()
        self.type(text)
        self.settle()
        self.press("enter")

    def press(self, *keys):
        for key in keys:
            self.program.send(KEYS[key])
            self.settle()
