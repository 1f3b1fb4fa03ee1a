"""Bytes to lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from llamafarm.errors import BadAnswer

MAX_LINE = 16 * 1024 * 1024


class Lines:
    """Splits a stream of bytes into lines, without their ends.

    A line ends on LF, CRLF or a lone CR, and on nothing else: text methods that split lines would also
    break at U+2028, which JSON may hold raw. Bytes that are not UTF-8 become U+FFFD: one bad byte does not
    end an answer. A line of more than 16 MiB raises BadAnswer.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0
        self._after_cr = False

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that `chunk` completes."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *rest = chunk.split(b"\n")
        self._hold(first)
        for part in rest:
            yield self._take()
            self._hold(part)

    def end(self) -> Iterator[str]:
        """The last line, where the bytes ended without a line's end."""
        if self._held:
            yield self._take()

    def _hold(self, part: bytes) -> None:
        if part:
            self._pieces.append(part)
            self._held += len(part)
            if self._held > MAX_LINE:
                raise BadAnswer(
                    f"The server sent a line of more than {MAX_LINE // 1024 // 1024} MiB.",
                    hint="Look at what answers at this address.",
                )

    def _take(self) -> str:
        line = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._held = [], 0
        return line.decode("utf-8", "replace")
