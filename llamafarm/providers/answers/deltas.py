"""Deltas: pieces of text are put together where they came together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from llamafarm.core.conditions import ModelNamed
from llamafarm.core.events import Event, HeldBack, ReasoningDelta, Reclassified, TextDelta
from llamafarm.providers.wire.held import Held
from llamafarm.providers.wire.thinking import Piece


class Arrived:
    """Collects what arrived at one instant, `at`: texts of one kind that follow each other are one delta.

    What a server sends in one go costs all that follows once, not once a token; nothing that is measured changes.
    """

    __slots__ = ("_events", "_kind", "_texts", "at")

    def __init__(self, at: float) -> None:
        self.at = at
        self._events: list[Event] = []
        self._kind: type[TextDelta | ReasoningDelta] = TextDelta
        self._texts: list[str] = []

    def text(self, text: str) -> None:
        """A piece of the answer came."""
        if self._kind is not TextDelta:
            self._close(TextDelta)
        self._texts.append(text)

    def reasoning(self, text: str) -> None:
        """A piece of reasoning came."""
        if self._kind is not ReasoningDelta:
            self._close(ReasoningDelta)
        self._texts.append(text)

    def pieces(self, pieces: Iterable[Piece], held: Held | None = None) -> bool:
        """Pieces of either, the first of which may begin with what was `held`; whether there are any."""
        told = False
        for piece in pieces:
            if piece.before:
                self.add(Reclassified(at=self.at))
            elif held is None or told:
                self._piece(piece.text, self.at, reasoning=piece.reasoning)
            else:
                for text, at in held.timed(piece.text, self.at):
                    self._piece(text, at, reasoning=piece.reasoning)
            told = True
        return told

    def _piece(self, text: str, at: float, *, reasoning: bool) -> None:
        if at != self.at:
            self.add((ReasoningDelta if reasoning else TextDelta)(at=at, text=text))
        else:
            (self.reasoning if reasoning else self.text)(text)

    def held(self) -> None:
        """Something came that is not shown, or not yet."""
        if not self._texts and all(isinstance(event, ModelNamed) for event in self._events):
            self._events.append(HeldBack(at=self.at))

    def add(self, event: Event) -> None:
        """Something else came."""
        self._close(self._kind)
        self._events.append(event)

    def events(self) -> list[Event]:
        """All of it, in order."""
        self._close(self._kind)
        return self._events

    def _close(self, then: type[TextDelta | ReasoningDelta]) -> None:
        if self._texts:
            self._events.append(self._kind(at=self.at, text="".join(self._texts)))
            self._texts = []
        self._kind = then


def arrived(at: float, fill: Callable[[Arrived], None]) -> Iterator[Event]:
    """The events that `fill` collects; where it raises, what came before is told first."""
    came = Arrived(at)
    try:
        fill(came)
    except Exception:
        yield from came.events()
        raise
    yield from came.events()
