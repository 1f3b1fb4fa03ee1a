"""Reads the extension `llamafarm` of a LlamaFarm server's chunks, answers and errors.

The first chunk has the named model, the route and the fallbacks; the last has the cost too, and what is in the times.
All of it is read with care: another server may use the name for something else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import get_args

from llamafarm.core.conditions import Caution, CautionKind, ServerQueued, Upstream
from llamafarm.core.events import Event, FellBack, Loaded, Relayed, Retrying
from llamafarm.core.types import Cost, CostSource, JsonValue, Route

MOST, LONGEST = 32, 2000  # steps, tries and signals, and characters of each text
MOST_TIMES = 1_000  # that one answer is asked for
A_DAY_S = 86_400.0  # longer takes no answer


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


def spent(value: JsonValue, at: float) -> Iterator[Event]:
    """What the answer's times have in them that is not the model's, as the server tells at its end.

    Its model was loaded, waited in queues, was asked again; its tools ran, and the server itself was late.
    """
    if not isinstance(value, dict):
        return
    told = value.get("timings")
    timings = told if isinstance(told, dict) else {}
    if load_s := _span(timings.get("load_s")):
        yield Loaded(at=at, seconds=load_s)
    if wait_s := _span(timings.get("queue_s")) + _span(timings.get("server_queue_s")):
        yield ServerQueued(at=at, seconds=wait_s)
    upstream = _upstream(value, timings, at)
    if upstream != Upstream(at=at):
        yield upstream


def _upstream(value: Mapping[str, JsonValue], timings: Mapping[str, JsonValue], at: float) -> Upstream:
    """A server that tells no `ttft_lost_s` lost it before the first token: behind it nothing is asked again."""
    lost_s, again = _span(value.get("lost_s")), value.get("reconnects")
    before_s = sum(_span(step.get("lost_s")) for step in _first(value.get("fallbacks")) if isinstance(step, dict))
    ttft_lost_s = _span(timings["ttft_lost_s"]) if "ttft_lost_s" in timings else lost_s
    return Upstream(
        at=at,
        retries=tuple(_try(each, at) for each in _first(value.get("retries")) if isinstance(each, dict)),
        reconnects=again if type(again) is int and 0 <= again <= MOST_TIMES else 0,
        lost_s=max(lost_s - before_s, 0.0),
        ttft_lost_s=max(ttft_lost_s - before_s, 0.0),
        lag_s=_span(timings.get("lag_s")),
        ttft_lag_s=_span(timings.get("ttft_lag_s")),
        tools_s=_span(timings.get("tools_s")),
    )


def _try(value: Mapping[str, JsonValue], at: float) -> Retrying:
    attempt = value.get("attempt")
    return Retrying(
        at=at,
        attempt=attempt if type(attempt) is int and 0 < attempt <= MOST_TIMES else 2,
        delay_s=_span(value.get("delay_s")),
        kind=_text(value, "kind"),
        message=_text(value, "message"),
    )


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
        lost_s=_span(value.get("lost_s")),
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
    return float(value) if 0 <= value <= sys.float_info.max else None


def _span(value: JsonValue) -> float:
    """`value` where it may be seconds of one answer, else 0."""
    amount = _amount(value)
    return 0.0 if amount is None or amount > A_DAY_S else amount
