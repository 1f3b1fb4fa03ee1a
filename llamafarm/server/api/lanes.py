"""A comparison's events as server-sent events: the very ones that the page follows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from llamafarm.core.events import Asking, Event, NextTurn, Sent
from llamafarm.engine.comparison import LaneEvent
from llamafarm.server.api.bodies.jsons import dumps

ASKING = (Asking, NextTurn, Sent)
ASKED_LETTERS = 16 * 1024
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def sse(name: str, value: Any) -> bytes:
    """One server-sent event of type `name`."""
    return b"event: " + name.encode() + b"\ndata: " + dumps(value) + b"\n\n"


def lane_event(told: LaneEvent, started: float) -> dict[str, Any]:
    """An event of a lane: its `type` is the event's name (`text_delta`), `at_s` its seconds since `started`.

    What the caller asked is not told back whole to each lane: of texts over 16 Ki letters only the first.
    """
    event = told.event
    body = {"lane": told.lane, "type": event_type(event), "at_s": event.at - started}
    longest = ASKED_LETTERS if isinstance(event, ASKING) else None
    return body | {each.name: _plain(getattr(event, each.name), longest) for each in fields(event) if each.name != "at"}


def event_type(event: Event) -> str:
    """`TextDelta` as `text_delta`."""
    return _CAPITAL.sub("_", type(event).__name__).lower()


def _plain(value: Any, longest: int | None = None) -> Any:
    """Data classes as objects, money as numbers, texts no longer than `longest`."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name), longest) for each in fields(value)}
    match value:
        case Decimal():
            return float(value)
        case Mapping():
            return {key: _plain(each, longest) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each, longest) for each in value]
        case str() if longest is not None and len(value) > longest:
            return f"{value[:longest]}… ({len(value):,} letters)"
        case _:
            return value
