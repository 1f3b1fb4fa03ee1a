"""The dial: what the history would have cost and won at another price of quality, each prompt routed by all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llamafarm.learning.model import Fit
from llamafarm.learning.policy import Dial, Lanes, picks

CALLS = 10_000
STEPS = 60  # of halving, by which a price is found for a budget


@dataclass(frozen=True, slots=True)
class Replayed:
    """The history at one position of the dial.

    `lanes` are what each comparison would have gone to, `cost` what CALLS such calls cost, `score` the mean of what the
    answers that were judged got, None where none was. `known` of all comparisons had such an answer. `expected` is the
    mean of what all are expected to get.
    """

    dial: Dial
    lanes: NDArray[np.intp]
    cost: float
    score: float | None
    expected: float
    known: int

    def changed(self, other: Replayed) -> NDArray[np.intp]:
        """The rows that go to another lane here than there."""
        return np.flatnonzero(self.lanes != other.lanes)


def replay(fit: Fit, lanes: Lanes, dial: Dial) -> Replayed:
    """Replay the history at this position. There is one comparison at the least."""
    evidence = fit.evidence
    picked, rows = picks(fit.without, lanes.price(dial)), np.arange(len(evidence))
    weights = evidence.weights[rows, picked]
    known = weights > 0
    scores = evidence.scores[rows, picked]
    return Replayed(
        dial,
        picked,
        float(np.bincount(picked, minlength=len(lanes.cost)) @ np.nan_to_num(lanes.cost)) / len(evidence) * CALLS,
        float(np.average(scores[known], weights=weights[known])) if known.any() else None,
        float(fit.without[rows, picked].mean()),
        int(known.sum()),
    )


def frontier(fit: Fit, lanes: Lanes, dial: Dial, prices: Sequence[float]) -> tuple[Replayed, ...]:
    """The history at each of these prices of cost, the rest of the dial as it is."""
    return tuple(replay(fit, lanes, replace(dial, per_cost=price)) for price in prices)


def prices(lanes: Lanes, count: int = 24) -> list[float]:
    """A ladder of prices from 0 to where the cheapest lane is always taken."""
    costs = np.unique(lanes.cost[lanes.usable & np.isfinite(lanes.cost)])
    if len(costs) < 2:  # noqa: PLR2004 - there is nothing to trade
        return [0.0]
    top = 1.01 / float(np.diff(costs).min())
    return [0.0, *np.geomspace(top * 1e-4, top, count - 1).tolist()]


def for_budget(fit: Fit, lanes: Lanes, dial: Dial, budget: float) -> Dial | None:
    """The dial at the lowest price of cost at which CALLS calls cost no more than `budget`; None where none does.

    Costs never rise as the price does, so halving finds it.
    """
    if replay(fit, lanes, replace(dial, per_cost=0.0)).cost <= budget:
        return replace(dial, per_cost=0.0)
    low, high = 0.0, prices(lanes)[-1] * (1 + dial.per_second * float(lanes.seconds.max(initial=0.0)))
    if replay(fit, lanes, replace(dial, per_cost=high)).cost > budget:
        return None
    for _ in range(STEPS):
        middle = (low + high) / 2
        if replay(fit, lanes, replace(dial, per_cost=middle)).cost <= budget:
            high = middle
        else:
            low = middle
    return replace(dial, per_cost=high)
