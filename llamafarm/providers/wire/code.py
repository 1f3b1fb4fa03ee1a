"""Follows code spans and fences in streamed Markdown, in which marks are plain text."""

from __future__ import annotations

from typing import NamedTuple

FENCE = 3  # backticks or tildes at least, at the start of a line


class _Run(NamedTuple):
    """Backticks or tildes in a row, which may go on."""

    mark: str
    size: int
    at_start: bool


class Code:
    """Knows whether a text stands within a fenced block or a span of code (CommonMark 0.31, sections 4.5 and 6.1)."""

    def __init__(self) -> None:
        self._fence: tuple[str, int] | None = None
        self._span = 0
        self._run: _Run | None = None
        self._at_start = self._blank = True

    @property
    def steady(self) -> bool:
        """Whether words change nothing."""
        return not self._at_start and self._run is None

    def take(self, piece: str) -> None:
        """Take the next piece: a line's end, marks of one kind in a row, or anything else."""
        mark = piece[0]
        if mark in "`~":
            if self._run is not None and self._run.mark == mark:
                self._run = self._run._replace(size=self._run.size + len(piece))
                return
            self._settle()
            self._run = _Run(mark, len(piece), self._at_start)
            return
        self._settle()
        if mark == "\n":
            if self._blank:
                self._span = 0  # no span goes beyond its paragraph
            self._at_start = self._blank = True
        elif piece.strip():
            self._at_start = self._blank = False

    @property
    def inside(self) -> bool:
        """Whether what comes now is code; a span is not believed at the start of a line."""
        self._settle()
        return self._fence is not None or (self._span > 0 and not self._at_start)

    def _settle(self) -> None:
        if self._run is None:
            return
        mark, size, at_start = self._run
        self._run = None
        self._at_start = self._blank = False
        if at_start and size >= FENCE:
            if self._fence is None:
                self._fence = (mark, size)
            elif self._fence[0] == mark and size >= self._fence[1]:
                self._fence = None
        elif mark == "`" and self._fence is None and self._span in (0, size):
            self._span = size - self._span
