"""Detects answers that repeat one token until the server ends them. Pure.

Ollama does so after more than 30 equal tokens in a row, blanks aside (its log: token repeat limit reached): the stream
ends properly, and has no last record.
"""

from __future__ import annotations

from llamafarm.core.conditions import Caution

REPEATS = 10  # some of the tokens may stand in one record
CIRCLES = Caution(
    "repeated", "The model repeated one token again and again, so that the server ended the answer: it is cut there."
)


class Circles:
    """Counts how often the newest piece of an answer has come in a row."""

    def __init__(self) -> None:
        self._last, self._repeats = "", 0

    def feed(self, text: str) -> None:
        """Take the next piece."""
        text = text.strip()
        self._repeats = self._repeats + 1 if text == self._last else 0
        self._last = text

    @property
    def caution(self) -> Caution | None:
        """What to tell of an answer that ends here without a word; None where it goes round in no circle."""
        return CIRCLES if self._repeats >= REPEATS else None
