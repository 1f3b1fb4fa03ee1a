"""`<think>…</think>` at the start of an answer: reasoning that a server did not tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from llamafarm.wire.tags import overlap

OPEN, CLOSE = "<think>", "</think>"


class Piece(NamedTuple):
    """A piece of the answer, and whether it is reasoning."""

    text: str
    reasoning: bool


class Thinking:
    """Tells reasoning from answer in a stream of text, however the tags are split.

    Only a tag at the very start (after white space) counts: one in the middle is the answer's own text. `over` says
    whether all that comes from now on is answer.
    """

    def __init__(self) -> None:
        self.over = False
        self._state: Literal["start", "reasoning", "gap"] = "start"
        self._blank: list[str] = []
        self._held = ""

    def feed(self, text: str) -> Iterator[Piece]:
        """The pieces that are decided once `text` has come."""
        if self.over:
            if text:
                yield Piece(text, reasoning=False)
            return
        self._held += text
        if self._state == "start":
            self._start()
        if self._state == "reasoning":
            yield from self._reason()
        if self._state == "gap":
            self._held = self._held.lstrip()
            self.over = bool(self._held)
        if self.over:
            yield from self._release(reasoning=False)

    def end(self) -> Iterator[Piece]:
        """What was held back at the end of the stream."""
        yield from self._release(reasoning=self._state == "reasoning")

    def _start(self) -> None:
        opening = self._held.lstrip()
        self._blank.append(self._held[: len(self._held) - len(opening)])
        self._held = opening
        if opening.startswith(OPEN):
            self._state, self._held = "reasoning", opening[len(OPEN) :]
            self._blank = []
        else:
            self.over = not OPEN.startswith(opening)

    def _reason(self) -> Iterator[Piece]:
        reasoning, closed, rest = self._held.partition(CLOSE)
        if closed:
            self._state, self._held = "gap", rest
            if reasoning:
                yield Piece(reasoning, reasoning=True)
            return
        keep = overlap(self._held, CLOSE)
        ready = self._held[: len(self._held) - keep]
        self._held = self._held[len(ready) :]
        if ready:
            yield Piece(ready, reasoning=True)

    def _release(self, *, reasoning: bool) -> Iterator[Piece]:
        held = "".join([*self._blank, self._held])
        self._blank, self._held = [], ""
        if held:
            yield Piece(held, reasoning=reasoning)
