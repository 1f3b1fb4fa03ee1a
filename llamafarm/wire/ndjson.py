"""Newline-delimited JSON: lines to records, empty lines left out."""

from __future__ import annotations

from collections.abc import Iterator

from llamafarm.wire.lines import Lines


class Records:
    """Decodes a stream of bytes into the texts of its records."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The records that `chunk` completes."""
        return (line for line in self._lines.feed(chunk) if line.strip())

    def end(self) -> Iterator[str]:
        """The last record, where the bytes ended without a line's end."""
        return (line for line in self._lines.end() if line.strip())
