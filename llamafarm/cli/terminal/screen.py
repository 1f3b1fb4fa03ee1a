"""Where an answer and the notes about it go: the answer to standard output alone, all else to standard error."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from llamafarm.cli.terminal.streams import Cleaner, beneath
from llamafarm.core.characters import for_terminal, one_line

DIM, RED, YELLOW = "2", "31", "33"
ERASE = "\r\x1b[2K"


class Screen:
    """Writes the answer as the model said it; on a terminal, and all else anywhere, without what would steer one.

    A pipe gets UTF-8 whatever the locale. Notes are dim or coloured on a terminal alone, and never where NO_COLOR
    is set. Writing blocks where the reader is slow: call it from a thread beside an event loop.
    """

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = beneath(sys.stdout if out is None else out)
        self._err = beneath(sys.stderr if err is None else err)
        self._clean, self._clean_err = Cleaner(), Cleaner()
        self.shown = self._out.isatty()
        self._noted = self._err.isatty()
        self._rich = self._noted and os.environ.get("TERM") != "dumb"
        self._colours = self._rich and not os.environ.get("NO_COLOR")
        self._open_out = self._open_err = False  # whether a line has been begun there
        self._status = False

    def answer(self, text: str) -> None:
        """A piece of the answer. Raises BrokenPipeError where nobody reads any more."""
        if not text:
            return
        self._clear(out=True)
        encoding = (self._out.encoding or "utf-8") if self.shown else "utf-8"
        data = (self._clean(text) if self.shown else text).encode(encoding, "replace")
        self._out.buffer.write(data)
        self._out.buffer.flush()
        self._open_out = not text.endswith("\n")

    def paragraph(self) -> None:
        """The answer goes on in a new paragraph; on a terminal a note may have ended the line before."""
        self.answer("\n" if self.shown and not self._open_out else "\n\n")

    def end(self) -> None:
        """The answer is over: its last line is ended, where it did not end it itself."""
        if self._open_out:
            self.answer("\n")

    def reasoning(self, text: str) -> None:
        """A piece of the model's reasoning."""
        if not text:
            return
        self._clear(err=True)
        self._say(self._styled(self._clean_err(text), DIM))
        self._open_err = not text.endswith("\n")

    def summary(self, text: str) -> None:
        """The line that sums up: apart from the answer where both are seen."""
        self._clear()
        self.note(f"\n{text}" if self.shown and self._rich else text)

    def note(self, text: str, style: str = DIM) -> None:
        """A line about the answer."""
        self._clear()
        self._say(self._styled(for_terminal(text), style) + "\n")

    def next_line(self) -> None:
        """A new line on a terminal: what was typed there did not end its own."""
        if self._rich:
            self._say("\n")

    def status(self, text: str) -> None:
        """What is going on while nothing comes: a line that vanishes, on a terminal alone."""
        if self._rich and not self._open_err and not (self._open_out and self.shown):
            columns = shutil.get_terminal_size().columns
            self._say(ERASE + self._styled(for_terminal(one_line(text))[: columns - 1], DIM))
            self._status = True

    def _clear(self, *, out: bool = False, err: bool = False) -> None:
        """Take the status away, and begin a new line unless the line that is open there goes on."""
        if self._status:
            self._say(ERASE)
            self._status = False
        if self._open_err and not err:
            self._say("\n\n" if self.shown and self._rich else "\n")
            self._open_err = False
        if self._open_out and self.shown and not out:
            self._say("\n")
            self._open_out = False

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._colours and text else text

    def _say(self, text: str) -> None:
        self._err.write(text)
        self._err.flush()


def close_output() -> None:
    """Standard output takes nothing more: what is left in its buffer goes nowhere, so that Python ends in silence."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
