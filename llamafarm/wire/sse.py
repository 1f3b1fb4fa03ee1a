"""Server-sent events: lines to the data of each event.

Follows the event stream format of the HTML standard (section 9.2): comments, `data:` with and without a
space, data over several lines, a byte order mark at the start. `id` and `retry` mean nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llamafarm.wire.lines import Lines


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its type (`message` where none is given) and its data."""

    type: str
    data: str


class EventStream:
    """Decodes a stream of bytes into events."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._data: list[str] = []
        self._type = ""
        self._at_start = True

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that `chunk` completes."""
        for line in self._lines.feed(chunk):
            yield from self._line(line)

    def end(self) -> Iterator[ServerEvent]:
        """What stands unfinished at the end of the bytes.

        The standard drops an event without its blank line; servers that leave out the last one are
        common, and dropping it would lose text.
        """
        for line in self._lines.end():
            yield from self._line(line)
        yield from self._line("")

    def _line(self, line: str) -> Iterator[ServerEvent]:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix("\ufeff")
        if not line:
            if self._data:
                yield ServerEvent(self._type or "message", "\n".join(self._data))
            self._data, self._type = [], ""
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
