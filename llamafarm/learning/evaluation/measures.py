"""How good a router is on prompts whose outcomes are known: APGR, area, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from llamafarm.learning.features import Floats
from llamafarm.learning.policy import picks

PRICES = 80  # of a unit of cost, from which a frontier is drawn
BANDS = 10  # of as many predictions each, in which calibration is looked at
Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over draws with its 95 % interval, by Student's t; of one draw the interval is the mean itself."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float | None]) -> Interval | None:
        """Of those that there are; None where there are none."""
        known = [value for value in values if value is not None and math.isfinite(value)]
        if not known:
            return None
        mean = math.fsum(known) / len(known)
        half = 0.0
        if len(known) > 1:
            spread = math.sqrt(math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1))
            half = _student(len(known) - 1) * spread / math.sqrt(len(known))
        return cls(mean, mean - half, mean + half)


def _student(freedom: int) -> float:
    """The 97.5 % quantile of Student's t (Cornish and Fisher's expansion; exact for 1 and 2)."""
    if freedom == 1:
        return 12.706204736432095
    if freedom == 2:  # noqa: PLR2004 - its quantile is elementary
        return 4.302652729696142
    z, n = Z95, freedom
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )


def apgr(gain: Floats, weak: Floats, strong: Floats) -> float | None:
    """The average performance gap recovered, where prompts go to the strong lane in the order of `gain`.

    Over all shares of strong calls from 0 to 1 the mean of (score - weak) / (strong - weak); ½ for a random order,
    which is also what equal gains count as. None where the strong lane is no better. Ong and others, RouteLLM (2024),
    section 3.
    """
    ahead = strong - weak
    total = float(ahead.sum())
    if len(ahead) == 0 or total <= 0:
        return None
    order = np.argsort(-gain, kind="stable")
    _, place, sizes = np.unique(-gain[order], return_inverse=True, return_counts=True)
    even = np.bincount(place, ahead[order]) / sizes  # equal gains are in no order
    reached = np.concatenate([[0.0], np.cumsum(even[place])])
    return float((reached[1:] + reached[:-1]).sum() / 2 / len(ahead) / total)


def frontier(expected: Floats, costs: Floats, scores: Floats, paid: Floats) -> Floats:
    """The mean cost and score at each of a ladder of prices, dearest first: points × 2, by cost.

    `expected` and `costs` are what the router believes, `scores` and `paid` what prompts × lanes got and cost.
    """
    spread = float(expected.max() - expected.min()) if expected.size else 0.0
    gaps = np.diff(np.unique(costs))
    if not len(gaps):
        ladder = np.zeros(1)
    else:
        top = max(spread, 1e-6) / max(float(gaps.min()), 1e-12) * 1.01
        low = max(spread, 1e-6) / max(float(costs.max() - costs.min()), 1e-12) * 1e-3
        ladder = np.concatenate([np.geomspace(top, min(low, top), PRICES), [0.0]])
    rows = np.arange(len(expected))
    points = []
    for price in ladder:
        lanes = picks(expected, price * costs)
        points.append((float(paid[rows, lanes].mean()), float(scores[rows, lanes].mean())))
    return np.array(points)


def under(points: Floats, low: float, high: float) -> float:
    """The mean score over costs from `low` to `high` of what `points` reach: the best for no more cost, and mixes.

    The upper hull of the points, never falling (Hu and others, RouterBench, 2024, section 3).
    """
    hull: list[tuple[float, float]] = []
    for cost, score in sorted(map(tuple, points.tolist())):
        if hull and score <= hull[-1][1]:
            continue
        while len(hull) > 1 and _right(hull[-2], hull[-1], (cost, score)):
            hull.pop()
        if hull and hull[-1][0] == cost:
            hull.pop()
        hull.append((cost, score))
    grid = np.linspace(low, high, 513)
    return float(np.interp(grid, [cost for cost, _ in hull], [score for _, score in hull]).mean())


def _right(first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]) -> bool:
    """Whether the middle one lies under the line between the others."""
    across = (middle[0] - first[0]) * (last[1] - first[1]) - (middle[1] - first[1]) * (last[0] - first[0])
    return across >= 0


def area(expected: Floats, costs: Floats, scores: Floats, paid: Floats) -> float | None:
    """The share of the gap between the best mix of single lanes and the oracle that a router closes, over all costs.

    Each is the area under what it reaches, from the cheapest lane's cost to the dearest's. The oracle picks by the true
    scores. None where there is no such gap.
    """
    single = np.column_stack([paid.mean(0), scores.mean(0)])
    low, high = float(single[:, 0].min()), float(single[:, 0].max())
    if high <= low:
        return None
    lanes, best = under(single, low, high), under(frontier(scores, costs, scores, paid), low, high)
    if best - lanes <= 1e-9:  # noqa: PLR2004 - nothing to close
        return None
    return (under(frontier(expected, costs, scores, paid), low, high) - lanes) / (best - lanes)


def calibration_error(expected: Floats, happened: Floats) -> float:
    """The expected calibration error: by how much predictions miss what happens, in bands of as many predictions each.

    Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities (2015); adaptive bands: Nguyen and O'Connor
    (2015).
    """
    said, came = expected.ravel(), happened.ravel()
    if not len(said):
        return 0.0
    order = np.argsort(said, kind="stable")
    bands = np.array_split(order, min(BANDS, len(said)))
    return float(sum(abs(said[band].mean() - came[band].mean()) * len(band) for band in bands) / len(said))
