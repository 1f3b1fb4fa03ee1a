"""Figures made of several values: an estimate with its interval, money, a run's progress. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; `low` and `high` are None where `n`, the number of values, is below 2."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0

    def overlaps(self, other: Estimate) -> bool:
        """Whether the intervals have a point in common, so that the figures can't be told apart. So if one has none."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return True
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, slots=True)
class Money:
    """What several answers cost together, in US dollars. `unknown` of them have no cost; None: nobody told any.

    `free`: all of them ran on hardware of one's own.
    """

    usd: Decimal | None
    unknown: int = 0
    estimated: bool = False
    free: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `per_s` are calls of this run a second, `left_s` what the slowest server still needs.

    Both are None before there is something to tell them from. `resumed` of `done` were asked by an earlier run.
    """

    done: int
    total: int
    failed: int
    resumed: int
    elapsed_s: float
    per_s: float | None
    left_s: float | None
