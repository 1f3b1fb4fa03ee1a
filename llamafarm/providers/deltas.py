"""Deltas: made of pieces of text, and put together where they came together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    first: TextDelta | ReasoningDelta | None = None
    texts: list[str] = []
    try:
        for event in events:
            if isinstance(event, DELTAS):
                if first is not None and type(event) is type(first) and event.at == first.at:
                    texts.append(event.text)
                    continue
                if first is not None:
                    yield _one(first, texts)
                first, texts = event, [event.text]
                continue
            if first is not None:
                yield _one(first, texts)
                first = None
            yield event
    except Exception:
        if first is not None:
            yield _one(first, texts)
        raise
    if first is not None:
        yield _one(first, texts)


def _one(first: TextDelta | ReasoningDelta, texts: list[str]) -> Event:
    return first if len(texts) == 1 else type(first)(at=first.at, text="".join(texts))
