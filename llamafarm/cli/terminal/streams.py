"""Standard output and error as everything prints to them: without what would steer the terminal.

What is written for people, and JSON, is cleaned wherever it goes: a pipe may end in a terminal, and a log is read in
one. JSON stays the same JSON. Data, which is what goes to `.buffer` (the answer of `lf chat`, exports, reports), keeps
every character in a pipe or a file, and is cleaned on a terminal alone.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, TextIO, cast

from llamafarm.core.characters import for_terminal


class Cleaner:
    """Cleans a text that comes in pieces: a carriage return waits for what follows it."""

    def __init__(self) -> None:
        self._held = ""

    def __call__(self, text: str) -> str:
        """The next piece, cleaned."""
        text, self._held = self._held + text, ""
        if text.endswith("\r"):
            text, self._held = text[:-1], "\r"
        return for_terminal(text)


class CleanBytes:
    """A terminal's binary stream: UTF-8 is decoded, cleaned and written, wherever it is cut."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._clean = Cleaner()

    def write(self, data: bytes) -> int:
        """Write `data`; gives its length."""
        self._stream.write(self._clean(self._decode.decode(data)))
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class CleanStream:
    """A text stream around `stream` that cleans what it is given; in all else it is that stream."""

    encoding = "utf-8"  # Typer goes around a stream that tells it has ASCII; the one beneath replaces what it lacks

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.buffer = CleanBytes(stream) if stream.isatty() else getattr(stream, "buffer", None)
        self._clean = Cleaner()

    def write(self, text: str) -> int:
        """Write `text`; gives its length."""
        if not isinstance(text, str):
            raise TypeError(f"text is written here, not {type(text).__name__}")
        self.stream.write(self._clean(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def beneath(stream: TextIO) -> TextIO:
    """The stream that a clean one writes to: for those that clean themselves, and steer the terminal on purpose."""
    return stream.stream if isinstance(stream, CleanStream) else stream


def data_out() -> IO[bytes]:
    """Standard output for data."""
    return cast("IO[bytes]", sys.stdout.buffer)


@contextmanager
def clean_streams() -> Iterator[None]:
    """Within, everything that prints, whoever it is, prints clean."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", CleanStream(beneath(stream))) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
