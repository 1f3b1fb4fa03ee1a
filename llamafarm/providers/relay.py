"""What a LlamaFarm server tells beside a completion: its extension `llamafarm`, in chunks, answers and errors.

The first chunk has the named model, the route and the fallbacks; the last has the cost too. All of it is read with
care: another server may use the name for something else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import get_args

from llamafarm.conditions import Caution, CautionKind, ServerQueued
from llamafarm.events import FellBack, Relayed
from llamafarm.types import Cost, CostSource, JsonValue, Route

MOST, LONGEST = 32, 2000  # steps and signals, and characters of each text


def relayed(value: JsonValue, at: float) -> Relayed | None:
    """The extension as an event; None where it is not there, or names no model."""
    if not isinstance(value, dict) or not _text(value, "model"):
        return None
    route, steps, cost = (value.get(name) for name in ("route", "fallbacks", "cost"))
    return Relayed(
        at=at,
        model=_text(value, "model"),
        provider=_text(value, "provider"),
        model_id=_text(value, "model_id"),
        route=_route(route) if isinstance(route, dict) else None,
        fallbacks=tuple(_step(step, at) for step in _first(steps) if isinstance(step, dict)),
        cost=_cost(cost) if isinstance(cost, dict) else None,
        estimated=value.get("usage_source") == "estimated",
    )


def cautions(value: JsonValue) -> tuple[Caution, ...]:
    """What the server found out about its model's answer."""
    told = value.get("cautions") if isinstance(value, dict) else None
    kinds: dict[str, CautionKind] = {kind: kind for kind in get_args(CautionKind)}
    return tuple(
        Caution(kinds[kind], _text(each, "text"))
        for each in (told if isinstance(told, list) else [])
        if isinstance(each, dict) and (kind := _text(each, "kind")) in kinds and _text(each, "text")
    )


def queued(value: JsonValue, at: float) -> ServerQueued | None:
    """What the server's model waited in queues behind it, as its timings tell; None where they don't."""
    timings = value.get("timings") if isinstance(value, dict) else None
    if not isinstance(timings, dict):
        return None
    waits = [span for name in ("queue_s", "server_queue_s") if (span := _amount(timings.get(name)))]
    return ServerQueued(at=at, seconds=sum(waits)) if waits else None


def _route(value: Mapping[str, JsonValue]) -> Route:
    signals = value.get("signals")
    return Route(
        strategy=_text(value, "strategy"),
        model=_text(value, "model"),
        reason=_text(value, "reason"),
        signals=_plain(signals) if isinstance(signals, dict) else {},
    )


def _step(value: Mapping[str, JsonValue], at: float) -> FellBack:
    return FellBack(
        at=at,
        model=_text(value, "model"),
        to=_text(value, "to"),
        lost_s=_amount(value.get("lost_s")) or 0.0,
        kind=_text(value, "kind"),
        message=_text(value, "message"),
    )


def _cost(value: Mapping[str, JsonValue]) -> Cost:
    usd, source = _amount(value.get("usd")), value.get("source")
    known: dict[str, CostSource] = {name: name for name in get_args(CostSource)}
    if usd is None or not isinstance(source, str) or source not in known or source == "unknown":
        return Cost(None, "unknown", detail=_text(value, "detail"))
    return Cost(
        Decimal(str(usd)), known[source], detail=_text(value, "detail"), estimated=value.get("estimated") is True
    )


def _first(value: JsonValue) -> list[JsonValue]:
    return value[:MOST] if isinstance(value, list) else []


def _plain(signals: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What a route saw: numbers and short texts."""
    few = list(signals.items())[:MOST]
    return {name[:LONGEST]: each[:LONGEST] if isinstance(each, str) else each for name, each in few if _is_small(each)}


def _is_small(value: JsonValue) -> bool:
    return not isinstance(value, list | dict) or len(json.dumps(value, default=str)) <= LONGEST


def _text(value: Mapping[str, JsonValue], name: str) -> str:
    text = value.get(name)
    return text[:LONGEST] if isinstance(text, str) else ""


def _amount(value: JsonValue) -> float | None:
    """`value` where it is a finite number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None
