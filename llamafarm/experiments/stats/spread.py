"""Where the median of many values lies, however many they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from llamafarm.core.figures import Estimate
from llamafarm.experiments.stats.bootstrap import CONFIDENCE, percentile

LEAST = 6  # values: with fewer no two of them enclose the median in 95 of 100 cases


@dataclass(frozen=True, slots=True)
class Spread:
    """The median with its 95 % interval, and the 95th percentile, linear between neighbours; None for a value alone."""

    median: Estimate
    p95: float | None


def spread(values: Sequence[float]) -> Spread | None:
    """The spread of `values`; None where there are none.

    The median's interval goes from one ordered value to another: those at the ranks that a binomial distribution of
    so many throws leaves (Conover, Practical Nonparametric Statistics, 1999, section 3.2, in its normal approximation).
    """
    if not values:
        return None
    ordered, n = sorted(values), len(values)
    half = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(n) / 2
    low, high = (ordered[max(math.ceil(n / 2 - half), 1) - 1], ordered[min(math.ceil(n / 2 + half), n) - 1])
    middle = percentile(ordered, 0.5)
    known = n >= LEAST
    return Spread(
        Estimate(middle, low if known else None, high if known else None, n),
        percentile(ordered, 0.95) if n > 1 else None,
    )
