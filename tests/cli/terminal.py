"""A terminal with `lf` in it: what a person types and sees."""

from __future__ import annotations

import codecs
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_S = 30.0
# Ctrl-C reaches a process only from the terminal that controls it.
IN_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
PROGRAM = "from llamafarm.cli import main; main()"
_STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


class Terminal:
    """Runs `lf` in a terminal of its own; a context manager that ends it."""

    def __init__(
        self, *arguments: str, folder: Path, columns: int = 120, program: str = PROGRAM, **environment: str
    ) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (40, columns))
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_TERMINAL + program, *arguments], stdin=slave, stdout=slave, stderr=slave, cwd=folder,
            start_new_session=True, env=os.environ | {"TERM": "xterm-256color"} | environment,
        )  # fmt: skip
        os.close(slave)
        self._data = b""
        self._at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    @property
    def seen(self) -> str:
        """Everything, as it came; but for a character of which only the beginning has come."""
        return codecs.getincrementaldecoder("utf-8")().decode(self._data)

    @property
    def text(self) -> str:
        """What was seen, without colours and movements."""
        return _STYLE.sub("", self.seen).replace("\r", "")

    def settings(self) -> list[object]:
        """How the terminal is set: whether it shows what is typed, and the like."""
        return list(termios.tcgetattr(self._master))

    def type(self, text: str) -> None:
        """Keys: a line with its end, or a control character."""
        os.write(self._master, text.encode())

    def wait_for(self, words: str, patience_s: float = PATIENCE_S) -> None:
        """Until `words` have come, after those that were waited for before."""
        end = time.monotonic() + patience_s
        while (found := self.text.find(words, self._at)) < 0:
            if not self._read(end - time.monotonic()):
                raise AssertionError(f"{words!r} never came; seen after the last: {self.text[self._at :]!r}")
        self._at = found + len(words)

    def press_until(self, key: str, words: str) -> None:
        """Press `key`, so that `words` come; and once more, should Python have missed the signal that `key` sends.

        It misses one that comes just before it begins to wait for keys, and takes it with the next one.
        """
        self.type(key)
        try:
            self.wait_for(words, PATIENCE_S / 3)
        except AssertionError:
            self.type(key)
            self.wait_for(words)

    def end(self) -> int:
        """The exit code, once the program has ended and everything is read."""
        end = time.monotonic() + PATIENCE_S
        while self._read(end - time.monotonic()):
            pass
        return self.process.wait(PATIENCE_S)

    def _read(self, patience_s: float) -> bool:
        """Whether something came within `patience_s` seconds; not at the end."""
        ready, _, _ = select.select([self._master], [], [], max(patience_s, 0.0))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux's word for the other end being closed
            return False
        self._data += data
        return bool(data)
