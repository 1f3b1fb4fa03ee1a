"""CSV as RFC 4180 has it, with any delimiter, so that each record is told with its place, the broken ones too.

Python's csv module is not used: a limit on its cells is one for the whole process, and behind a record that it can't
read it goes on in the middle of a cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import TextIOWrapper

from llamafarm.experiments.prompt_file.text import LONGEST_TEXT

PIECE = 65_536  # letters that are read at once


@dataclass(frozen=True, slots=True)
class Record:
    """A record that begins in `line`. `wrong` says why it is none; it may then have been `rows` of them."""

    line: int
    cells: list[str]
    wrong: str = ""
    rows: int = 1


def pieces(text: TextIOWrapper) -> Iterator[str]:
    """The text line by line, long lines in parts; a part never ends between a quote and what follows it."""
    while piece := text.readline(PIECE):
        while piece[-1] == '"' and (more := text.readline(1)):
            piece += more
        yield piece


def records(parts: Iterable[str], delimiter: str | None, line: int = 1) -> Iterator[Record]:
    """All records; `line` is the number of the first line. Without a delimiter each line is one cell.

    A quote that stands alone in a quoted cell does not end it: the record is wrong as a whole, to its last line.
    """
    scanner, last = _Scanner(delimiter, line), line
    for part in parts:
        ended, last = scanner.take(part, line), line
        line += part[-1] in "\r\n"
        if ended:
            yield scanner.record(last)
            scanner = _Scanner(delimiter, line)
    if scanner.begun:
        yield scanner.record(last)


@dataclass(slots=True)
class _Scanner:
    """Reads one record, piece by piece; `line` is where it begins."""

    delimiter: str | None
    line: int
    begun: bool = False
    _ended: bool = False
    _fresh: bool = True  # a cell begins here
    _opened: int = 0  # the line of the quote that is open; 0: none is
    _cells: list[str] = field(default_factory=list)
    _cell: list[str] = field(default_factory=list)
    _size: int = 0
    _long: bool = False
    _alone: int = 0  # the line of a quote that stands alone in a quoted cell

    def take(self, part: str, line: int) -> bool:
        """Take the next piece; whether the record has ended."""
        body = len(part) - (2 if part.endswith("\r\n") else part[-1] in "\r\n")
        if not self.begun and '"' not in part and body < len(part):
            self._cells = part[:body].split(self.delimiter) if self.delimiter else [part[:body]]
            self._ended = self.begun = True
        self.begun = True
        at = 0
        while at < len(part) and not self._ended:
            at = self._inside(part, at, line) if self._opened else self._outside(part, at, body, line)
        return self._ended

    def _outside(self, part: str, at: int, body: int, line: int) -> int:
        if self._fresh and part.startswith('"', at):
            self._opened, self._fresh = line, False
            return at + 1
        end = part.find(self.delimiter, at, body) if self.delimiter else -1
        if end >= 0:
            self._keep(part[at:end])
            self._end_cell()
            return end + 1
        self._keep(part[at:body])
        self._fresh = False
        if body < len(part):
            self._end_cell()
            self._ended = True
        return len(part)

    def _inside(self, part: str, at: int, line: int) -> int:
        """In a quoted cell: two quotes are one, and one before a delimiter or a line end ends it."""
        close = part.find('"', at)
        if close < 0:
            self._keep(part[at:])
            return len(part)
        self._keep(part[at:close])
        after = part[close + 1 : close + 2]
        if after == '"':
            self._keep('"')
            return close + 2
        if after in ("", "\r", "\n") or after == self.delimiter:
            self._end_cell()
            self._ended = after != self.delimiter
            return close + 2
        self._alone = self._alone or line
        self._keep('"')
        return close + 1

    def _keep(self, text: str) -> None:
        self._size += len(text)
        self._long = self._long or self._size > LONGEST_TEXT
        if not self._long:
            self._cell.append(text)

    def _end_cell(self) -> None:
        self._cells.append("".join(self._cell))
        self._cell.clear()
        self._size, self._opened, self._fresh = 0, 0, True

    def record(self, last: int) -> Record:
        """The record, which goes to the line `last`."""
        opened = self._opened
        if not self._ended:
            self._end_cell()
        if opened:
            after = last - opened
            rest = f", so that all behind it, to line {last:,}, is inside of it" if after else ""
            return Record(self.line, [], f"the quote that opens in line {opened:,} is never closed{rest}", 1 + after)
        place = f"lines {self.line:,} to {last:,} are one row, and " if last > self.line else ""
        if self._alone:
            where = f"in line {self._alone:,} " if last > self.line else ""
            why = f'{place}{where}a quote stands alone in a quoted cell: write two ("")'
            return Record(self.line, [], why)
        if self._long:
            return Record(self.line, [], f"{place}a cell is longer than {LONGEST_TEXT:,} letters")
        return Record(self.line, self._cells)
