"""Bytes to the records of an answer, in whichever of the forms that servers use.

Server-sent events follow the HTML standard (section 9.2): comments, `data:` with and without a space, data over several
lines, a byte order mark at the start; `id` and `retry` mean nothing here. Beside them, or instead, JSON may stand
without `data:`: a record a line, one after the other, in an array, or printed over many lines.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from llamafarm.providers.wire.lines import MAX_LINE, Lines, too_long
from llamafarm.providers.wire.objects import Objects, is_line, is_whole

BETWEEN = b"\n\n"
DATA = "data:"
FIELD = b"data:"
LONGEST_USUAL = 64 * 1024  # characters of a line
FIELDS = ("data", "event", "id", "retry", "")
DONE = "[DONE]"
LONGEST_STRAY = 4096  # characters of what is no record


class Record(NamedTuple):
    """One record: the type of its event (`message` where none is given) and its text."""

    type: str
    data: str


class Records:
    """Decodes a stream of bytes into records. One of more than 16 MiB raises BadAnswer.

    `stray` is the beginning of what is neither an event nor JSON, such as a page of HTML.
    """

    def __init__(self) -> None:
        self.stray = ""
        self._lines = Lines()
        self._data: list[str] = []
        self._type = ""
        self._held = 0
        self._at_start = True
        self._bare = Objects()

    def feed(self, chunk: bytes) -> Iterable[Record]:
        """The records that `chunk` completes."""
        usual = self._usual(chunk)
        return self._any(chunk) if usual is None else usual

    def _usual(self, chunk: bytes) -> list[Record] | None:
        """The records of a chunk of whole events of one line each, as most are; None where it takes a closer look."""
        if not chunk.startswith(FIELD) or not chunk.endswith(BETWEEN) or not self._fresh(chunk):
            return None
        blocks = chunk[: -len(BETWEEN)].decode("utf-8", "replace").split("\n\n")
        records = [
            Record("message", block[len(DATA) :].removeprefix(" "))
            for block in blocks
            if block.startswith(DATA) and "\n" not in block
        ]
        if len(records) != len(blocks):
            return None
        self._at_start = False
        return records

    def _any(self, chunk: bytes) -> Iterator[Record]:
        first = 0 if self._fresh(chunk) else chunk.find(BETWEEN) + len(BETWEEN)
        if first >= len(BETWEEN) and b"\r" not in chunk:  # the rest of an event that the chunks before began
            yield from self._line_by_line(self._lines.feed(chunk[:first]))
            chunk = chunk[first:]
        if not self._fresh(chunk):
            yield from self._line_by_line(self._lines.feed(chunk))
            return
        last = chunk.rfind(BETWEEN) + len(BETWEEN)
        if last >= len(BETWEEN):
            yield from self._blocks(chunk[:last])
            yield from self._line_by_line(self._lines.feed(chunk[last:]))
        elif chunk.endswith(b"\n") and not chunk.startswith(FIELD):
            yield from self._bare_lines(chunk[:-1])
        else:
            yield from self._line_by_line(self._lines.feed(chunk))

    def _fresh(self, chunk: bytes) -> bool:
        """Whether `chunk` begins where an event may begin, and has no other ends of lines than LF."""
        marked = self._at_start and chunk.startswith(BOM_UTF8[:1])
        return not (marked or self._data or self._type or self._bare.open) and self._lines.fresh(chunk)

    def _blocks(self, chunk: bytes) -> Iterator[Record]:
        """The records of whole events, most of them of one line: what servers send most."""
        self._at_start = False
        for block in chunk.decode("utf-8", "replace").split("\n\n"):
            if block.startswith(DATA) and "\n" not in block and not self._bare.open:
                yield Record("message", block[len(DATA) :].removeprefix(" "))
            elif block:
                yield from self._line_by_line((*block.split("\n"), ""))

    def _bare_lines(self, chunk: bytes) -> Iterator[Record]:
        """The records of whole lines, most of them one object each."""
        self._at_start = False
        for line in chunk.decode("utf-8", "replace").split("\n"):
            if is_line(line) and not self._data and not self._type and not self._bare.open:
                yield Record("message", line)
            else:
                yield from self._line_by_line((line,))

    def _line_by_line(self, lines: Iterable[str]) -> Iterator[Record]:
        for line in lines:
            if self._at_start or self._bare.open or not (self._data if not line else self._begins(line)):
                yield from self._line(line)
            elif line:
                self._data.append(line[len(DATA) :].removeprefix(" "))
                self._held = len(line)
            else:
                yield from self._event()

    def _begins(self, line: str) -> bool:
        """Whether `line` is the first with data of its event, as most are, and of a usual length."""
        return not self._data and line.startswith(DATA) and len(line) < LONGEST_USUAL

    def end(self) -> Iterator[Record]:
        """What stands unfinished at the end of the bytes.

        The standard drops an event without its blank line; servers that leave out the last one are
        common, and dropping it would lose text.
        """
        yield from self._line_by_line((*self._lines.end(), ""))
        if unfinished := self._bare.take():
            yield Record("message", unfinished)

    def _line(self, line: str) -> Iterator[Record]:
        """The records that `line` completes."""
        if self._at_start:
            self._at_start = False
            line = line.removeprefix("\ufeff")
        name, _, value = line.partition(":")
        if name not in FIELDS or (self._bare.open and not line):
            yield from self._beside(line)
            return
        self._strayed(self._bare.take())
        if name == "data":
            yield from self._datum(value.removeprefix(" "), len(line))
        elif name == "event":
            self._type = value.removeprefix(" ")
        elif not line:
            yield from self._event()

    def _event(self) -> Iterator[Record]:
        """The event that a blank line ends, where it has data."""
        told = Record(self._type or "message", "\n".join(self._data)) if self._data else None
        self._data, self._type, self._held = [], "", 0
        if told is not None:
            yield told

    def _datum(self, value: str, size: int) -> Iterator[Record]:
        """One line of data; where the one before is whole by itself, only the blank line between them is missing."""
        if self._data and value.startswith(("{", DONE)) and is_whole("\n".join(self._data)):
            yield from self._event()
        self._data.append(value)
        self._held += size
        if self._held > MAX_LINE:
            raise too_long("an event")

    def _beside(self, line: str) -> Iterator[Record]:
        """What a line that is no event's gives."""
        if line.strip() == DONE:
            yield Record("message", DONE)
        elif self._bare.open or line.lstrip().startswith(("{", "[", "]", ",")):
            for text in self._bare.feed(line):
                yield Record(self._type or "message", text)
        else:
            self._strayed(line)

    def _strayed(self, text: str) -> None:
        if text and len(self.stray) < LONGEST_STRAY:
            self.stray = f"{self.stray}{text}\n"[:LONGEST_STRAY]
