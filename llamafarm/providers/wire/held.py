"""Text that is held back until more of it shows what it is: once it is told, its beginning has the instant at which
it came, so that a TTFT is that of the first letter and not of the piece that decided.
"""

from __future__ import annotations

from collections.abc import Iterator


class Held:
    """The beginning of what is held back now, and when that came."""

    __slots__ = ("_at", "_text")

    def __init__(self) -> None:
        self._text = ""
        self._at = 0.0

    def timed(self, told: str, at: float) -> Iterator[tuple[str, float]]:
        """The parts of `told`, the first text that is told after something was held, each with its instant.

        What came now came `at`. Where `told` does not begin with what was held, that was no text of its own.
        """
        early = self._text if self._text and told.startswith(self._text) else ""
        if early:
            yield early, self._at
        if len(told) > len(early):
            yield told[len(early) :], at

    def keep(self, text: str, at: float, *, more: bool) -> None:
        """`text` is held from now on; with `more` what was held before is its beginning. White space is not visible."""
        if not (more and self._text):
            self._text, self._at = "" if text.isspace() else text, at
