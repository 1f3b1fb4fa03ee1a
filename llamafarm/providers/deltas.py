"""Deltas: made of pieces of text, and put together where they came together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from llamafarm.events import DELTAS, Event, ReasoningDelta, TextDelta
from llamafarm.wire.thinking import Piece


def deltas(pieces: Iterable[Piece], at: float) -> Iterator[Event]:
    """The event of each piece, which arrived at `at`."""
    for piece in pieces:
        yield ReasoningDelta(at=at, text=piece.text) if piece.reasoning else TextDelta(at=at, text=piece.text)


def joined(events: Iterable[Event]) -> Iterator[Event]:
    """The same events, but deltas of one kind that follow each other and arrived at one instant made one.

    What a server sends in one go costs all that follows once, not once a token; nothing that is measured
    changes. Where `events` raises, what came before is told first.
    """
    alike: list[Event] = []
    try:
        for event in events:
            if alike and not (type(event) is type(alike[0]) and event.at == alike[0].at and isinstance(event, DELTAS)):
                yield _one(alike)
                alike = []
            alike.append(event)
    except Exception:
        if alike:
            yield _one(alike)
        raise
    if alike:
        yield _one(alike)


def _one(alike: list[Event]) -> Event:
    first = alike[0]
    if len(alike) == 1 or not isinstance(first, DELTAS):
        return first
    return replace(first, text="".join(event.text for event in alike if isinstance(event, DELTAS)))
