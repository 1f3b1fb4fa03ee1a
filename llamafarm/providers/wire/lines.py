"""Bytes to lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from llamafarm.core.errors import BadAnswer

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

    def fresh(self, chunk: bytes) -> bool:
        """Whether `chunk` begins where a line begins, and has no other ends of lines than LF."""
        return not self._held and not self._after_cr and len(chunk) <= MAX_LINE and b"\r" not in chunk

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that `chunk` completes."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._held + len(chunk) > MAX_LINE:
            yield from self._one_by_one(chunk)
            return
        complete, newline, rest = chunk.rpartition(b"\n")
        if newline:
            self._hold(complete)
            yield from self._take().split("\n")
        self._hold(rest)

    def end(self) -> Iterator[str]:
        """The last line, where the bytes ended without a line's end."""
        if self._held:
            yield self._take()

    def _one_by_one(self, chunk: bytes) -> Iterator[str]:
        """The same, where a line may be too long."""
        first, *rest = chunk.split(b"\n")
        self._hold(first)
        for part in rest:
            yield self._take()
            self._hold(part)

    def _hold(self, part: bytes) -> None:
        if part:
            self._pieces.append(part)
            self._held += len(part)
            if self._held > MAX_LINE:
                raise too_long("a line")

    def _take(self) -> str:
        text = b"".join(self._pieces).decode("utf-8", "replace")
        self._pieces, self._held = [], 0
        return text


def too_long(what: str) -> BadAnswer:
    """The error for a part of an answer that is longer than any real one."""
    return BadAnswer(
        f"The server sent {what} of more than {MAX_LINE // 1024 // 1024} MiB.",
        hint="Look at what answers at this address.",
    )
