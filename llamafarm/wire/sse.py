"""Server-sent events: lines to the data of each event.

Follows the event stream format of the HTML standard (section 9.2): comments, `data:` with and without a
space, data over several lines, a byte order mark at the start. `id` and `retry` mean nothing here.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from llamafarm.wire.lines import MAX_LINE, Lines, too_long

BETWEEN = b"\n\n"
DATA = "data:"


class ServerEvent(NamedTuple):
    """One event: its type (`message` where none is given) and its data."""

    type: str
    data: str


class EventStream:
    """Decodes a stream of bytes into events. One of more than 16 MiB raises BadAnswer."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._data: list[str] = []
        self._type = ""
        self._held = 0
        self._at_start = True

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that `chunk` completes."""
        marked = self._at_start and chunk.startswith(BOM_UTF8)
        if marked or self._data or self._type or not self._lines.whole(chunk, BETWEEN):
            yield from self._line_by_line(self._lines.feed(chunk))
            return
        # What servers send most: whole events of one line each.
        self._at_start = False
        for block in chunk.decode("utf-8", "replace").split("\n\n"):
            if block.startswith(DATA) and "\n" not in block:
                yield ServerEvent("message", block[len(DATA) :].removeprefix(" "))
            elif block:
                yield from self._line_by_line((*block.split("\n"), ""))

    def _line_by_line(self, lines: Iterable[str]) -> Iterator[ServerEvent]:
        for line in lines:
            told = self._line(line)
            if told is not None:
                yield told

    def end(self) -> Iterator[ServerEvent]:
        """What stands unfinished at the end of the bytes.

        The standard drops an event without its blank line; servers that leave out the last one are
        common, and dropping it would lose text.
        """
        yield from self._line_by_line((*self._lines.end(), ""))

    def _line(self, line: str) -> ServerEvent | None:
        """The event that `line` completes, where it is an empty one with data before it."""
        if self._at_start:
            self._at_start = False
            line = line.removeprefix("\ufeff")
        if not line:
            told = ServerEvent(self._type or "message", "\n".join(self._data)) if self._data else None
            self._data, self._type, self._held = [], "", 0
            return told
        name, _, value = line.partition(":")
        if name == "data":
            self._data.append(value.removeprefix(" "))
            self._held += len(line)
            if self._held > MAX_LINE:
                raise too_long("an event")
        elif name == "event":
            self._type = value.removeprefix(" ")
        return None
