"""What each routing strategy suggested before a comparison's first lane started: what its regret is measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from llamafarm.core.types import JsonValue, Route

LEARNED, CONSTANT = "learned", "constant"


@dataclass(frozen=True, slots=True)
class Suggested:
    """A suggestion. Models are named ones.

    `incumbent` is what would be asked without it: the model that is best on average. `probability` is how sure it is
    to be better than that, `per_cost` what quality is given for a dollar. `evidence` counts the comparisons that it
    rests on, `known_until` is when the newest label of them came (None: there was none), `fit` the digest of the fit.
    """

    strategy: str
    at: datetime
    model: str
    incumbent: str
    probability: float | None = None
    per_cost: float = 0.0
    evidence: int = 0
    known_until: datetime | None = None
    fit: str = ""


def suggested(routes: Sequence[Route], at: datetime) -> tuple[Suggested, ...]:
    """The suggestions of `routes`, made at `at`; with a learnt one goes the constant, its incumbent at every prompt."""
    learnt = next((route for route in routes if route.strategy == LEARNED), None)
    found = []
    for route in routes:
        if route is not learnt:
            incumbent = route.model if learnt is None else _text(learnt.signals.get("incumbent")) or route.model
            found.append(Suggested(route.strategy, at, route.model, incumbent))
    if learnt is not None:
        own = _learnt(learnt, at)
        found += [own, Suggested(CONSTANT, at, own.incumbent, own.incumbent, None, *_ground(own))]
    return tuple(found)


def _learnt(route: Route, at: datetime) -> Suggested:
    told = route.signals
    until = _text(told.get("known_until"))
    return Suggested(
        LEARNED,
        at,
        route.model,
        _text(told.get("incumbent")) or route.model,
        _number(told.get("probability")),
        _number(told.get("per_dollar")) or 0.0,
        int(_number(told.get("comparisons")) or 0),
        datetime.fromisoformat(until) if until else None,
        _text(told.get("fit")) or "",
    )


def _ground(own: Suggested) -> tuple[float, int, datetime | None, str]:
    return own.per_cost, own.evidence, own.known_until, own.fit


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) else None
